#include "plan.h"

#include <map>

#include "fixture_for_test.h"

namespace unicni::host_local::plan_test {
namespace {

class PlanTest : public HostLocalTest {
 protected:
  [[nodiscard]] std::string sets() const {
    std::string text;
    for (const ipam::RangeSet& set : range_sets(call)) text += ipam::describe(set) + ' ';
    return text;
  }
  [[nodiscard]] std::string wanted() const {
    std::string text;
    for (const auto& each : wanted_addresses(options, range_sets(call))) {
      text += (each ? each->str() : "-") + std::string(" ");
    }
    return text;
  }
  [[nodiscard]] Error wanted_refusal() const {
    return error_of([&] { static_cast<void>(wanted_addresses(options, range_sets(call))); });
  }
};

TEST_F(PlanTest, RuntimeRangesComeFirstThenTheFlatOne) {
  options.ranges = {{subnet("10.0.3.0/30")}};
  options.subnet = IpNet::parse("10.0.2.0/30");
  options.range_start = ip("10.0.2.2");
  options.runtime_ranges = {{subnet("10.0.1.0/30")}};
  EXPECT_EQ(sets(), "10.0.1.1-10.0.1.2 10.0.2.2-10.0.2.2 10.0.3.1-10.0.3.2 ");
}

TEST_F(PlanTest, FlatRangeNeedsASubnet) {
  options.range_start = ip("10.0.2.2");
  options.gateway = ip("10.0.2.1");
  EXPECT_EQ(sets(), "");
}

TEST_F(PlanTest, OldVersionsTakeOneSetAFamily) {
  options.ranges = {{subnet("10.0.1.0/24")}, {subnet("2001:db8::/64")}};
  for (const char* version : {"", "0.1.0", "0.2.0"}) {
    call.spec_version = version;
    EXPECT_EQ(range_sets(call).size(), 2U);
  }
  for (const std::string family : {"10.0.2.0/24", "2001:db8:1::/64"}) {
    options.ranges = {{subnet("10.0.1.0/24")}, {subnet("2001:db8::/64")}, {subnet(family)}};
    call.spec_version = "0.2.0";
    const Error error = error_of([&] { static_cast<void>(range_sets(call)); });
    EXPECT_TRUE(error.is(Code::invalid_config));
    EXPECT_EQ(error.msg(), "CNI version 0.2.0 does not support more than 1 address per family");
    call.spec_version = "0.3.0";
    EXPECT_EQ(range_sets(call).size(), 3U);
  }
}

TEST_F(PlanTest, WantedAddressesComeFromThreeSourcesInOrder) {
  options.ranges = {{subnet("10.0.1.0/24")}, {subnet("10.0.2.0/24")}, {subnet("2001:db8::/64")}};
  EXPECT_EQ(wanted(), "- - - ");
  options.runtime_ips = {"2001:db8::5/64"};
  options.args_ips = {"10.0.2.9/24", "::ffff:10.0.2.9"};
  options.cni_args_ip = "10.0.1.7";
  EXPECT_EQ(wanted(), "10.0.1.7 10.0.2.9 2001:db8::5 ");
}

TEST_F(PlanTest, WantedAddressThatFitsNoSetIsRefused) {
  options.ranges = {{subnet("10.0.1.0/24")}};
  options.args_ips = {"10.0.1.7", "10.0.1.8", "10.9.9.9"};
  const Error error = wanted_refusal();
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_EQ(error.msg(), "failed to allocate all requested IPs: 10.0.1.8 10.9.9.9");
  EXPECT_NE(error.details().find("10.0.1.1-10.0.1.254"), std::string::npos);
}

TEST_F(PlanTest, GatewayCanNotBeWanted) {
  options.ranges = {{subnet("10.0.1.0/24")}};
  options.runtime_ips = {"10.0.1.1"};
  EXPECT_EQ(wanted_refusal().msg(),
            "failed to allocate for range 0: requested ip 10.0.1.1 is subnet's gateway");
}

TEST_F(PlanTest, TextThatIsNoAddressIsRefused) {
  options.ranges = {{subnet("10.0.1.0/24")}};
  options.runtime_ips = {"10.0.1.300"};
  EXPECT_EQ(wanted_refusal().msg(), "invalid IP address 10.0.1.300 in \"runtimeConfig.ips\"");
  options.args_ips = {"10.0.1.3/99"};
  EXPECT_EQ(wanted_refusal().msg(), "invalid IP address 10.0.1.3/99 in \"args.cni.ips\"");
  options.cni_args_ip = "x";
  EXPECT_EQ(wanted_refusal().msg(),
            "ARGS: error parsing value of pair \"IP=x\": invalid IP address x");
  EXPECT_TRUE(wanted_refusal().is(Code::invalid_environment));
  options.cni_args_ip = "";
  EXPECT_TRUE(wanted_refusal().is(Code::invalid_environment));
}

TEST_F(PlanTest, DataDirMustBeAbsoluteAndStraight) {
  const std::string nul_inside("/var\0/lib", 9);
  for (const std::string& bad :
       {std::string("var/lib"), std::string("."), std::string("/var/../etc"),
        std::string("/var/lib/.."), std::string("/a\nb"), nul_inside}) {
    options.data_dir = bad;
    EXPECT_TRUE(error_of([&] {
                  static_cast<void>(host_local::data_dir(options, {}));
                }).is(Code::invalid_config))
        << bad;
  }
  options.data_dir = "/var/..lib/x..";
  EXPECT_EQ(host_local::data_dir(options, {}), "/var/..lib/x..");
  options.data_dir = "";
  EXPECT_EQ(host_local::data_dir(options, {}), "/var/lib/cni/networks");
  const Folders other{.cni_state = "/srv/cni"};
  EXPECT_EQ(host_local::data_dir(options, other), "/srv/cni/networks");
  options.data_dir = kDefaultDataDir;
  EXPECT_EQ(host_local::data_dir(options, other), "/srv/cni/networks")
      << "the default, written out";
}

TEST(HostLocalTable, HasTheKeysOfTheReferenceAndItsOwn) {
  std::map<std::string, OptionSource> keys;
  for (std::size_t i = 0; i < kHostLocalOptions.count; ++i) {
    const Option& row = kHostLocalOptions.rows[i];
    keys.emplace(row.key + std::string(row.source == OptionSource::args_cni ? " (args)" : ""),
                 row.source);
  }
  EXPECT_EQ(keys, (std::map<std::string, OptionSource>{
                      {"ranges", OptionSource::config},
                      {"subnet", OptionSource::config},
                      {"rangeStart", OptionSource::config},
                      {"rangeEnd", OptionSource::config},
                      {"gateway", OptionSource::config},
                      {"routes", OptionSource::config},
                      {"exclude", OptionSource::config},
                      {"quarantine", OptionSource::config},
                      {"sticky", OptionSource::config},
                      {"dataDir", OptionSource::config},
                      {"resolvConf", OptionSource::config},
                      {"ipRanges", OptionSource::runtime_config},
                      {"ips", OptionSource::runtime_config},
                      {"ips (args)", OptionSource::args_cni},
                      {"IP", OptionSource::cni_args},
                  }));
}

}  // namespace
}  // namespace unicni::host_local::plan_test
