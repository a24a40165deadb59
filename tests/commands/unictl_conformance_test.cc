// unictl conformance.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.h"
#include "support/recorder.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_conformance_test {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

class UnictlConformance : public ::testing::Test {
 protected:
  /// It makes namespaces of its own, in which /run is empty but for the plugin's folder.
  static Output conformance(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "conformance");
    return command("unictl", arguments);
  }
  static Json ids_found(const Output& output) {
    Json ids = Json::array();
    const Json report = output.json();
    for (const Json& finding : report.at("findings")) ids.push_back(finding.at("id"));
    return ids;
  }

  Sandbox sandbox_;
};

/// It answers VERSION as it should, and knows nothing else.
constexpr const char* kBarePlugin = R"(#!/bin/sh
[ "$CNI_COMMAND" = VERSION ] || { echo '{"code": 100, "msg": "no"}'; exit 1; }
echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.0.0", "1.1.0"]}'
)";

TEST_F(UnictlConformance, AnInstalledPluginNeedsItsTypeAlone) {
  const Output output = conformance({"static", "--id", "VERN-01,DEL-02", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  const Json plugin = output.json().at("plugin");
  EXPECT_EQ(plugin.at("path"), bin_dir() + "/static");
  EXPECT_EQ(plugin.at("passed"), 2);
  EXPECT_EQ(plugin.at("violated"), 0);
  EXPECT_EQ(plugin.at("verdict"), "conforming");
  EXPECT_EQ(output.json().at("checks")[0].at("ids"), "VERN-01");
}

TEST_F(UnictlConformance, AViolatedMustIsAFailure) {
  install_script("/run/plugins/bare", kBarePlugin);
  write_file("/run/bare.conf", R"({"name": "n", "type": "bare"})");
  const Output output = conformance(
      {"/run/plugins/bare", "--conf", "/run/bare.conf", "--id", "VERN-02,STAT-01", "--json"});
  EXPECT_EQ(output.status, 1) << output.str();
  EXPECT_EQ(ids_found(output), Json::array({"VERN-02", "STAT-01"}));
  EXPECT_EQ(output.json().at("plugin").at("verdict"), "not conforming");
}

TEST_F(UnictlConformance, WhatIsOnlyRecommendedIsNoFailure) {
  install_script("/run/plugins/bare", kBarePlugin);
  write_file("/run/bare.conf", R"({"name": "n", "type": "bare"})");
  const Output output =
      conformance({"/run/plugins/bare", "--conf", "/run/bare.conf", "--id", "EXEC-10", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(ids_found(output), Json::array({"EXEC-10"}));
}

TEST_F(UnictlConformance, AMemberOfAListIsCalledAsItStandsThere) {
  write_file("/run/net.conflist", R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
    {"type": "bridge", "bridge": "b0"}, {"type": "tuning", "mtu": 1400}]})");
  const Output output =
      conformance({"tuning", "--conf", "/run/net.conflist", "--id", "PREV-03", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("plugin").at("passed"), 1);
}

/// Delegates are found too.
TEST_F(UnictlConformance, AModuleIsHeldToItByItsFile) {
  const Output output =
      conformance({stage() + "/lib/unicni/modules/ptp.so", "--id", "VERN-04,CONF-02", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  const Json plugin = output.json().at("plugin");
  EXPECT_THAT(plugin.at("path").get<std::string>(), EndsWith("/ptp"));
  EXPECT_EQ(plugin.at("passed"), 2);
  EXPECT_FALSE(exists(plugin.at("path"))) << "its folder goes again";
}

TEST_F(UnictlConformance, PoliciesOfTheHostDoNotCount) {
  Sandbox::keep_etc();
  write_file("/etc/unicni/policy.d/p.yaml", "rules: [{deny: nobody gets a network}]");
  const Output output = conformance({"loopback", "--id", "ADD-01,DEL-02,STAT-01", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("plugin").at("violated"), 0);
}

TEST_F(UnictlConformance, WritesAJunitReport) {
  const Output output = conformance({"static", "--id", "VERN-01,ADD-01", "--junit", "/run/r.xml"});
  EXPECT_EQ(output.status, 0) << output.str();
  const std::string report = read_file("/run/r.xml");
  EXPECT_THAT(report, HasSubstr(R"(tests="2" failures="0" errors="0" skipped="1")"));
  EXPECT_THAT(report, HasSubstr(R"(<property name="verdict" value="conforming"/>)"));
  EXPECT_THAT(report, HasSubstr("VERSION needs no variable but CNI_COMMAND"));
}

TEST_F(UnictlConformance, ItsHelpSaysWhatItsStatusMeans) {
  const Output output = conformance({"--help"});
  EXPECT_THAT(output.out, HasSubstr("exit status:"));
  EXPECT_THAT(output.out, HasSubstr("3                       Undecided"));
}

TEST_F(UnictlConformance, AUserNamespaceIsEnough) {
  const Output output = run({.argv = {"unshare", "-Urnm", stage() + "/bin/unictl", "conformance",
                                      "static", "--id", "DEL-02"},
                             .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  EXPECT_EQ(output.status, 0) << output.str();
}

TEST_F(UnictlConformance, APluginThatPrintsWithoutEndIsStopped) {
  write_file("/run/w/flood", "#!/bin/sh\nexec yes\n", 0755);
  write_file("/run/w/conf", R"({"name": "net", "type": "flood"})");
  const Output output =
      conformance({"/run/w/flood", "--conf", "/run/w/conf", "--id", "VERN-01", "--json"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.out, HasSubstr("it printed without end and was killed"));
}

TEST_F(UnictlConformance, WhatAPluginTakesToSayItsVersionsIsOfTheSameTime) {
  write_file("/run/w/hang", "#!/bin/sh\nexec sleep 1000\n", 0755);
  write_file("/run/w/conf", R"({"name": "net", "type": "hang"})");
  const Output output = conformance(
      {"/run/w/hang", "--conf", "/run/w/conf", "--id", "VERN-01", "--time-limit", "1", "--json"});
  EXPECT_EQ(output.status, 3);
  EXPECT_THAT(output.out, HasSubstr("the time for all checks was up"));
  EXPECT_EQ(output.json().at("plugin").at("verdict"), "undecided");
  EXPECT_EQ(output.json().at("plugin").at("versions"), Json::array());
}

TEST_F(UnictlConformance, ACallThatHangsIsEndedAtItsLimit) {
  const std::string hanging = "#!/bin/sh\n[ \"$CNI_COMMAND\" = STATUS ] && exec sleep 1000\n";
  write_file("/run/w/hang", hanging + kBarePlugin, 0755);
  write_file("/run/w/conf", R"({"name": "net", "type": "hang"})");
  const Output output = conformance(
      {"/run/w/hang", "--conf", "/run/w/conf", "--id", "VERN-01", "--call-limit", "1", "--json"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(ids_found(output), Json::array({"EXEC-21"}));
  EXPECT_THAT(output.out, HasSubstr("STATUS: no answer within 1 s"));
}

TEST_F(UnictlConformance, WhatIsNoPluginIsToldWithWhatToDo) {
  write_file("/run/w/conf", R"({"name": "net", "type": "x"})");
  write_file("/run/w/plain", "#!/bin/sh\n", 0644);
  write_file("/run/w/text", "no program", 0755);
  tool({"ln", "-s", "/nowhere/x", "/run/w/link"});
  const std::pair<const char*, const char*> files[] = {{"/run/w", "is a folder"},
                                                       {"/run/w/plain", "chmod +x /run/w/plain"},
                                                       {"/run/w/link", "is a link to /nowhere/x"},
                                                       {"/run/w/text", "Exec format error"}};
  for (const auto& [file, problem] : files) {
    const Output output = conformance({file, "--conf", "/run/w/conf"});
    EXPECT_EQ(output.status, 2) << file;
    EXPECT_THAT(output.err, HasSubstr(problem));
  }
}

/// The configuration is that of the plugin that calls it.
TEST_F(UnictlConformance, AnIpamPluginIsFoundInTheListOfWhoCallsIt) {
  write_file("/run/net.conflist", R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
    {"type": "bridge", "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}}]})");
  const Output output =
      conformance({"host-local", "--conf", "/run/net.conflist", "--id", "IPAM-01", "--json"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.json().at("plugin").at("passed"), 1);
}

TEST_F(UnictlConformance, DelegatesAreFoundInCniPath) {
  write_file("/run/others/delegate", "#!/bin/sh\necho '{\"cniVersion\": \"1.1.0\"}'\n", 0755);
  write_file("/run/w/meta", R"(#!/bin/sh
IFS=:
for folder in $CNI_PATH; do [ -x "$folder/delegate" ] && exec "$folder/delegate"; done
exit 1
)",
             0755);
  write_file("/run/w/conf", R"({"name": "net", "type": "meta"})");
  const std::vector<std::string> arguments = {"conformance", "/run/w/meta", "--conf",
                                              "/run/w/conf", "--id",        "OUT-01"};
  EXPECT_EQ(command("unictl", arguments).status, 3);
  const Output output = command("unictl", arguments, {"CNI_PATH=/nowhere:/run/others"});
  EXPECT_EQ(output.status, 0) << output.str();
}

TEST_F(UnictlConformance, AConfigurationThatIsNoFileOrEndsNeverIsNamed) {
  tool({"mkfifo", "/run/fifo"});
  write_file("/run/large", std::string(2 << 20, ' '));
  const std::pair<const char*, const char*> files[] = {
      {"/dev/zero", "/dev/zero is a device"},
      {"/run", "/run is a folder"},
      {"/run/large", "/run/large has more than 1048576 bytes"},
      {"/run/none", "there is no file /run/none"}};
  for (const char* option : {"--conf", "--profile"}) {
    for (const auto& [file, problem] : files) {
      const Output output = conformance({"static", option, file});
      EXPECT_EQ(output.status, 2) << file;
      EXPECT_THAT(output.err, HasSubstr(problem));
    }
  }
}

/// As a shell makes of --conf <(command).
TEST_F(UnictlConformance, AConfigurationMayComeThroughAPipe) {
  const Output output =
      run({.argv = {"bash", "-c",
                    "exec \"$0\" conformance static --id VERN-01 --conf <(sleep 0.2; echo "
                    "'{\"name\": \"n\", \"type\": \"x\", \"ipam\": {\"type\": \"static\"}}')",
                    stage() + "/bin/unictl"},
           .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  EXPECT_EQ(output.status, 0) << output.str();
}

TEST_F(UnictlConformance, WrongIdsAndPluginsThatAreNotThereAreTold) {
  const Output id = conformance({"static", "--id", "NOPE-01"});
  EXPECT_EQ(id.status, 2);
  EXPECT_THAT(id.err, HasSubstr("NOPE-01"));
  const Output plugin = conformance({"nobody-has-this"});
  EXPECT_EQ(plugin.status, 2);
  EXPECT_THAT(plugin.err, HasSubstr("nobody-has-this"));
  install_script("/run/plugins/bare", kBarePlugin);
  const Output unknown = conformance({"/run/plugins/bare"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_THAT(unknown.err, HasSubstr("--conf"));
}

}  // namespace
}  // namespace unicni::test::unictl_conformance_test
