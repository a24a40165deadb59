#include "unicni/link_module.h"

#include <gtest/gtest.h>

#include "link_module/configure.h"
#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/link_options.h"

namespace unicni::link_module_test {
namespace {

/// A module that supplies nothing: what is left is the skeleton.
class Bare final : public LinkModule {
 public:
  bool options_seen = false;
  bool ipam_needed = false;
  std::optional<Result> others;

 protected:
  const char* container_kind() const override { return "veth"; }
  bool needs_ipam() const override { return ipam_needed; }
  std::optional<Result> addresses(const Call&) const override { return others; }
  void validate_options(const Call&) override { options_seen = true; }
  MadeLink create_link(LinkAdd&) override {
    ADD_FAILURE() << "validate() must not act";
    return {};
  }
  void check_link(const Call&, Host&, const net::Link&) override {}
  std::optional<Dns> dns(const Call&) const override { return dns_; }

 private:
  std::optional<Dns> dns_;
};

Call call(Command command, const char* version, const char* ipam) {
  Call made;
  made.command = command;
  made.spec_version = version;
  made.ipam_type = ipam;
  return made;
}

unsigned refusal(const Call& made) {
  try {
    Bare().validate(made);
    return 0;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(LinkModule, AnInterfaceWithoutAddressesIsRefusedWhereNoResultCanTellOfIt) {
  EXPECT_EQ(refusal(call(Command::add, "0.1.0", "")), 7U);
  EXPECT_EQ(refusal(call(Command::add, "0.2.0", "")), 7U);
  EXPECT_EQ(refusal(call(Command::add, "0.3.0", "")), 0U);
  EXPECT_EQ(refusal(call(Command::add, "1.1.0", "")), 0U);
  EXPECT_EQ(refusal(call(Command::add, "0.2.0", "host-local")), 0U);
}

TEST(LinkModule, AddressesFromElsewhereAreAddresses) {
  Bare bare;
  bare.others.emplace();
  EXPECT_NO_THROW(bare.validate(call(Command::add, "0.2.0", "")));
}

TEST(LinkModule, AModuleThatNeedsIpamIsRefusedWithoutIt) {
  Bare bare;
  bare.ipam_needed = true;
  EXPECT_THROW(bare.validate(call(Command::add, "1.1.0", "")), Error);
  EXPECT_THROW(bare.validate(call(Command::status, "1.1.0", "")), Error);
  EXPECT_NO_THROW(bare.validate(call(Command::gc, "1.1.0", "")));
  EXPECT_NO_THROW(bare.validate(call(Command::add, "1.1.0", "static")));
}

TEST(LinkModule, CheckNeedsPrevResult) {
  Call check = call(Command::check, "1.0.0", "");
  EXPECT_EQ(refusal(check), 7U);
  check.prev_result.emplace();
  EXPECT_EQ(refusal(check), 0U);
}

TEST(LinkModule, TheModulesOwnRefusalsComeLast) {
  Bare bare;
  EXPECT_THROW(bare.validate(call(Command::add, "0.2.0", "")), Error);
  EXPECT_FALSE(bare.options_seen);
  bare.validate(call(Command::add, "1.0.0", ""));
  EXPECT_TRUE(bare.options_seen);
}

Result result_of(const std::vector<std::pair<const char*, const char*>>& ips,
                 const std::vector<std::pair<const char*, const char*>>& routes,
                 std::optional<std::uint32_t> first_scope = {}) {
  Result result;
  for (const auto& [address, gateway] : ips)
    result.ips.push_back({IpNet::parse(address).value(), IpAddress::parse(gateway), {}, {}});
  for (const auto& [dst, gw] : routes) {
    Route route;
    route.dst = IpNet::parse(dst).value();
    route.gw = IpAddress::parse(gw);
    if (result.routes.empty()) route.scope = first_scope;
    result.routes.push_back(route);
  }
  return result;
}

TEST(LinkModule, AGatewayMustBeOnTheLink) {
  using link_module::require_reachable_gateways;
  const std::vector<Result> good = {
      result_of({{"10.0.0.2/24", "10.0.0.1"}}, {{"0.0.0.0/0", ""}}),
      result_of({{"10.0.0.2/24", ""}, {"10.1.0.2/24", ""}}, {{"0.0.0.0/0", "10.1.0.1"}}),
      result_of({{"10.0.0.2/24", "192.0.2.1"}}, {}),
      result_of({{"10.0.0.2/24", ""}}, {{"0.0.0.0/0", ""}}),
      result_of({{"10.0.0.2/31", "10.0.0.3"}}, {{"0.0.0.0/0", ""}}),
      result_of({{"2001:db8::2/64", "fe80::1"}}, {{"::/0", ""}}),
      result_of({{"203.0.113.7/32", "198.51.100.1"}}, {{"198.51.100.1/32", ""}, {"0.0.0.0/0", ""}},
                253),
      // A gateway of an address is a neighbour wherever it is: the route says so (onlink).
      result_of({{"10.0.0.2/24", "192.0.2.1"}}, {{"0.0.0.0/0", ""}}),
      result_of({{"203.0.113.7/32", "198.51.100.1"}}, {{"0.0.0.0/0", ""}}),
      result_of({{"2001:db8:5:333::5/64", "2001:db8:5::1"}}, {{"::/0", ""}}),
      // 0.0.0.0 is none: what the route leads to is on the link.
      result_of({{"10.0.0.2/24", ""}}, {{"172.16.0.0/16", "0.0.0.0"}, {"0.0.0.0/0", "172.16.0.1"}}),
  };
  for (const Result& result : good) EXPECT_NO_THROW(require_reachable_gateways(result));
  const std::vector<Result> bad = {
      result_of({{"10.0.0.2/24", "10.0.0.1"}}, {{"0.0.0.0/0", "192.0.2.1"}}),
      result_of({{"10.0.0.2/24", "10.0.0.1"}}, {{"0.0.0.0/0", ""}, {"10.9.0.0/16", "10.1.0.1"}}),
      result_of({{"10.0.0.2/24", ""}, {"fd00::2/64", ""}}, {{"::/0", "fd01::1"}}),
  };
  for (const Result& result : bad) {
    try {
      require_reachable_gateways(result);
      ADD_FAILURE() << result.routes[0].dst.str();
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_NE(error.details().find("\"scope\": 253"), std::string::npos) << error.details();
    }
  }
}

TEST(LinkModule, InterfacesAreFoundByNameAndSandbox) {
  Result result;
  result.interfaces.resize(2);
  result.interfaces[0].name = "eth0";
  result.interfaces[1].name = "eth0";
  result.interfaces[1].sandbox = "/run/netns/x";
  EXPECT_EQ(find_interface(result, "eth0", ""), &result.interfaces[0]);
  EXPECT_EQ(find_interface(result, "eth0", "/run/netns/x"), &result.interfaces[1]);
  EXPECT_EQ(find_interface(result, "eth0", "/run/netns/y"), nullptr);
  EXPECT_EQ(find_interface(result, "eth1", ""), nullptr);
}

TEST(LinkModule, ARecordedMacMustBeTheKernels) {
  net::Link link;
  link.name = "eth0";
  link.mac = *Mac::parse("0a:00:00:00:00:01");
  Interface recorded;
  EXPECT_NO_THROW(require_same_mac(recorded, link)) << "nothing recorded, nothing to compare";
  recorded.mac = "0A-00-00-00-00-01";
  EXPECT_NO_THROW(require_same_mac(recorded, link));
  recorded.mac = "0a:00:00:00:00:02";
  try {
    require_same_mac(recorded, link);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.msg().find("0a:00:00:00:00:01"), std::string::npos);
    EXPECT_NE(error.msg().find("0a:00:00:00:00:02"), std::string::npos);
  }
  recorded.mac = "nonsense";
  EXPECT_THROW(require_same_mac(recorded, link), Error);
}

TEST(LinkModule, ARecordedOrConfiguredMtuMustBeTheKernels) {
  net::Link link;
  link.name = "eth0";
  link.mtu = 1400;
  Interface recorded;
  EXPECT_NO_THROW(require_same_mtu(recorded, link));
  recorded.mtu = 1400;
  EXPECT_NO_THROW(require_same_mtu(recorded, link));
  recorded.mtu = 1500;
  EXPECT_THROW(require_same_mtu(recorded, link), Error);
  EXPECT_NO_THROW(require_mtu(0, link));
  EXPECT_NO_THROW(require_mtu(1400, link));
  EXPECT_THROW(require_mtu(1500, link), Error);
}

TEST(LinkModule, InterfacesTellTheirMtuSince110) {
  Call made = call(Command::add, "1.0.0", "");
  made.key.if_name = "eth0";
  made.netns = "/run/netns/x";
  EXPECT_EQ(container_interface(made, Mac(), 1400).mtu, 0U);
  made.spec_version = "1.1.0";
  const Interface inside = container_interface(made, Mac(), 1400);
  EXPECT_EQ(inside.mtu, 1400U);
  EXPECT_EQ(inside.name, "eth0");
  EXPECT_EQ(inside.sandbox, "/run/netns/x");
  EXPECT_EQ(host_interface(made, "veth1", Mac(), 1300).sandbox, "");
}

TEST(LinkOptions, RefuseWhatNoLinkMayHave) {
  for (const char* name :
       {"", ".", "..", "a/b", "a:b", "a b", "sixteen-bytes-xx", "br%d", "a\xA0"}) {
    EXPECT_THROW(require_link_name("master", name), Error) << name;
  }
  EXPECT_THROW(require_link_name("master", std::string("br\0x", 4)), Error);
  EXPECT_NO_THROW(require_link_name("master", "eth0.100"));
  EXPECT_NO_THROW(require_interface_mac("mac", std::nullopt));
  EXPECT_NO_THROW(require_interface_mac("mac", Mac::parse("02:00:00:00:00:01")));
  EXPECT_THROW(require_interface_mac("mac", Mac()), Error);
  EXPECT_THROW(require_interface_mac("mac", Mac::parse("01:00:00:00:00:01")), Error);
  for (const std::int64_t mtu : {0, 68, 65535}) EXPECT_NO_THROW(require_mtu_range("mtu", mtu));
  for (const std::int64_t mtu : {-1, 67, 65536}) {
    EXPECT_THROW(require_mtu_range("mtu", mtu), Error) << mtu;
  }
}

}  // namespace
}  // namespace unicni::link_module_test
