// cnitool add, check, del, status and version.
#include "cnitool.h"
#include "support/kernel_state.h"
#include "support/recorder.h"

namespace unicni::test::cnitool_verbs_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kBlueId = "cnitool-296747069b8a02dc4e2a";  // of /var/run/netns/blue

class CnitoolVerbs : public CnitoolTest {
 protected:
  CnitoolVerbs() { put("10-mynet.conflist", list()); }
  static Output add_to_full_disk(const std::vector<std::string>& arguments) {
    std::vector<std::string> argv = {"sh", "-c", "exec \"$0\" add \"$@\" > /dev/full",
                                     stage() + "/bin/cnitool"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return run({.argv = argv,
                .env = {"CNI_PATH=" + bin_dir(), std::string("NETCONFPATH=") + kNetworks,
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  }
  Container blue_{"blue"};
};

TEST_F(CnitoolVerbs, AttachCheckAndDetachANamespace) {
  const Snapshot before = snapshot();
  const Output added = cnitool({"add", "mynet", blue_.path()});
  ASSERT_EQ(added.status, 0) << added.str();
  EXPECT_EQ(added.err, "");
  const Json result = added.json();
  EXPECT_EQ(result.at("cniVersion"), "1.1.0");
  EXPECT_EQ(result.at("ips").at(0).at("address"), "10.7.0.2/24");
  EXPECT_THAT(added.out, AllOf(StartsWith("{\n    \"cniVersion\": \"1.1.0\",\n"), EndsWith("]\n}")))
      << "4 blanks, and no line break at the end";
  EXPECT_THAT(addresses_of("eth0", blue_.fd()), ElementsAre("10.7.0.2/24"));

  for (const char* verb : {"check", "status", "del", "del"}) {
    const Output output = cnitool({verb, "mynet", blue_.path()});
    EXPECT_EQ(output.status, 0) << verb << output.str();
    EXPECT_EQ(output.out + output.err, "") << verb;
  }
  EXPECT_EQ(difference(without_link(before, "cni0"), without_link(snapshot(), "cni0")), "");
  EXPECT_THAT(results(), IsEmpty());
}

/// The cache knows the attachment, whoever didn't hear of it.
TEST_F(CnitoolVerbs, AddTellsWhatStandsIfItsResultCanNotBeWritten) {
  const Output output = add_to_full_disk({"-i", "net1", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("the result couldn't be told"));
  EXPECT_THAT(output.err, HasSubstr("network mynet is attached all the same; `cnitool del -i net1 "
                                    "mynet " +
                                    blue_.path() + "` takes it away"));
  EXPECT_THAT(addresses_of("net1", blue_.fd()), ElementsAre("10.7.0.2/24"));
  EXPECT_EQ(cnitool({"del", "-i", "net1", "mynet", blue_.path()}).status, 0);
}

TEST_F(CnitoolVerbs, TellCommandsWithBlanksAsAShellTakesThem) {
  put("my net.conflist", list());
  const Output output = add_to_full_disk({"/run/net.d/my net.conflist", blue_.path()});
  EXPECT_THAT(output.err, HasSubstr("`cnitool del '/run/net.d/my net.conflist' " + blue_.path() +
                                    "` takes it away"));
  EXPECT_EQ(cnitool({"del", "mynet", blue_.path()}).status, 0);
}

TEST_F(CnitoolVerbs, NameAPluginsFileThatNobodyMayExecute) {
  tool({"mkdir", "-p", "/run/plugins"});
  for (const char* type : {"bridge", "firewall"}) {
    write_file(std::string("/run/plugins/") + type, "#!/bin/sh\n");
  }
  const Output output = cnitool({"add", "mynet", blue_.path()}, {"CNI_PATH=/run/plugins"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("failed to find plugin \"bridge\" in path [/run/plugins]: "
                                    "/run/plugins/bridge isn't executable"));
}

TEST_F(CnitoolVerbs, DoTheSameInTheProcess) {
  const Snapshot before = snapshot();
  const Output added = cnitool({"add", "--in-process", "mynet", blue_.path()});
  ASSERT_EQ(added.status, 0) << added.str();
  EXPECT_EQ(added.json().at("ips").at(0).at("address"), "10.7.0.2/24");
  for (const char* verb : {"check", "status", "del"}) {
    const Output output = cnitool({verb, "--in-process", "mynet", blue_.path()});
    EXPECT_EQ(output.status, 0) << verb << output.str();
    EXPECT_EQ(output.out + output.err, "") << verb;
  }
  EXPECT_EQ(difference(without_link(before, "cni0"), without_link(snapshot(), "cni0")), "");
}

/// Inline, and an administrator's chain: the executable's alone, in either way of working.
TEST_F(CnitoolVerbs, RunAMemberThatIsAListItself) {
  Sandbox::keep_etc();
  Json chain = list();
  chain.erase("name");
  write_file("/etc/unicni/chains/web.yaml", chain.dump());
  Json wrapped = list();
  wrapped["name"] = "web";
  wrapped["plugins"] = Json::array({{{"type", "unicni"}, {"chain", "web"}}});
  put("20-web.conflist", wrapped);
  Json nested = list();
  nested["name"] = "nested";
  nested["plugins"] = Json::array({{{"type", "unicni"}, {"plugins", list()["plugins"]}}});
  put("30-nested.conflist", nested);
  const Snapshot before = snapshot();
  for (const std::string network : {"web", "nested"}) {
    for (const char* way : {"--exec", "--in-process"}) {
      SCOPED_TRACE(network + ' ' + way);
      const Output added = cnitool({"add", way, network, blue_.path()});
      ASSERT_EQ(added.status, 0) << added.str();
      EXPECT_EQ(added.json().at("ips").size(), 1U);
      for (const char* verb : {"check", "status", "del"}) {
        const Output output = cnitool({verb, way, network, blue_.path()});
        EXPECT_EQ(output.status, 0) << verb << output.str();
        EXPECT_EQ(output.out + output.err, "") << verb;
      }
    }
    const Output valid = cnitool({"validate", std::string(kNetworks) + "/20-web.conflist"});
    EXPECT_EQ(valid.status, 0) << valid.str();
  }
  std::filesystem::remove_all("/run/unicni/compiled");  // stays for the next ADD
  EXPECT_EQ(difference(without_link(before, "cni0"), without_link(snapshot(), "cni0")), "");
}

TEST_F(CnitoolVerbs, FindModulesForTheProcessByLinksOfTheirNamesAlone) {
  std::filesystem::create_directory("/run/links");
  for (const char* type : {"bridge", "firewall", "host-local"}) {
    std::filesystem::create_symlink(bin_dir() + "/unicni", std::string("/run/links/") + type);
  }
  const Output output =
      cnitool({"add", "--in-process", "--timing", "mynet", blue_.path()}, {"CNI_PATH=/run/links"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.err, AllOf(HasSubstr("\n1      bridge "), Not(HasSubstr("process "))));
}

TEST_F(CnitoolVerbs, CallTheContainerByTheNamespacesPath) {
  cnitool({"add", "mynet", "/var/run/netns/blue"});
  EXPECT_THAT(results(), ElementsAre(std::string("mynet-") + kBlueId + "-eth0"));
  EXPECT_EQ(cnitool({"del", "mynet", "/var/run//netns/blue"}).status, 0);
  EXPECT_THAT(results(), IsEmpty());
}

TEST_F(CnitoolVerbs, TakeAnotherIdAndInterface) {
  EXPECT_EQ(cnitool({"add", "-i", "net1", "--container-id", "c1", "mynet", blue_.path()}).status,
            0);
  EXPECT_EQ(cnitool({"add", "mynet", blue_.path()}, {"CNI_IFNAME=net2"}).status, 0);
  EXPECT_EQ(cnitool({"add", "--ifname=net3", "mynet", blue_.path()}, {"CNI_IFNAME=net4"}).status,
            0);
  EXPECT_THAT(link_names(blue_.fd()), ElementsAre("net1", "net2", "net3"));
  EXPECT_EQ(cnitool({"check", "-i", "net1", "--container-id", "c1", "mynet", blue_.path()}).status,
            0);
  EXPECT_EQ(cnitool({"check", "-i", "net1", "mynet", blue_.path()}).status, 1)
      << "another container";
}

TEST_F(CnitoolVerbs, TakeAFileForTheNetwork) {
  write_file("/run/elsewhere.conf", list()["plugins"][0].dump());
  EXPECT_EQ(cnitool({"add", "/run/elsewhere.conf", blue_.path()}).status, 1) << "it has no name";
  Json named = list()["plugins"][0];
  named["name"] = "elsewhere";
  named["cniVersion"] = "1.0.0";
  write_file("/run/elsewhere.conf", named.dump());
  const Output output = cnitool({"add", "/run/elsewhere.conf", blue_.path()});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("cniVersion"), "1.0.0");
}

TEST_F(CnitoolVerbs, CheckFailsIfTheAttachmentIsNotWhatItWas) {
  cnitool({"add", "mynet", blue_.path()});
  blue_.run({"ip", "addr", "flush", "dev", "eth0"});
  const Output output = cnitool({"check", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, AllOf(StartsWith("cnitool: bridge: "), HasSubstr("10.7.0.2")));
}

TEST_F(CnitoolVerbs, CheckFailsWithoutAnAttachment) {
  const Output output = cnitool({"check", "mynet", "/var/run/netns/blue"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.err, std::string("cnitool: mynet/") + kBlueId +
                            "/eth0 is not attached\n  the cache has no result of an ADD\n");
}

TEST_F(CnitoolVerbs, AResultThatCannotBeReadIsNoAbsence) {
  cnitool({"add", "mynet", blue_.path()});
  ASSERT_EQ(results().size(), 1U);
  write_file("/var/lib/cni/results/" + results().front(), "{");
  const Output output = cnitool({"check", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, AllOf(HasSubstr("can't be read in /var/lib/cni/results: "),
                                HasSubstr("run DEL and then ADD"), Not(HasSubstr("attached"))));
}

TEST_F(CnitoolVerbs, DelSaysInJsonWhatItDetached) {
  cnitool({"add", "mynet", blue_.path()});
  const Output output = cnitool({"del", "--json", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("attachment").at("network"), "mynet");
  EXPECT_THAT(results(), IsEmpty());
}

TEST_F(CnitoolVerbs, AWarningInAListOfOneProcessNamesItsPlugin) {
  Json config = list();
  config["plugins"][1]["bakend"] = "nftables";
  config["plugins"] = {{{"type", "unicni"}, {"plugins", config["plugins"]}}};
  put("10-mynet.conflist", config);
  EXPECT_THAT(cnitool({"add", "mynet", blue_.path()}).err,
              HasSubstr("unicni firewall: warning: unknown key \"bakend\" is ignored"));
}

TEST_F(CnitoolVerbs, StatusFailsWithWhatThePluginSays) {
  Recorder recorder("remember");
  put("10-mynet.conflist", recorded());
  recorder.answer("STATUS", R"({"cniVersion":"1.1.0","code":50,"msg":"no addresses are left"})", 1);
  const Output output = cnitool({"status", "mynet", "x"}, {"CNI_PATH=" + recorder.folder()});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("remember: no addresses are left"));
}

TEST_F(CnitoolVerbs, StatusIsSilentBeforeItsVersion) {
  Recorder recorder("remember");
  put("10-mynet.conflist", recorded("1.0.0"));
  recorder.answer("STATUS", "", 1);
  EXPECT_EQ(cnitool({"status", "mynet", "x"}, {"CNI_PATH=" + recorder.folder()}).status, 0);
  EXPECT_THAT(recorder.calls(), IsEmpty());
}

TEST_F(CnitoolVerbs, VersionTellsWhatEachPluginSupports) {
  Recorder recorder("remember");
  Json config = list();
  config["plugins"].push_back({{"type", "remember"}});
  put("10-mynet.conflist", config);
  recorder.answer("VERSION", R"({"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0"]})");
  const Output output =
      cnitool({"version", "--json", "mynet"}, {"CNI_PATH=" + bin_dir() + ":" + recorder.folder()});
  EXPECT_EQ(output.status, 1) << "remember doesn't support the network's";
  const Json plugins = output.json().at("plugins");
  EXPECT_EQ(plugins.at(0).at("type"), "bridge");
  EXPECT_EQ(plugins.at(0).at("versions"), Json(kVersions));
  EXPECT_EQ(plugins.at(0).at("supports_network"), true);
  EXPECT_EQ(plugins.at(2).at("versions"), Json({"0.4.0", "1.0.0"}));
  EXPECT_EQ(plugins.at(2).at("supports_network"), false);
}

TEST_F(CnitoolVerbs, VersionDoesNotNeedANamespace) {
  const Output output = cnitool({"version", "mynet"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.out, HasSubstr("\nfirewall  0.1.0, 0.2.0,"));
  EXPECT_EQ(cnitool({"version", "mynet", "some", "more"}).status, 0);
}

TEST_F(CnitoolVerbs, TimingOfProcessesIsThatOfTheMembers) {
  const Output output = cnitool({"add", "--timing", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_TRUE(output.json().contains("ips")) << "stdout has the result and nothing else";
  EXPECT_THAT(output.err, AllOf(StartsWith("cnitool: each plugin is a process, of which only the "
                                           "whole time is known"),
                                HasSubstr("\n1      bridge    process         1  "),
                                HasSubstr("\n2      firewall  process         1  "),
                                HasSubstr("\n-      -         the whole verb  1  ")));
}

TEST_F(CnitoolVerbs, TimingInTheProcessIsThatOfTheirPhases) {
  const Output output = cnitool({"add", "--in-process", "--timing", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 0) << output.str();
  for (const char* line :
       {"1      bridge    load ", "1      bridge    validate ", "1      bridge    netlink ",
        "1      bridge    ipam ", "2      firewall  load ", "2      firewall  nft "}) {
    EXPECT_THAT(output.err, HasSubstr(std::string("\n") + line));
  }
  EXPECT_THAT(output.err, Not(HasSubstr("process ")));
}

TEST_F(CnitoolVerbs, TimingIsToldOfAFailureToo) {
  const Output output = cnitool({"check", "--timing", "mynet", blue_.path()});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, AllOf(HasSubstr("the whole verb"), EndsWith("result of an ADD\n")));
}

TEST_F(CnitoolVerbs, ADryRunOnlySaysWhatWouldBeCalled) {
  const Snapshot before = snapshot();
  for (const char* verb : {"add", "del"}) {
    const Output output = cnitool({verb, "--dry-run", "--json", "mynet", "/var/run/netns/blue"});
    EXPECT_EQ(output.status, 0) << output.str();
    EXPECT_EQ(output.json().at("attachment"), Json({{"network", "mynet"},
                                                    {"container_id", kBlueId},
                                                    {"ifname", "eth0"},
                                                    {"netns", "/var/run/netns/blue"},
                                                    {"cni_version", "1.1.0"},
                                                    {"plugins", {"bridge", "firewall"}}}));
  }
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(results(), IsEmpty());
}

TEST_F(CnitoolVerbs, FindPluginsInThePathAlone) {
  std::filesystem::create_directory("/run/links");
  std::filesystem::create_symlink(bin_dir() + "/unicni", "/run/links/bridge");
  for (const char* verb : {"add", "del", "gc"}) {
    const Output output =
        cnitool({verb, "mynet", blue_.path()}, {"CNI_PATH=/run/nothing:/run/links"});
    EXPECT_EQ(output.status, 1) << verb;
    EXPECT_THAT(output.err, StartsWith("cnitool: firewall: failed to find plugin \"firewall\" in "
                                       "path [/run/nothing /run/links]\n"));
  }
  std::filesystem::create_symlink(bin_dir() + "/unicni", "/run/links/unicni");
  EXPECT_EQ(cnitool({"add", "mynet", blue_.path()}, {"CNI_PATH=/run/links"}).status, 0)
      << "which has them all";
}

TEST_F(CnitoolVerbs, ADryRunOfAddFailsIfAPluginIsNotThere) {
  const Output output =
      cnitool({"add", "--dry-run", "mynet", blue_.path()}, {"CNI_PATH=/run/nothing"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("bridge: failed to find plugin \"bridge\" in path "
                                    "[/run/nothing]"));
}

}  // namespace
}  // namespace unicni::test::cnitool_verbs_test
