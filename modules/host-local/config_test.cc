// The option table as core reads a netconf by it.
#include "config.h"

#include "fixture_for_test.h"
#include "options/parse.h"
#include "protocol/netconf.h"

namespace unicni::host_local::config_test {
namespace {

using Texts = std::vector<std::string>;

class HostLocalConfig : public ::testing::Test {
 protected:
  const HostLocalOptions& parse(const std::string& json, const char* args = "",
                                Command command = Command::add) {
    const protocol::Netconf netconf = protocol::Netconf::parse(json);
    warnings_.clear();
    parsed_ = options::parse(kHostLocalOptions, {netconf.json(), true, args, command}, warnings_);
    return *static_cast<const HostLocalOptions*>(parsed_.data());
  }
  std::vector<std::string> warnings_;
  options::Parsed parsed_;
};

TEST_F(HostLocalConfig, EveryKeyArrives) {
  const HostLocalOptions& options = parse(R"({"name":"n","type":"bridge","cniVersion":"1.1.0",
    "ipam":{"type":"host-local","subnet":"10.1.2.0/24","rangeStart":"10.1.2.10",
      "rangeEnd":"10.1.2.20","gateway":"10.1.2.254","dataDir":"/run/ipam",
      "resolvConf":"/etc/resolv.conf","routes":[{"dst":"0.0.0.0/0"},{"dst":"::/0","gw":"fd00::1"}],
      "ranges":[[{"subnet":"fd00::/64"},{"subnet":"fd00:1::/64","gateway":"fd00:1::9"}]]},
    "runtimeConfig":{"ips":["10.1.2.12/24"],"ipRanges":[[{"subnet":"10.9.0.0/16","rangeEnd":"10.9.0.9"}]]},
    "args":{"cni":{"ips":["fd00::7"]}}})",
                                          "IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.9.0.8");
  EXPECT_EQ(options.subnet, IpNet::parse("10.1.2.0/24"));
  EXPECT_EQ(options.range_start, ip("10.1.2.10"));
  EXPECT_EQ(options.range_end, ip("10.1.2.20"));
  EXPECT_EQ(options.gateway, ip("10.1.2.254"));
  EXPECT_EQ(options.data_dir, "/run/ipam");
  EXPECT_EQ(options.resolv_conf, "/etc/resolv.conf");
  ASSERT_EQ(options.routes.size(), 2U);
  EXPECT_EQ(options.routes[1].gw, ip("fd00::1"));
  ASSERT_EQ(options.ranges.size(), 1U);
  ASSERT_EQ(options.ranges[0].size(), 2U);
  EXPECT_EQ(options.ranges[0][0].subnet, IpNet::parse("fd00::/64"));
  EXPECT_EQ(options.ranges[0][1].gateway, ip("fd00:1::9"));
  ASSERT_EQ(options.runtime_ranges.size(), 1U);
  EXPECT_EQ(options.runtime_ranges[0].at(0).range_end, ip("10.9.0.9"));
  EXPECT_EQ(options.runtime_ips, Texts{"10.1.2.12/24"});
  EXPECT_EQ(options.args_ips, Texts{"fd00::7"});
  EXPECT_EQ(options.cni_args_ip, "10.9.0.8");
  EXPECT_EQ(warnings_, Texts{});
}

TEST_F(HostLocalConfig, DefaultsAndEmptyTextsOfTheReference) {
  const HostLocalOptions& options = parse(
      R"({"name":"n","ipam":{"type":"host-local","ranges":[[{"subnet":"10.1.2.0/24","gateway":"",
          "rangeStart":"","rangeEnd":null}]],"gateway":""}})");
  EXPECT_EQ(options.data_dir, kDefaultDataDir);
  EXPECT_EQ(options.resolv_conf, "");
  EXPECT_EQ(options.gateway, std::nullopt);
  ASSERT_EQ(options.ranges.size(), 1U);
  EXPECT_EQ(ipam::canonical(options.ranges[0].at(0)).gateway, ip("10.1.2.1"));
  EXPECT_EQ(options.cni_args_ip, std::nullopt);
}

TEST_F(HostLocalConfig, MisspeltKeyIsNamed) {
  parse(R"({"name":"n","ipam":{"type":"host-local","subnet":"10.1.2.0/24","rangestop":"10.1.2.9",
          "datadir":"/run/ipam"}})");
  ASSERT_EQ(warnings_.size(), 2U);
  EXPECT_NE(warnings_[0].find("rangestop"), std::string::npos);
  EXPECT_NE(warnings_[1].find("dataDir"), std::string::npos);
}

TEST_F(HostLocalConfig, RangeWithoutSubnetIsRefusedButNotOnDel) {
  const char* json =
      R"({"name":"n","ipam":{"type":"host-local","ranges":[[{"rangeStart":"10.1.2.9"}]]}})";
  const Error error = error_of([&] { parse(json); });
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_NE(error.msg().find("subnet"), std::string::npos) << error.msg();
  EXPECT_EQ(parse(json, "", Command::del).data_dir, kDefaultDataDir);
}

}  // namespace
}  // namespace unicni::host_local::config_test
