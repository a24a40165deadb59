// dhcp over links that the host's kernel may lack.
#include "integration/dhcp_v6_host.h"
#include "integration/uplink.h"
#include "support/traffic.h"

namespace unicni::test::dhcp_link_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DhcpLink : public DhcpTest {
 protected:
  DhcpServer server(const std::string& link) {
    return DhcpServer::dnsmasq(link, outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  }
  Json must_live(const Attachment& job) {
    Json result = must_add(job);
    EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
    EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
    expect_silent_success(job.check(result));
    return result;
  }
  void must_end(const Attachment& job, const Json& result) {
    expect_silent_success(job.del(result));
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
  }
};

/// They share a MAC, so the client identifier alone tells them apart.
TEST_F(DhcpLink, InterfacesOfIpvlanGetAnAddressEach) {
  const DhcpServer dnsmasq = server("far");
  const Attachment first = attachment(config(R"({"type": "ipvlan"})"), "c1");
  const Attachment second = attachment(config(R"({"type": "ipvlan"})"), "c2");
  const Json one = must_live(first);
  const Json two = must_live(second);
  EXPECT_NE(address_in(one), address_in(two));
  EXPECT_EQ(one["interfaces"][0]["mac"], two["interfaces"][0]["mac"]);
  must_end(first, one);
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_TRUE(pings(netns(second), "10.1.2.1"));
  must_end(second, two);
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 2; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

class DhcpV6Link : public DhcpV6Test {};

/// What is made of the MAC alone, they would have in common: DUID, IAID and link-local address.
TEST_F(DhcpV6Link, InterfacesOfIpvlanAreTwoClients) {
  const DhcpServer server = dnsmasq();
  const Attachment first = attachment(config_v6("required", R"({"type": "ipvlan"})"), "c1");
  const Attachment second = attachment(config_v6("required", R"({"type": "ipvlan"})"), "c2");
  const Json one = must_add(first);
  const Json two = must_add(second);
  EXPECT_EQ(one["interfaces"][0]["mac"], two["interfaces"][0]["mac"]);
  EXPECT_NE(address_v6_in(one), address_v6_in(two));
  EXPECT_NE(field("v6.duid", "c1"), field("v6.duid", "c2"));
  const auto reaches = [&](const Attachment& job) {
    tool({"ip", "-6", "route", "replace", "2001:db8:1::/64", "dev", "eth0"}, netns(job));
    return pings(netns(job), "2001:db8:1::1");
  };
  EXPECT_TRUE(reaches(first));
  EXPECT_TRUE(reaches(second));
  expect_silent_success(first.check(one));
  expect_silent_success(first.del(one));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
  EXPECT_TRUE(reaches(second)) << "its address was not given back";
  expect_silent_success(second.check(two));
  expect_silent_success(second.del(two));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 4; })) << server.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpLink, TheServerOfAVlanIsAsked) {
  outside_.run({"ip", "addr", "flush", "dev", "far"});
  outside_.run({"ip", "link", "add", "link", "far", "name", "far.7", "type", "vlan", "id", "7"});
  outside_.run({"ip", "addr", "add", "10.1.2.1/24", "dev", "far.7"});
  outside_.run({"ip", "link", "set", "far.7", "up"});
  const DhcpServer dnsmasq = server("far.7");
  const Attachment job = attachment(config(R"({"type": "vlan", "vlanId": 7})"));
  const Json result = must_live(job);
  EXPECT_EQ(kind_data("eth0", netns(job))["id"], 7);
  must_end(job, result);
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
}

}  // namespace
}  // namespace unicni::test::dhcp_link_test
