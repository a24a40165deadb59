// The life of an IPv6 lease against Kea, whose times are short and whose refusals have their words:
// renewal, rebinding, loss, duplicates.
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include "integration/dhcp_v6_host.h"
#include "support/traffic.h"

namespace unicni::test::dhcp_v6_renewal_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPool = "2001:db8:1::50 - 2001:db8:1::99";

class DhcpV6Renewal : public DhcpV6Test {
 protected:
  void SetUp() override {
    if (!exists("/usr/sbin/kea-dhcp6")) {
      GTEST_SKIP() << "/usr/sbin/kea-dhcp6 isn't installed: sudo tools/setup --full";
    }
  }
  DhcpServer kea(int lease, int t1, int t2, const std::string& pool = kPool,
                 const Json& more = Json::object(), const std::string& name = "01") {
    return DhcpServer::kea6("far", outside_.fd(), pool, lease, t1, t2, more, name);
  }
  /// The servers' machine has that address of the pool itself.
  void take_already(const std::string& address) {
    outside_.run({"ip", "addr", "add", address + "/64", "dev", "far", "nodad"});
  }
  static int heard(const DhcpServer& server, const std::string& type) {
    int count = 0;
    for (const char* number : {"1", "3", "5", "6", "8", "9"}) {
      count += server.count(": " + type + " (type " + number + ") received");
    }
    return count;
  }
  /// Of the kernel, in seconds: how long new connections are made from the address, and how long it
  /// stays.
  struct Lifetimes {
    std::uint32_t preferred = 0;
    std::uint32_t valid = 0;
  };
  Lifetimes lifetimes(const Attachment& job) {
    const Json links =
        tool_json({"ip", "-6", "-j", "addr", "show", "dev", "eth0", "scope", "global"}, netns(job));
    const Json address = links.at(0).at("addr_info").at(0);
    return {address.at("preferred_life_time"), address.at("valid_life_time")};
  }
  static constexpr std::uint32_t kForEver = 0xffffffff;

  DhcpServer v4_ = dnsmasq_v4();  // for the other half
};

TEST_F(DhcpV6Renewal, KeaGivesAndTakesBack) {
  const DhcpServer server = kea(60, 20, 40);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  EXPECT_EQ(address_v6_in(result), "2001:db8:1::50/128");
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), "2001:db8:1::50/128"));
  EXPECT_EQ(result["dns"]["nameservers"], Json::parse(R"(["2001:db8:1::53"])"));
  EXPECT_EQ(result["dns"]["search"], Json::parse(R"(["six.example.org"])"));
  EXPECT_EQ(heard(server, "SOLICIT"), 1);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCP6_RELEASE_NA ") == 1; })) << server.log();
}

TEST_F(DhcpV6Renewal, ARapidCommitSparesTheRequest) {
  const DhcpServer server = kea(60, 20, 40, kPool, {{"rapid-commit", true}});
  must_add(attachment(config_v6("required")));
  EXPECT_EQ(heard(server, "REQUEST"), 0) << server.log();
}

TEST_F(DhcpV6Renewal, TheServerIsAskedAtT1AndTheAddressStays) {
  const DhcpServer server = kea(8, 2, 6);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  const std::string first = field("v6.expires");
  EXPECT_TRUE(soon([&] { return field("v6.expires") != first; }, seconds(5))) << server.log();
  EXPECT_EQ(field("v6.address"), address_v6_in(result));
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
  expect_silent_success(job.check(result));
  EXPECT_TRUE(soon([&] {
    return tool({"ss", "-unap"}, netns(job)).out.find("dhcp") == std::string::npos;
  })) << "between exchanges no socket is open there";
  expect_silent_success(job.del(result));
}

TEST_F(DhcpV6Renewal, WhatTheContainerDoesWithItsNetworkHoldsNoRenewal) {
  const DhcpServer server = kea(6, 1, 4);
  const auto live = [&](const char* name) {
    Attachment job = attachment(config_v6("required"), name);
    must_add(job);
    return job;
  };
  const Attachment taken = live("taken");
  const Attachment guarded = live("guarded");
  const Attachment renamed = live("renamed");
  int port = -1;
  std::thread([&] {
    ASSERT_EQ(::setns(netns(taken), CLONE_NEWNET), 0);
    port = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(546);
    EXPECT_EQ(::bind(port, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  }).join();
  container_of(guarded).run({"nft",
                             "add table inet f; add chain inet f in { type filter hook input "
                             "priority 0; policy drop; }; add rule inet f in ct state "
                             "established accept; add rule inet f in meta l4proto "
                             "ipv6-icmp accept"});
  container_of(renamed).run({"ip", "link", "set", "eth0", "down"});
  container_of(renamed).run({"ip", "link", "set", "eth0", "name", "wan0"});
  container_of(renamed).run({"ip", "link", "set", "wan0", "up"});
  std::this_thread::sleep_for(seconds(8));  // longer than a lease
  for (const Attachment* job : {&taken, &guarded, &renamed}) {
    EXPECT_THAT(tool({"ip", "-6", "addr", "show", "scope", "global"}, netns(*job)).out,
                HasSubstr("2001:db8:1::"))
        << job->container_id;
  }
  ::close(port);
}

TEST_F(DhcpV6Renewal, ARenewalLengthensHowLongTheKernelPrefersTheAddress) {
  const DhcpServer server = kea(20, 2, 16);
  const Attachment job = attachment(config_v6("required"));
  must_add(job);
  EXPECT_EQ(lifetimes(job).preferred, kForEver);
  const auto is_renewed = [&] {
    const Lifetimes now = lifetimes(job);
    return now.preferred >= 19 && now.preferred <= 20;
  };
  EXPECT_TRUE(soon(is_renewed, seconds(4))) << server.log();
  EXPECT_TRUE(soon([&] { return !is_renewed(); }, seconds(4)));
  EXPECT_TRUE(soon(is_renewed, seconds(4))) << server.log();
  EXPECT_EQ(lifetimes(job).valid, kForEver);
}

TEST_F(DhcpV6Renewal, AnAddressThatNobodyRenewsStaysWithoutBeingPreferred) {
  std::optional<DhcpServer> server = kea(60, 1, 30, kPool, {{"preferred-lifetime", 3}});
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  server.reset();
  EXPECT_TRUE(soon([&] { return lifetimes(job).preferred != kForEver; }, seconds(3)));
  kill_dhcp_daemons();
  EXPECT_TRUE(soon([&] { return lifetimes(job).preferred == 0; }, seconds(4)));
  EXPECT_EQ(lifetimes(job).valid, kForEver);
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6Renewal, ADaemonThatIsStartedAgainRenewsWithinASecond) {
  const DhcpServer server = kea(60, 2, 40);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::this_thread::sleep_for(milliseconds(2500));  // T1 has passed
  const std::string before = field("v6.expires");
  expect_silent_success(job.check(result));
  EXPECT_TRUE(soon([&] { return field("v6.expires") != before; }, milliseconds(1000)))
      << server.log();
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
}

TEST_F(DhcpV6Renewal, AServerThatHasForgottenGivesTheSameAddressAnew) {
  std::optional<DhcpServer> server = kea(60, 3, 40);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  const std::string first = field("v6.expires");
  server.reset();
  server = kea(60, 3, 40);  // its leases were in memory
  EXPECT_TRUE(soon([&] { return field("v6.expires") != first; }, seconds(45))) << server->log();
  EXPECT_THAT(global_addresses(job), ElementsAre(address_in(result), address_v6_in(result)));
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6Renewal, AnotherServerAnswersTheRebinding) {
  std::optional<DhcpServer> server = kea(30, 2, 4);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  const std::string first = field("v6.server");
  server.reset();
  server = kea(30, 2, 4, kPool, Json::object(), "02");
  EXPECT_TRUE(soon([&] { return heard(*server, "REBIND") > 0; }, seconds(10))) << server->log();
  EXPECT_TRUE(soon([&] { return field("v6.server") != first; }, seconds(20))) << server->log();
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6Renewal, AnAddressWhoseTimeIsOverIsTakenAwayAndComesBack) {
  std::optional<DhcpServer> server = kea(3, 1, 2);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  server.reset();
  EXPECT_TRUE(soon([&] { return global_addresses(job).size() == 1; }, seconds(8)));
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(),
              HasSubstr("the DHCPv6 lease of net/c1/eth0 is lost"));
  server = kea(3, 1, 2);
  EXPECT_TRUE(soon([&] { return global_addresses(job).size() == 2; }, seconds(15)))
      << server->log();
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpV6Renewal, AnAddressWhoseTimeIsOverIsTakenAwayWhereItsFileCantBeWritten) {
  std::optional<DhcpServer> server = kea(3, 1, 2);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  {
    const ReadOnlyLeases full;
    server.reset();
    EXPECT_TRUE(soon([&] { return global_addresses(job).size() == 1; }, seconds(8)));
  }
  EXPECT_TRUE(soon(
      [] {
        const std::string lease = read_file(std::string(kLeases) + "/net:c1:eth0");
        return lease.find(" v6.address=") == std::string::npos;
      },
      seconds(12)))
      << "the file follows";
  expect_silent_success(job.del(result));
}

TEST_F(DhcpV6Renewal, OneThatIsOnlyWishedForIsMissedWithAWarning) {
  std::optional<DhcpServer> server = kea(3, 1, 2);
  const Attachment job = attachment(config_v6("on"));
  const Json result = must_add(job);
  server.reset();
  EXPECT_TRUE(soon([&] { return global_addresses(job).size() == 1; }, seconds(8)));
  const Output check = job.check(result);
  EXPECT_TRUE(check.ok()) << check.str();
  EXPECT_THAT(check.err, HasSubstr("the DHCPv6 lease of net/c1/eth0 is lost"));
}

TEST_F(DhcpV6Renewal, AnEmptyPoolIsToldInTheServersWords) {
  const DhcpServer server = kea(60, 20, 40, "2001:db8:1::50 - 2001:db8:1::50");
  must_add(attachment(config_v6("required"), "c1"));
  const Attachment second = attachment(config_v6("required", R"({"ipam": {"timeout": 2}})"), "c2");
  const Json error = expect_error(second.add(), 11);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr(": NoAddrsAvail"));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("fe80::"));
}

TEST_F(DhcpV6Renewal, AnAddressThatAnotherMachineHasIsDeclined) {
  take_already("2001:db8:1::50");
  const DhcpServer server = kea(60, 20, 40);
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  EXPECT_EQ(address_v6_in(result), "2001:db8:1::51/128");
  EXPECT_EQ(heard(server, "DECLINE"), 1) << server.log();
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6Renewal, ADuplicateThatTheKernelFindsIsDeclinedInPlaceOfReleased) {
  take_already("2001:db8:1::50");
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const DhcpServer server = kea(60, 20, 40);
  const Attachment job = attachment(config_v6("required", R"({"type": "bridge", "bridge": "br7",
    "master": null, "enabledad": true, "ipam": {"arpProbe": 0}})"));
  const Json error = expect_error(job.add());
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("2001:db8:1::50/128 is a duplicate"));
  EXPECT_TRUE(soon([&] { return heard(server, "DECLINE") == 1; })) << server.log();
  EXPECT_EQ(heard(server, "RELEASE"), 0);
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::dhcp_v6_renewal_test
