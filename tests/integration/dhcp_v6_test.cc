// DHCPv6 beside DHCPv4 against dnsmasq: what ADD, CHECK and DEL do with both families.
#include <algorithm>

#include "integration/dhcp_v6_host.h"
#include "support/traffic.h"

namespace unicni::test::dhcp_v6_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class DhcpV6 : public DhcpV6Test {
 protected:
  /// Whether somebody has an address of that result.
  bool answers(const Json& result) {
    return std::any_of(result["ips"].begin(), result["ips"].end(), [&](const Json& ip) {
      const std::string address = ip["address"];
      return pings(outside_.fd(), address.substr(0, address.find('/')));
    });
  }
};

TEST_F(DhcpV6, AnInterfaceGetsAddressesOfBothFamiliesAndGivesThemBack) {
  const DhcpServer server =
      dnsmasq({"--dhcp-option=option:router,10.1.2.1", "--dhcp-option=6,10.1.2.3",
               "--dhcp-option=119,example.org", "--dhcp-option=option6:dns-server,[2001:db8:1::53]",
               "--dhcp-option=option6:domain-search,example.org,six.example.org"});
  const Snapshot before = snapshot();
  const Attachment job = attachment(config_v6());
  const Json result = must_add(job);
  const std::string six = address_v6_in(result);
  EXPECT_THAT(six, StartsWith("2001:db8:1::"));
  EXPECT_THAT(six, ::testing::EndsWith("/128"));
  EXPECT_FALSE(result["ips"][1].contains("gateway"));
  EXPECT_EQ(result["ips"][1]["interface"], 0);
  EXPECT_EQ(result["routes"], Json::parse(R"([{"dst": "0.0.0.0/0", "gw": "10.1.2.1"}])"));
  EXPECT_EQ(result["dns"], Json::parse(R"({"nameservers": ["10.1.2.3", "2001:db8:1::53"],
    "search": ["example.org", "six.example.org"]})"));
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), six));
  EXPECT_EQ(server.count("DHCPSOLICIT"), 1) << "the link-local address was ready: " << server.log();
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:c1:eth0"));
  EXPECT_EQ(field("v6.address"), six);
  expect_silent_success(job.check(result));
  EXPECT_EQ(server.count("DHCPRELEASE"), 0);
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(DhcpV6, WhatADaemonThatHangsHoldsTheVerbGivesBack) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  ::kill(dhcp_daemons()[0], SIGSTOP);
  const Output deleted = job.del(result);
  EXPECT_TRUE(deleted.ok()) << deleted.str();
  EXPECT_THAT(deleted.err, HasSubstr(address_in(result) + " and " + address_v6_in(result)));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpV6, AServersMtuThatIPv6CantHaveIsNotSet) {
  const DhcpServer server = dnsmasq({"--dhcp-option=26,1000"});
  for (const char* ipv6 : {"on", "required"}) {
    const Attachment job = attachment(config_v6(ipv6), ipv6);
    const Output added = job.add();
    ASSERT_TRUE(added.ok()) << added.str();
    EXPECT_THAT(added.err, HasSubstr("MTU of 1000 is too small for IPv6, which needs 1280"));
    const Json result = Json::parse(added.out);
    EXPECT_EQ(result["interfaces"][0]["mtu"], 1280);
    EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
  }
  const Attachment four = attachment(config());
  EXPECT_EQ(must_add(four)["interfaces"][0]["mtu"], 1000);
}

/// The kernel makes itself an address of a router's prefix, which a smaller MTU would take.
TEST_F(DhcpV6, AServersMtuTakesNoAddressOfARouterAway) {
  const DhcpServer server = DhcpServer::dnsmasq(
      "far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s",
      {"--dhcp-range=2001:db8:1::,ra-only,64,120s", "--enable-ra", "--dhcp-option=26,1000"});
  const Attachment job = attachment(config_v6("on"));
  const Output added = job.add();
  ASSERT_TRUE(added.ok()) << added.str();
  const Json result = Json::parse(added.out);
  EXPECT_EQ(result["ips"].size(), 1U);
  EXPECT_THAT(added.err, HasSubstr("MTU of 1000 is too small for IPv6, which needs 1280"));
  EXPECT_EQ(result["interfaces"][0]["mtu"], 1280);
  EXPECT_TRUE(soon([&] { return global_addresses(job).size() == 2; }));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpV6, RoutesComeFromTheRoutersAdvertisements) {
  const DhcpServer server = dnsmasq({"--enable-ra"});
  const Attachment job = attachment(config_v6());
  const Json result = must_add(job);
  const auto routes = [&] { return tool({"ip", "-6", "route"}, netns(job)).out; };
  EXPECT_TRUE(soon([&] { return routes().find("default via fe80:") != std::string::npos; }))
      << routes() << server.log();
  EXPECT_THAT(routes(), HasSubstr("2001:db8:1::/64 dev eth0 proto kernel"));
  EXPECT_TRUE(pings(netns(job), "2001:db8:1::1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpV6, APodThatComesAgainUnderItsNameHasItsAddressAgain) {
  const DhcpServer server = dnsmasq();
  Json named = config_v6("required", R"({"ipam": {"clientId": "pod-${K8S_POD_NAME}"}})");
  Attachment first = attachment(named, "c1");
  first.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAME=db-0";
  const std::string six = address_v6_in(must_add(first));
  expect_silent_success(first.del());
  must_add(attachment(config_v6(), "between"));
  Attachment again = attachment(named, "c2");
  again.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAME=db-0";
  EXPECT_EQ(address_v6_in(must_add(again)), six);
}

/// The container's end was told nobody. The client is the one that it was, so the server has no two
/// leases of it.
TEST_F(DhcpV6, AContainerIdThatComesAgainHasOneLeaseOfEachFamily) {
  const DhcpServer server = dnsmasq();
  const auto leases_of_server = [] {
    const std::string text = read_file("/run/dnsmasq-far.leases");
    // Beside them there is the line of its DUID.
    return std::count(text.begin(), text.end(), '\n') - 1;
  };
  for (const bool is_gone : {true, false}) {
    SCOPED_TRACE(is_gone ? "its namespace ended" : "its namespace is still there");
    const Attachment first = attachment(config_v6("required"), is_gone ? "c1" : "c2");
    const Json before = must_add(first);
    const int lost = is_gone ? -1 : ::dup(netns(first));
    container_of(first).remove();
    containers_.remove_if([&](const Container& each) { return each.path() == first.netns; });
    // The kernel takes its links down when it has the time.
    if (is_gone) {
      EXPECT_TRUE(soon([&] { return !answers(before); }));
    }
    const Attachment second = attachment(config_v6("required"), first.container_id);
    const Json result = must_add(second);
    // Where the earlier interface still answers for the address, it is declined.
    EXPECT_EQ(address_v6_in(result) == address_v6_in(before), is_gone) << server.log();
    EXPECT_THAT(global_addresses(second), ElementsAre(address_in(result), address_v6_in(result)));
    EXPECT_THAT(files_in(kLeases), SizeIs(1));
    EXPECT_EQ(field("v6.address", second.container_id), address_v6_in(result));
    EXPECT_TRUE(soon([&] { return leases_of_server() == 2; }))
        << read_file("/run/dnsmasq-far.leases");
    expect_silent_success(second.check(result));
    expect_silent_success(second.del(result));
    EXPECT_TRUE(soon([&] { return leases_of_server() == 0; })) << server.log();
    if (lost >= 0) ::close(lost);
  }
}

TEST_F(DhcpV6, ANamespaceWithIPv6SwitchedOffGetsOneAllTheSame) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  for (const char* setting :
       {"net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"}) {
    tool({"sysctl", "-qw", setting}, netns(job));
  }
  const Json result = must_add(job);
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6, WhereIPv6IsSwitchedOffLaterCheckAndDelSayThat) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  tool({"sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"}, netns(job));
  EXPECT_THAT(expect_error(job.check(result))["msg"].get<std::string>(),
              HasSubstr("IPv6 is switched off on eth0"));
  const Output output = job.del(result);
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("IPv6 is switched off on eth0"));
}

TEST_F(DhcpV6, WithoutAServerOnWarnsAndGoesWithout) {
  const DhcpServer server = dnsmasq_v4();
  const Attachment job = attachment(config_v6("on"));
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err,
              HasSubstr("no IPv6 address from DHCP for eth0: no DHCPv6 server answered"));
  const Json result = output.json();
  EXPECT_THAT(result["ips"], SizeIs(1));
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result)));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 1; }));
}

TEST_F(DhcpV6, WithoutAServerRequiredFailsInTimeAndGivesIPv4Back) {
  const DhcpServer server = dnsmasq_v4();
  must_add(attachment(config(R"({"name": "other", "ipam": null})"), "first"));  // journals' folder
  const Snapshot before = snapshot();
  const Attachment job = attachment(config_v6("required", R"({"ipam": {"timeout": 2}})"));
  const Output output = job.add();
  const Json error = expect_error(output, 11);
  EXPECT_LT(output.ms, 8000);
  EXPECT_THAT(error["msg"].get<std::string>(),
              HasSubstr("no IPv6 address from DHCP for eth0: no DHCPv6 server answered"));
  EXPECT_THAT(error["details"].get<std::string>(), HasSubstr("DHCPv6 server"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 1; })) << server.log();
}

TEST_F(DhcpV6, WithoutIPv4IPv6DoesNotHelpAndGoesBack) {
  const DhcpServer server =
      DhcpServer::dnsmasq("far", outside_.fd(), "2001:db8:1::50,2001:db8:1::99,64,120s");
  const Attachment job = attachment(config_v6("on", R"({"ipam": {"timeout": 1}})"));
  const Json error = expect_error(job.add(), 11);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("no DHCP server answered"));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 1; })) << server.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpV6, TheDaemonHoldsNothingOfContainersBetweenExchanges) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  must_add(job);
  EXPECT_TRUE(soon([&] { return !daemon_listens_in(netns(job)); }));
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(dhcp_daemons()[0]) + "/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    EXPECT_EQ(target.find("net:"), std::string::npos) << target;
  }
}

TEST_F(DhcpV6, ADeadDaemonIsStartedToReleaseBoth) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  kill_dhcp_daemons();
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
}

TEST_F(DhcpV6, WithTheServerGoneDelEndsAllTheSame) {
  std::optional<DhcpServer> server = dnsmasq();
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  server.reset();
  const Output del = job.del(result);
  expect_silent_success(del);
  EXPECT_LT(del.ms, 2000);
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(DhcpV6, TheDaemonMayDieAtAnyMomentOfAnAdd) {
  const DhcpServer server = dnsmasq();
  for (int delay = 0; delay < 160; delay += 8) {
    SCOPED_TRACE(delay);
    const Attachment job = attachment(config_v6("required"), "c" + std::to_string(delay));
    Running add(job.spawn("ADD", job.config));
    std::this_thread::sleep_for(milliseconds(delay));
    kill_dhcp_daemons();
    const Output output = add.wait();
    ASSERT_TRUE(output.ok()) << output.str();
    const Json result = output.json();
    EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(files_in(kLeases), IsEmpty());
  }
}

TEST_F(DhcpV6, DelReleasesBothByALinkThatTheContainerHasTakenDown) {
  const DhcpServer server = dnsmasq();
  const Attachment job = attachment(config_v6());
  const Json result = must_add(job);
  container_of(job).run({"ip", "link", "set", "eth0", "down"});
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
}

TEST_F(DhcpV6, GcReleasesBothFamiliesOfWhatIsNotListed) {
  const DhcpServer server = dnsmasq();
  const Attachment kept = attachment(config_v6(), "kept");
  must_add(kept);
  must_add(attachment(config_v6(), "gone"));
  std::filesystem::remove_all(kJournals);  // so that the module itself is what collects
  expect_silent_success(kept.gc(Json::array({valid_entry(kept)})));
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:kept:eth0"));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 2; })) << server.log();
}

}  // namespace
}  // namespace unicni::test::dhcp_v6_test
