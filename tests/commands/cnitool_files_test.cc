// cnitool validate and networks.
#include "cnitool.h"

namespace unicni::test::cnitool_files_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class CnitoolFiles : public CnitoolTest {
 protected:
  /// The entries of "files" or "networks".
  static Json entries(const Output& output) {
    const Json document = output.json();
    return document.is_object() ? document.front() : Json::array();
  }
};

TEST_F(CnitoolFiles, AreValidIfTheirPluginsAreThere) {
  put("10-mynet.conflist", list());
  const Output output = cnitool({"validate", "--json", "/run/net.d/10-mynet.conflist"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(entries(output), Json({{{"path", "/run/net.d/10-mynet.conflist"},
                                    {"network", "mynet"},
                                    {"verdict", "valid"},
                                    {"problem", nullptr},
                                    {"warnings", Json::array()},
                                    {"capabilities", Json::array()}}}));
}

TEST_F(CnitoolFiles, AreInvalidEachForItsReason) {
  put("10-good.conflist", list());
  Json absent = list();
  absent["plugins"][0]["type"] = "brige";
  put("20-absent.conflist", absent);
  Json no_ipam = list();
  no_ipam["plugins"][0]["ipam"]["type"] = "nowhere";
  put("30-ipam.conflist", no_ipam);
  write_file("/run/net.d/40-broken.conf", "{");
  const Output output = cnitool({"validate", "--json", "/run/net.d/10-good.conflist",
                                 "/run/net.d/20-absent.conflist", "/run/net.d/30-ipam.conflist",
                                 "/run/net.d/40-broken.conf", "/run/net.d/50-none.conf"});
  EXPECT_EQ(output.status, 1);
  const Json files = entries(output);
  ASSERT_EQ(files.size(), 5U) << output.str();
  EXPECT_EQ(files.at(0).at("verdict"), "valid");
  const std::vector<std::string> problems = {
      "brige: failed to find plugin \"brige\"", "bridge: failed to find plugin \"nowhere\"",
      "/run/net.d/40-broken.conf", "/run/net.d/50-none.conf"};
  for (std::size_t i = 0; i < problems.size(); ++i) {
    EXPECT_EQ(files.at(i + 1).at("verdict"), "invalid");
    EXPECT_THAT(files.at(i + 1).at("problem"), HasSubstr(problems[i]));
  }
  EXPECT_EQ(files.at(3).at("network"), nullptr);
}

TEST_F(CnitoolFiles, AreInvalidByValuesThatAnAddWouldRefuse) {
  Json wrong = list();
  wrong["plugins"][0]["mtu"] = "abc";
  put("10-mtu.conflist", wrong);
  Json wrong_ipam = list();
  wrong_ipam["plugins"][0]["ipam"]["subnet"] = "10.7.0.0/99";
  put("20-ipam.conflist", wrong_ipam);
  const Output output =
      cnitool({"validate", "--json", "/run/net.d/10-mtu.conflist", "/run/net.d/20-ipam.conflist"});
  EXPECT_EQ(output.status, 1);
  const Json files = entries(output);
  ASSERT_EQ(files.size(), 2U) << output.str();
  EXPECT_EQ(files.at(0).at("verdict"), "invalid");
  EXPECT_THAT(files.at(0).at("problem"), HasSubstr("mtu"));
  EXPECT_EQ(files.at(1).at("verdict"), "invalid");
  EXPECT_THAT(files.at(1).at("problem"), HasSubstr("subnet"));
}

TEST_F(CnitoolFiles, AreWarnedOfForKeysThatNobodyKnows) {
  Json config = list();
  config["plugins"][0]["mttu"] = 1400;
  config["plugins"][0]["ipam"]["subnett"] = "10.8.0.0/24";
  put("10-mynet.conflist", config);
  const Output output = cnitool({"validate", "--json", "/run/net.d/10-mynet.conflist"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_EQ(output.err, "");
  const Json warnings = entries(output).at(0).at("warnings");
  ASSERT_EQ(warnings.size(), 2U) << output.str();
  EXPECT_THAT(warnings.at(0), AllOf(StartsWith("bridge: "), HasSubstr("mttu")));
  EXPECT_THAT(warnings.at(1), AllOf(StartsWith("host-local: "), HasSubstr("subnett")));
}

TEST_F(CnitoolFiles, WithoutANameAreForWhoExecutesThePlugin) {
  write_file("/run/net.d/99-loopback.conf", R"({"cniVersion": "0.2.0", "type": "loopback"})");
  const Output output = cnitool({"validate", "--json", "/run/net.d/99-loopback.conf"});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(entries(output).at(0).at("problem"),
              AllOf(HasSubstr("missing network name"), HasSubstr("executes the plugin itself")));
}

TEST_F(CnitoolFiles, HaveTheCapabilitiesThatTheirPluginsAskFor) {
  Json config = list();
  config["plugins"].push_back({{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}});
  put("10-mynet.conflist", config);
  const Output output = cnitool({"validate", "--json", "/run/net.d/10-mynet.conflist"});
  EXPECT_EQ(entries(output).at(0).at("capabilities"), Json({"portMappings"})) << output.str();
}

TEST_F(CnitoolFiles, AreReadWithoutPluginsIfThereIsNoPath) {
  Json config = list();
  config["plugins"][0]["type"] = "nowhere";
  put("10-mynet.conflist", config);
  const Output output =
      cnitool({"validate", "--json", "/run/net.d/10-mynet.conflist"}, {"CNI_PATH="});
  EXPECT_EQ(output.status, 0);
  EXPECT_THAT(output.err, HasSubstr("CNI_PATH is not set"));
  EXPECT_EQ(entries(output).at(0).at("verdict"), "valid");
}

TEST_F(CnitoolFiles, AreListedInTheOrderOfTheSearch) {
  put("20-mynet.conflist", list());
  Json plugin = list()["plugins"][0];
  plugin["name"] = "mynet";
  plugin["cniVersion"] = "0.4.0";
  put("10-mynet.conf", plugin);
  write_file("/run/net.d/30-broken.conflist", "[]");
  const Output output = cnitool({"networks", "--json"}, {"CNI_PATH="});
  EXPECT_EQ(output.status, 1) << "one is broken";
  const Json networks = entries(output);
  ASSERT_EQ(networks.size(), 3U) << output.str();
  EXPECT_EQ(networks.at(0), Json({{"name", "mynet"},
                                  {"cni_version", "1.1.0"},
                                  {"plugins", {"bridge", "firewall"}},
                                  {"verdict", "ok"},
                                  {"reason", nullptr},
                                  {"path", "/run/net.d/20-mynet.conflist"}}));
  EXPECT_EQ(networks.at(1).at("verdict"), "broken");
  EXPECT_EQ(networks.at(1).at("name"), nullptr);
  EXPECT_EQ(networks.at(2).at("verdict"), "shadowed");
  EXPECT_EQ(networks.at(2).at("reason"), "/run/net.d/20-mynet.conflist");
}

TEST_F(CnitoolFiles, AreNotListedOfAFile) {
  write_file("/run/net.conf", list().dump());
  for (const auto& arguments : {std::vector<std::string>{"networks"}, {"status", "mynet", "x"}}) {
    const Output output = cnitool(arguments, {"NETCONFPATH=/run/net.conf"});
    EXPECT_EQ(output.status, 1) << output.str();
    EXPECT_EQ(output.out, "");
    EXPECT_THAT(output.err, HasSubstr("/run/net.conf is no folder"));
  }
}

TEST_F(CnitoolFiles, MayBeNoneAtAll) {
  const Output output = cnitool({"networks"}, {"NETCONFPATH=/run/nothing"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.out, StartsWith("NETWORK"));
}

}  // namespace
}  // namespace unicni::test::cnitool_files_test
