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
  const Output output =
      cnitool({"validate", "--json", "/run/net.d/10-good.conflist", "/run/net.d/20-absent.conflist",
               "/run/net.d/30-ipam.conflist", "/run/net.d/40-broken.conf",
               "/run/net.d/50-none.conf", "/dev/zero", "/run/net.d"});
  EXPECT_EQ(output.status, 1);
  const Json files = entries(output);
  ASSERT_EQ(files.size(), 7U) << output.str();
  EXPECT_EQ(files.at(0).at("verdict"), "valid");
  const std::vector<std::string> problems = {"brige: failed to find plugin \"brige\"",
                                             "bridge: failed to find plugin \"nowhere\"",
                                             "/run/net.d/40-broken.conf",
                                             "/run/net.d/50-none.conf",
                                             "/dev/zero is a device",
                                             "/run/net.d is a folder"};
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

/// A list of type unicni is read as its ADD reads it.
TEST_F(CnitoolFiles, AreInvalidByWhatStandsInAListInsideOrItsChain) {
  Sandbox::keep_etc();
  tool({"mkdir", "-p", "/etc/unicni/chains"});
  write_file("/etc/unicni/chains/broken.yaml", "plugins: [{type: bridge, mtu: x}]");
  write_file("/etc/unicni/chains/good.yaml", "plugins: [{type: bridge, mttu: 1400}]");
  const struct {
    const char* list;     ///< keys of the plugin of type unicni
    const char* problem;  ///< "": it is valid
  } rows[] = {
      {R"("plugins": [{"type": "bridge"}, {"type": "tuning"}])", ""},
      {R"("plugins": [{"type": "bridge", "mtu": "x"}])", "mtu"},
      {R"("plugins": [{"type": "bridge"}, {"type": "nosuch"}])", "\"nosuch\""},
      {R"("plugins": [{"type": "bridge", "ipam": {"type": "nosuch"}}])", "\"nosuch\""},
      {R"("plugins": [{"type": "unicni", "plugins": [{"type": "bridge"}]}])", "can't be nested"},
      {R"("plugins": [])", "plugins"},
      {R"("x": 1)", "plugins"},
      {R"("chain": "good")", ""},
      {R"("chain": "broken")", "broken.yaml:1:"},
      {R"("chain": "nowhere")", "nowhere"},
      {R"("chain": "../x")", "chain"},
  };
  std::vector<std::string> arguments{"validate", "--json"};
  for (const auto& row : rows) {
    const std::string file =
        std::string(kNetworks) + '/' + std::to_string(arguments.size()) + ".conflist";
    write_file(file, std::string(R"({"cniVersion": "1.1.0", "name": "n", "plugins": [)") +
                         R"({"type": "unicni", )" + row.list + "}]}");
    arguments.push_back(file);
  }
  const Output output = cnitool(arguments);
  EXPECT_EQ(output.status, 1);
  const Json files = entries(output);
  ASSERT_EQ(files.size(), std::size(rows)) << output.str();
  for (std::size_t i = 0; i < std::size(rows); ++i) {
    const bool is_valid = *rows[i].problem == '\0';
    EXPECT_EQ(files.at(i).at("verdict"), is_valid ? "valid" : "invalid") << files.at(i);
    if (is_valid) continue;
    EXPECT_THAT(files.at(i).at("problem").get<std::string>(), HasSubstr(rows[i].problem))
        << rows[i].list;
  }
  EXPECT_THAT(files.at(7).at("warnings").at(0), HasSubstr("mttu"));
}

/// Without flanneld only what the file names is known of flannel's delegate.
TEST_F(CnitoolFiles, AreInvalidByADelegateThatNoAddCouldUse) {
  const auto problem_of = [](const std::string& delegate) {
    write_file("/run/net.d/10-mynet.conflist",
               R"({"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "flannel", )"
               R"("delegate": )" +
                   delegate + "}]}");
    const Json file =
        entries(cnitool({"validate", "--json", "/run/net.d/10-mynet.conflist"})).at(0);
    return file.at("problem").is_null() ? "" : file.at("problem").get<std::string>();
  };
  EXPECT_THAT(problem_of(R"({"type": "nosuch"})"), HasSubstr("failed to find plugin \"nosuch\""));
  EXPECT_EQ(problem_of(R"({"mtu": "x"})"), "");
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
             "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
  EXPECT_THAT(problem_of(R"({"type": "nosuch"})"), HasSubstr("failed to find plugin \"nosuch\""));
  EXPECT_THAT(problem_of(R"({"mtu": "x"})"), HasSubstr("mtu"));
  EXPECT_THAT(problem_of(R"({"type": "host-local"})"), HasSubstr("can't do the work of flannel"));
  EXPECT_EQ(problem_of(R"({"mtu": 1400})"), "");
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
