// unictl modules.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_modules_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string installed(const std::string& module) {
  return stage() + "/lib/unicni/modules/" + module + ".so";
}

std::map<std::string, Json> by_name(const Output& output) {
  std::map<std::string, Json> modules;
  const Json report = output.json();
  for (const Json& module : report.at("modules")) modules[module.at("name")] = module;
  return modules;
}

class UnictlModules : public ::testing::Test {
 protected:
  static constexpr const char* kFolder = "/run/some-modules";
  UnictlModules() { fs::create_directory(kFolder); }
  static void put(const std::string& module, const std::string& as) {
    fs::copy_file(installed(module), std::string(kFolder) + '/' + as + ".so");
  }

  Sandbox sandbox_;
};

TEST_F(UnictlModules, ListsThoseThatAreInstalledWithIt) {
  const Output output = command("unictl", {"modules", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  const auto modules = by_name(output);
  const Json& bridge = modules.at("bridge");
  EXPECT_EQ(bridge.at("kind"), "interface");
  EXPECT_EQ(bridge.at("version"), UNICNI_VERSION);
  EXPECT_EQ(bridge.at("abi"), 2);
  EXPECT_EQ(bridge.at("owner"), "root");
  EXPECT_EQ(bridge.at("verdict"), "loadable");
  EXPECT_EQ(bridge.at("reason"), nullptr);
  EXPECT_EQ(bridge.at("path"), installed("bridge"));
  EXPECT_EQ(modules.at("host-local").at("kind"), "ipam");
  EXPECT_EQ(modules.at("portmap").at("kind"), "chained");
}

TEST_F(UnictlModules, IsATableWithoutColoursInAPipe) {
  const Output output = command("unictl", {"modules"});
  EXPECT_THAT(output.out, AllOf(StartsWith("NAME"), HasSubstr("\nbridge  ")));
  EXPECT_EQ(output.out.find('\x1b'), std::string::npos);
}

TEST_F(UnictlModules, SaysWhyAModuleIsRefusedAndEndsWith1) {
  put("dummy", "dummy");
  put("dummy", "other");
  put("static", "static");
  ASSERT_EQ(::chown("/run/some-modules/static.so", 1234, 0), 0);
  write_file("/run/some-modules/text.so", "no module");
  write_file("/run/some-modules/README", "no module either");
  const Output output = command("unictl", {"modules", "--folder", kFolder, "--json"});
  EXPECT_EQ(output.status, 1) << output.str();
  const auto modules = by_name(output);
  ASSERT_EQ(modules.size(), 4U);
  EXPECT_EQ(modules.at("dummy").at("verdict"), "loadable");
  for (const char* name : {"other", "static", "text"}) {
    EXPECT_EQ(modules.at(name).at("verdict"), "refused") << name;
  }
  EXPECT_EQ(modules.at("other").at("reason"),
            "is unusable: its name is \"dummy\" inside, \"other\" is expected");
  EXPECT_THAT(modules.at("static").at("reason"), HasSubstr("belongs to uid 1234"));
  EXPECT_EQ(modules.at("static").at("owner"), "1234");
  EXPECT_EQ(modules.at("static").at("kind"), "ipam") << "the note is read all the same";
  EXPECT_EQ(modules.at("text").at("reason"), "is unusable: it is not an ELF file");
  EXPECT_EQ(modules.at("text").at("kind"), nullptr);
}

TEST_F(UnictlModules, TellsWhichOfTwoServes) {
  put("dummy", "dummy");
  const Output output = command("unictl", {"modules", "--folder", stage() + "/lib/unicni/modules",
                                           "--folder", kFolder, "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  std::vector<std::string> verdicts;
  const Json report = output.json();
  for (const Json& module : report.at("modules")) {
    if (module.at("name") == "dummy") verdicts.push_back(module.at("verdict"));
    if (module.at("verdict") == "shadowed") {
      EXPECT_EQ(module.at("reason"), "by " + installed("dummy"));
    }
  }
  EXPECT_THAT(verdicts, ::testing::ElementsAre("loadable", "shadowed"));
}

TEST_F(UnictlModules, TellsWhichOfAModulesFilesTheExecutableTakes) {
  put("dummy", "dummy");
  put("dummy", "dummy.abi2");
  put("dummy", "dummy.abi3");
  const Output output = command("unictl", {"modules", "--folder", kFolder, "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  std::map<std::string, Json> by_path;
  const Json report = output.json();
  for (const Json& module : report.at("modules")) {
    EXPECT_EQ(module.at("name"), "dummy");
    by_path[module.at("path")] = module;
  }
  const std::string start = std::string(kFolder) + "/dummy";
  EXPECT_EQ(by_path.at(start + ".abi2.so").at("verdict"), "loadable");
  EXPECT_EQ(by_path.at(start + ".so").at("verdict"), "shadowed");
  EXPECT_EQ(by_path.at(start + ".so").at("reason"), "by " + start + ".abi2.so");
  EXPECT_EQ(by_path.at(start + ".abi3.so").at("verdict"), "passed over");
  EXPECT_EQ(by_path.at(start + ".abi3.so").at("reason"),
            "for executables of module interface 3 alone");
}

TEST_F(UnictlModules, AFolderMayBeNamedFromTheWorkingFolder) {
  put("dummy", "dummy");
  const Output output = run({.argv = {"sh", "-c",
                                      "cd /run && exec " + stage() +
                                          "/bin/unictl modules --json "
                                          "--folder some-modules/"},
                             .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(by_name(output).at("dummy").at("path"), std::string(kFolder) + "/dummy.so");
}

TEST_F(UnictlModules, NamesTheFoldersWhereItFoundNone) {
  const Output output = command("unictl", {"modules", "--folder", "/run/nothing"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, StartsWith("unictl: there is no module in /run/nothing\n"));
}

TEST_F(UnictlModules, WorkInATreeThatWasMoved) {
  for (const char* folder : {"bin", "lib/unicni/modules", "libexec/cni"}) {
    fs::create_directories(fs::path("/run/moved") / folder);
  }
  for (const char* file :
       {"bin/unictl", "lib/libunicni.so.0", "lib/unicni/modules/dummy.so", "libexec/cni/unicni"}) {
    fs::copy_file(fs::path(stage()) / file, fs::path("/run/moved") / file);
  }
  const Output output = run({.argv = {"/run/moved/bin/unictl", "modules", "--json"}, .env = {}});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(by_name(output).at("dummy").at("path"), "/run/moved/lib/unicni/modules/dummy.so");
}

TEST_F(UnictlModules, FailIfTheirAnswerCanNotBeWritten) {
  const Output output = tool({"sh", "-c", "! " + stage() + "/bin/unictl modules > /dev/full"});
  EXPECT_THAT(output.err, HasSubstr("write to stdout: No space left on device"));
}

}  // namespace
}  // namespace unicni::test::unictl_modules_test
