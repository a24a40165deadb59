// unictl install.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_install_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class UnictlInstall : public ::testing::Test {
 protected:
  static constexpr const char* kBin = "/run/cni-bin";

  static std::string bin(const std::string& file) { return std::string(kBin) + '/' + file; }
  static Output install(std::vector<std::string> options = {}) {
    std::vector<std::string> arguments = {"install", "--bin-dir", kBin};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return command("unictl", arguments);
  }
  static void must_install(const std::vector<std::string>& options = {}) {
    const Output output = install(options);
    EXPECT_EQ(output.status, 0) << output.str();
    EXPECT_EQ(output.err, "");
  }
  /// Name → what was done to it.
  static std::multimap<std::string, std::string> actions(std::vector<std::string> options) {
    options.emplace_back("--json");
    const Json report = install(options).json();
    std::multimap<std::string, std::string> all;
    for (const Json& file : report.at("files")) all.emplace(file.at("name"), file.at("action"));
    return all;
  }
  static std::string says(const std::string& plugin) {
    return run({.argv = {bin(plugin)}, .env = {"CNI_COMMAND=VERSION"}}).out;
  }
  /// An executable by the name of one of ours.
  static void put_foreign(const std::string& name, const std::string& text) {
    fs::create_directories(kBin);
    write_file(bin(name), "#!/bin/sh\necho " + text + "\n", 0755);
  }
  static Attachment attachment(const Container& container) {
    return {.config = Json::parse(R"({"cniVersion": "1.0.0", "name": "net", "type": "bridge",
                "bridge": "br-install", "isGateway": true, "ipMasq": true,
                "ipam": {"type": "host-local", "subnet": "10.77.0.0/24"}})"),
            .netns = container.path(),
            .folder = kBin,
            .cni_path = kBin};
  }

  Sandbox sandbox_;
};

TEST_F(UnictlInstall, MakesTheFolderAndALinkForEveryModule) {
  must_install();
  for (const auto& module : fs::directory_iterator(stage() + "/lib/unicni/modules")) {
    const std::string name = module.path().stem();
    EXPECT_EQ(fs::read_symlink(bin(name)), bin_dir() + "/unicni") << name;
    EXPECT_THAT(says(name), HasSubstr("\"1.1.0\"")) << name;
  }
  EXPECT_EQ(fs::read_symlink(bin("unicni")), bin_dir() + "/unicni");
}

TEST_F(UnictlInstall, WithoutAFolderItIsCalledWrongly) {
  const Output output = command("unictl", {"install"});
  EXPECT_EQ(output.status, 2) << output.str();
  EXPECT_THAT(output.err, ::testing::HasSubstr("--bin-dir"));
}

TEST_F(UnictlInstall, LeavesWhatIsAsItShouldBe) {
  must_install();
  for (const auto& [name, action] : actions({})) EXPECT_EQ(action, "leave") << name;
}

TEST_F(UnictlInstall, ACopyServesFromItsOwnModulesWhereverTheFolderIs) {
  must_install({"--copy"});
  fs::create_directories("/run/elsewhere");
  fs::rename(kBin, "/run/elsewhere/plugins");
  EXPECT_EQ(fs::read_symlink("/run/elsewhere/plugins/bridge"), "unicni");
  const Output output =
      command("unictl", {"modules", "--executable", "/run/elsewhere/plugins/bridge", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.out, AllOf(HasSubstr("/run/elsewhere/plugins/unicni-modules/bridge.so"),
                                Not(HasSubstr(stage() + "/lib"))));
  const Container container("c1");
  Attachment job = attachment(container);
  job.folder = job.cni_path = "/run/elsewhere/plugins";
  const Json result = must_add(job);
  expect_silent_success(job.del(result));
}

TEST_F(UnictlInstall, ACopyIsNotShadowedByAFileOfAnEarlierOne) {
  must_install({"--copy"});
  write_file(bin("unicni-modules/bridge.abi2.so"), "of an earlier copy");
  must_install({"--copy"});
  EXPECT_FALSE(exists(bin("unicni-modules/bridge.abi2.so")));
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
}

TEST_F(UnictlInstall, ACopyIsRefusedWhereModulesWouldNotBeTrusted) {
  fs::create_directories(kBin);
  ASSERT_EQ(::chown(kBin, 1234, 0), 0);
  const Output output = install({"--copy"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("modules in /run/cni-bin would be refused"));
  EXPECT_TRUE(fs::is_empty(kBin));
}

TEST_F(UnictlInstall, PluginsOfOthersAreRefusedWithoutForce) {
  put_foreign("bridge", "theirs");
  put_foreign("calico", "not ours to name");
  const Output output = install();
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("/run/cni-bin has plugins of other makers: bridge\n"));
  EXPECT_FALSE(exists(bin("ptp"))) << "nothing is done before";
  EXPECT_EQ(says("bridge"), "theirs\n");
}

TEST_F(UnictlInstall, AFolderWhereAPluginBelongsIsRefusedBeforeAnythingIsDone) {
  fs::create_directories(bin("vlan"));
  for (const std::vector<std::string>& options :
       {std::vector<std::string>{}, {"--force"}, {"--force", "--copy"}}) {
    const Output output = install(options);
    EXPECT_EQ(output.status, 1);
    EXPECT_THAT(output.err,
                AllOf(HasSubstr("/run/cni-bin/vlan is a folder"), HasSubstr("move it")));
    EXPECT_EQ(std::distance(fs::directory_iterator(kBin), fs::directory_iterator()), 1);
  }
}

TEST_F(UnictlInstall, WhatCanBeNoFolderIsNamed) {
  fs::create_symlink("/run/nowhere", kBin);
  EXPECT_THAT(install().err,
              HasSubstr("/run/cni-bin is a link to /run/nowhere, which is no folder"));
  fs::remove(kBin);
  write_file(kBin, "");
  EXPECT_THAT(install().err, HasSubstr("/run/cni-bin is no folder"));
}

TEST_F(UnictlInstall, ALinkToAFolderWithBlanksIsAFolder) {
  fs::create_directories("/run/on another/file system");
  tool({"mount", "-t", "tmpfs", "tmpfs", "/run/on another/file system"});
  fs::create_symlink("/run/on another/file system", kBin);
  must_install({"--copy"});
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
  EXPECT_TRUE(fs::is_symlink(kBin));
  must_install({"--uninstall"});
  EXPECT_TRUE(fs::is_empty(kBin));
  must_install({"--copy"});
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
}

TEST_F(UnictlInstall, AReadOnlyFolderStaysAsItIs) {
  fs::create_directories(kBin);
  tool({"mount", "-t", "tmpfs", "-o", "ro", "tmpfs", kBin});
  for (const char* option : {"--force", "--copy"}) {
    const Output output = install({option});
    EXPECT_EQ(output.status, 1);
    EXPECT_THAT(output.err, AllOf(HasSubstr(kBin), HasSubstr("EROFS")));
  }
}

TEST_F(UnictlInstall, ManyAtOnceGetOnWithEachOther) {
  std::vector<Running> all;
  for (int i = 0; i < 4; ++i) {
    for (const char* option : {"--copy", "--force"}) {
      all.emplace_back(
          Spawn{.argv = {stage() + "/bin/unictl", "install", "--bin-dir", kBin, option},
                .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
    }
  }
  for (Running& each : all) {
    const Output output = each.wait();
    EXPECT_EQ(output.status, 0) << output.str();
  }
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
  for (const auto& file : fs::directory_iterator(kBin))
    EXPECT_FALSE(file.path().filename().string().starts_with('.')) << file.path();
}

TEST_F(UnictlInstall, APluginWhoseModuleAnUpgradeHasNotStaysAndIsNamed) {
  fs::create_directories(kBin);
  fs::create_symlink("/gone/libexec/cni/unicni", bin("former"));
  fs::create_symlink("unicni", bin("cnv-bridge"));
  const Output output = install();
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.err, HasSubstr("have no module in this one"));
  EXPECT_THAT(output.err, HasSubstr(": former\n"));
  EXPECT_TRUE(fs::is_symlink(bin("former")));
  must_install({"--uninstall"});
  EXPECT_TRUE(fs::is_empty(kBin));
}

TEST_F(UnictlInstall, WhatForceReplacesIsPutBackByUninstall) {
  for (const char* option : {"--force", "--copy"}) {
    put_foreign("bridge", "theirs");
    put_foreign("calico", "not ours to name");
    fs::create_symlink("/opt/other/multiple", bin("vlan"));
    must_install({"--force", option});
    EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
    EXPECT_TRUE(exists(bin(".bridge.before-unicni")));
    must_install({option});
    must_install({"--uninstall"});
    EXPECT_EQ(says("bridge"), "theirs\n");
    EXPECT_EQ(fs::read_symlink(bin("vlan")), "/opt/other/multiple");
    std::vector<std::string> left;
    for (const auto& file : fs::directory_iterator(kBin)) left.push_back(file.path().filename());
    EXPECT_THAT(left, ::testing::UnorderedElementsAre("bridge", "calico", "vlan")) << option;
    fs::remove_all(kBin);
  }
}

TEST_F(UnictlInstall, WhatWasKeptFirstIsNotOverwrittenByWhatIsKeptLater) {
  put_foreign("bridge", "first");
  must_install({"--force"});
  for (const char* text : {"second", "first", "third"}) {
    fs::remove(bin("bridge"));
    put_foreign("bridge", text);
    must_install({"--force"});
  }
  EXPECT_EQ(says(".bridge.before-unicni"), "first\n");
  EXPECT_EQ(says(".bridge.before-unicni.2"), "second\n");
  EXPECT_EQ(says(".bridge.before-unicni.3"), "third\n") << "what is kept isn't kept twice";
  const Output output = install({"--uninstall"});
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(says("bridge"), "first\n");
  EXPECT_THAT(output.err,
              HasSubstr("these stay in /run/cni-bin, as another plugin has their place: "
                        ".bridge.before-unicni.2, .bridge.before-unicni.3; remove what"));
  EXPECT_TRUE(exists(bin(".bridge.before-unicni.2")));
}

TEST_F(UnictlInstall, WhatOthersPutOverOursStaysAtUninstall) {
  must_install();
  fs::remove(bin("bridge"));
  put_foreign("bridge", "upgraded");
  must_install({"--uninstall"});
  EXPECT_EQ(says("bridge"), "upgraded\n");
  EXPECT_FALSE(exists(bin("ptp")));
}

TEST_F(UnictlInstall, WhatWasKeptForAPlaceThatIsTakenIsNamedAtUninstall) {
  put_foreign("bridge", "theirs");
  must_install({"--force"});
  fs::remove(bin("bridge"));
  put_foreign("bridge", "upgraded");
  const Output output = install({"--uninstall"});
  EXPECT_EQ(says("bridge"), "upgraded\n");
  EXPECT_THAT(output.err, HasSubstr(": .bridge.before-unicni; remove"));
}

TEST_F(UnictlInstall, LinksLeaveNoModulesOfAnEarlierCopy) {
  must_install({"--copy"});
  const auto told = actions({"--dry-run"});
  EXPECT_EQ(told.find("unicni-modules/ptp.so")->second, "remove");
  EXPECT_TRUE(exists(bin("unicni-modules/ptp.so")));
  must_install();
  EXPECT_FALSE(exists(bin("unicni-modules")));
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
  must_install({"--copy"});
  EXPECT_THAT(says("bridge"), HasSubstr("\"1.1.0\""));
  must_install({"--uninstall"});
  EXPECT_TRUE(fs::is_empty(kBin));
}

TEST_F(UnictlInstall, WhatOthersPutBesideCopiedModulesStaysAndIsNamed) {
  must_install({"--copy"});
  write_file(bin("unicni-modules/notes"), "mine");
  const Output output = install();
  EXPECT_THAT(output.err, HasSubstr("/run/cni-bin/unicni-modules stays, with what is no copy of a "
                                    "module of this unicni: notes\n"));
  EXPECT_EQ(std::distance(fs::directory_iterator(bin("unicni-modules")), fs::directory_iterator()),
            1);
}

TEST_F(UnictlInstall, ACopyUnderANameOfItsOwnKeepsItsModules) {
  must_install({"--copy"});
  fs::copy_file(bin("unicni"), bin("cnv-bridge"));
  must_install();
  EXPECT_THAT(says("cnv-bridge"), HasSubstr("\"1.1.0\""));
  EXPECT_TRUE(exists(bin("unicni-modules/bridge.so")));
}

TEST_F(UnictlInstall, AModuleThatCouldNotBeLoadedGetsNoLink) {
  const std::string modules = "/run/own/lib/unicni/modules/";
  fs::create_directories(modules);
  fs::create_directories("/run/own/libexec/cni");
  const std::string executable = "/run/own/libexec/cni/unicni";
  fs::copy_file(bin_dir() + "/unicni", executable);
  // In the table of symbols, and wherever else.
  const auto spoil = [&](const std::string& module, std::string_view from, std::string_view to) {
    std::string file = read_file(stage() + "/lib/unicni/modules/" + module + ".so");
    for (auto at = file.find(from); at != file.npos && from != to; at = file.find(from)) {
      file.replace(at, from.size(), to);
    }
    write_file(modules + module + ".so", file);
  };
  spoil("dummy", "N6unicni5Error", "N6unicni5Terra");
  spoil("static", "libc.so.6", "libq.so.6");
  spoil("ptp", "unicni_module_ptp", "unicni_module_ptq");
  spoil("vlan", "", "");
  const Output output = install({"--executable", executable});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.err,
              AllOf(HasSubstr("dummy is left out: module " + modules +
                              "dummy.so is unusable: undefined symbol: _ZN6unicni5Terra"),
                    HasSubstr("static is left out: module " + modules +
                              "static.so is unusable: libq.so.6: cannot open shared "),
                    HasSubstr("undefined symbol: unicni_module_ptp\n")));
  std::vector<std::string> made;
  for (const auto& file : fs::directory_iterator(kBin)) made.push_back(file.path().filename());
  EXPECT_THAT(made, ::testing::UnorderedElementsAre("unicni", "vlan"));
  const Output listed = command("unictl", {"modules", "--executable", executable, "--json"});
  EXPECT_EQ(listed.status, 1);
  const Json answer = listed.json();
  for (const Json& module : answer.at("modules")) {
    EXPECT_EQ(module.at("verdict"), module.at("name") == "vlan" ? "loadable" : "refused");
  }
}

TEST_F(UnictlInstall, AnotherBuildsExecutableIsNotForeign) {
  fs::create_directories(kBin);
  std::string other = read_file(bin_dir() + "/unicni");
  other += "other";
  write_file(bin("unicni"), other, 0755);
  write_file(bin("bridge"), other, 0755);
  fs::create_symlink("/gone/libexec/cni/unicni", bin("ptp"));
  must_install();
  EXPECT_EQ(fs::read_symlink(bin("bridge")), bin_dir() + "/unicni");
  EXPECT_EQ(fs::read_symlink(bin("ptp")), bin_dir() + "/unicni");
  EXPECT_FALSE(exists(bin(".bridge.before-unicni")));
}

TEST_F(UnictlInstall, ADryRunTellsAndDoesNothing) {
  put_foreign("bridge", "theirs");
  const auto told = actions({"--dry-run", "--force", "--copy"});
  const auto [first, last] = told.equal_range("bridge");
  EXPECT_EQ(std::distance(first, last), 2) << "kept, then a link";
  EXPECT_EQ(told.find("unicni")->second, "copy");
  EXPECT_EQ(told.find("unicni-modules/ptp.so")->second, "copy");
  EXPECT_EQ(std::distance(fs::directory_iterator(kBin), fs::directory_iterator()), 1);
  EXPECT_EQ(says("bridge"), "theirs\n");
}

TEST_F(UnictlInstall, TheExecutablesOwnFolderIsNotUninstalled) {
  const Output output = command("unictl", {"install", "--bin-dir", bin_dir(), "--uninstall"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("is the folder of the executable itself"));
}

// A node is upgraded while its containers run.
TEST_F(UnictlInstall, RunningAttachmentsAreServedByWhatIsInstalledLater) {
  must_install();
  const Container container("c1");
  const Attachment job = attachment(container);
  const Json result = must_add(job);
  must_install({"--copy", "--force"});
  ASSERT_FALSE(fs::is_symlink(bin("unicni")));
  expect_silent_success(job.check(result));
  must_install();
  expect_silent_success(job.check(result));
  must_install({"--copy"});
  expect_silent_success(job.del(result));
  EXPECT_FALSE(container.succeeds({"ip", "link", "show", "eth0"}));
  EXPECT_TRUE(!exists("/run/unicni/attachments") || fs::is_empty("/run/unicni/attachments"));
}

}  // namespace
}  // namespace unicni::test::unictl_install_test
