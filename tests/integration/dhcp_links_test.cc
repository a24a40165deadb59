// dhcp over links of several kinds, through a relay, and with a server beside its own.
#include "integration/dhcp_host.h"
#include "support/traffic.h"

namespace unicni::test::dhcp_links_test {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kRange = "10.1.2.50,10.1.2.99,255.255.255.0,120s";
const std::vector<std::string> kRouter{"--dhcp-option=option:router,10.1.2.1"};

class DhcpLinks : public DhcpTest {
 protected:
  DhcpServer server() { return DhcpServer::dnsmasq("far", outside_.fd(), kRange, kRouter); }
  /// ADD, CHECK and DEL; what the server was asked and told, and what is left.
  void live(const Attachment& job, const DhcpServer& dnsmasq) {
    const Snapshot before = snapshot();
    const Json result = must_add(job);
    EXPECT_THAT(address_in(result), HasSubstr("10.1.2."));
    EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
    EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
    EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    EXPECT_EQ(difference(before, snapshot()), "");
  }
};

TEST_F(DhcpLinks, MacvlanOnABridge) {
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const DhcpServer dnsmasq = server();
  live(attachment(config(R"({"master": "br7"})")), dnsmasq);
}

TEST_F(DhcpLinks, AHostsDeviceGivesItsAddressBackBeforeItGoesHome) {
  const DhcpServer dnsmasq = server();
  live(attachment(config(R"({"type": "host-device", "device": "up0", "master": null})")), dnsmasq);
  EXPECT_THAT(addresses_of("up0"), IsEmpty());
}

/// Its port forwards again a moment after the interface is up.
TEST_F(DhcpLinks, AnInterfaceOfABridgeThatTheContainerTookDownGivesItsAddressBack) {
  const DhcpServer dnsmasq = server();
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const Attachment job =
      attachment(config(R"({"type": "bridge", "bridge": "br7", "master": null})"));
  for (int i = 1; i <= 12; ++i) {
    const Json result = must_add(job);
    container_of(job).run({"ip", "link", "set", "eth0", "down"});
    const bool hangs = i % 3 == 0;
    if (hangs) ::kill(dhcp_daemons()[0], SIGSTOP);
    EXPECT_TRUE(job.del(result).ok());
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == i; })) << i << dnsmasq.log();
    if (hangs) kill_dhcp_daemons();
  }
  tool({"ip", "link", "del", "br7"});
}

TEST_F(DhcpLinks, AReleaseThatCantLeaveTheHostIsNotClaimedToHaveGone) {
  const DhcpServer dnsmasq = server();
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const Attachment job =
      attachment(config(R"({"type": "bridge", "bridge": "br7", "master": null})"));
  for (const bool hangs : {false, true}) {
    for (const bool is_bridge : {false, true}) {
      const Json result = must_add(job);
      const std::string link = is_bridge ? "br7" : host_end(result);
      tool({"ip", "link", "set", link, "down"});
      if (hangs) ::kill(dhcp_daemons()[0], SIGSTOP);
      const Output deleted = job.del(result);
      EXPECT_TRUE(deleted.ok()) << deleted.str();
      EXPECT_THAT(deleted.err, HasSubstr(is_bridge ? "the bridge br7 is down" : "has no carrier"));
      EXPECT_THAT(deleted.err, ::testing::Not(HasSubstr("went back")));
      EXPECT_THAT(deleted.err, HasSubstr(address_in(result)));
      EXPECT_THAT(link_names(netns(job)), IsEmpty());
      if (hangs) kill_dhcp_daemons();
      tool({"ip", "link", "set", "br7", "up"});
    }
  }
  EXPECT_EQ(dnsmasq.count("DHCPRELEASE"), 0) << dnsmasq.log();
  tool({"ip", "link", "del", "br7"});
}

TEST_F(DhcpLinks, ABridgeThatTakesTheRoutersAddressIsWarnedOf) {
  const DhcpServer dnsmasq = server();
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const Attachment job = attachment(
      config(R"({"type": "bridge", "bridge": "br7", "isGateway": true, "master": null})"));
  const Output added = job.add();
  ASSERT_EQ(added.status, 0) << added.out;
  EXPECT_THAT(added.err,
              HasSubstr("isGateway: br7 gets 10.1.2.1, the router that the lease names"));
  expect_silent_success(job.del(Json::parse(added.out)));
}

/// The server is behind a router, which the namespace outside() is.
class DhcpRelay : public DhcpLinks {
 protected:
  DhcpRelay() {
    outside_.run(
        {"ip", "link", "add", "r0", "type", "veth", "peer", "name", "s0", "netns", behind_.path()});
    outside_.run({"ip", "link", "set", "r0", "up"});
    outside_.run({"ip", "addr", "add", "10.9.0.2/24", "dev", "r0"});
    outside_.run({"sysctl", "-qw", "net.ipv4.ip_forward=1"});
    behind_.run({"ip", "link", "set", "s0", "up"});
    behind_.run({"ip", "addr", "add", "10.9.0.1/24", "dev", "s0"});
    behind_.run({"ip", "route", "add", "10.1.2.0/24", "via", "10.9.0.2"});
  }
  Container& behind_ = container("behind");
  const Running relay_{
      Spawn{.argv = {"dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
                     "--pid-file=", "--user=root", "--dhcp-relay=10.1.2.1,10.9.0.1"},
            .netns = outside_.fd()}};
};

TEST_F(DhcpRelay, AServerBehindARouterGivesAndGetsBack) {
  const DhcpServer dnsmasq = DhcpServer::dnsmasq("s0", behind_.fd(), kRange, kRouter);
  const Attachment job = attachment(config());
  live(job, dnsmasq);
  must_add(job);
  const std::string lease = read_file(std::string(kLeases) + "/net:c1:eth0");
  EXPECT_THAT(lease, HasSubstr(" server=10.9.0.1 "));
  EXPECT_THAT(lease, HasSubstr(" relay=10.1.2.1 "));
  expect_silent_success(job.del());
}

TEST_F(DhcpRelay, ARenewalGoesToTheServerByTheContainersOwnRoutes) {
  if (!exists("/usr/sbin/dhcpd")) GTEST_SKIP() << "no isc-dhcp-server: sudo tools/setup --full";
  const DhcpServer dhcpd = DhcpServer::dhcpd("s0", behind_.fd(), "10.1.2", 4,
                                             "subnet 10.9.0.0 netmask 255.255.255.0 { }\n");
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const int acks = dhcpd.count("DHCPACK");
  EXPECT_TRUE(soon([&] { return dhcpd.count("DHCPACK") > acks; }, seconds(5))) << dhcpd.log();
  EXPECT_EQ(dhcpd.count("DHCPDISCOVER"), 1);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dhcpd.count("DHCPRELEASE") == 1; })) << dhcpd.log();
}

}  // namespace
}  // namespace unicni::test::dhcp_links_test
