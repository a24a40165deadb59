// The life of a lease after ADD, against servers with short times: renewal, rebinding, loss,
// refusal, and the daemon killed in each state.
#include <set>

#include "integration/dhcp_host.h"

namespace unicni::test::dhcp_renewal_test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DhcpRenewal : public DhcpTest {
 protected:
  void SetUp() override {
    for (const char* program : {"/usr/sbin/dhcpd", "/usr/sbin/kea-dhcp4"}) {
      if (!exists(program)) {
        GTEST_SKIP() << program << " isn't installed: sudo tools/setup --full";
      }
    }
  }
  static std::string field(const std::string& key) {
    const std::string text = read_file(std::string(kLeases) + "/net:c1:eth0");
    const std::size_t at = text.find(" " + key + "=");
    if (at == std::string::npos) return {};
    const std::size_t from = at + key.size() + 2;
    return text.substr(from, text.find(' ', from) - from);
  }
  /// An address is on the interface before its routes are, and the file says when all is.
  static bool is_applied() {
    return soon([] { return field("applying") == "0"; });
  }
  /// Of the result's "10.1.2.50/24".
  static std::string address_of(const Json& result) {
    const std::string address = address_in(result);
    return address.substr(0, address.find('/'));
  }
  DhcpServer dhcpd(int lease, const std::string& net = "10.1.2") {
    return DhcpServer::dhcpd("far", outside_.fd(), net, lease);
  }
};

TEST_F(DhcpRenewal, KeaIsAskedAtT1AndOnlyByItsOwnAddress) {
  const DhcpServer kea = DhcpServer::kea("far", outside_.fd(), "10.1.2.50 - 10.1.2.99", 8, 2, 6);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const std::string first = field("expires");
  EXPECT_TRUE(soon([&] { return field("expires") != first; }, seconds(4))) << kea.log();
  EXPECT_EQ(field("address"), address_in(result));
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
  expect_silent_success(job.check(result));
  // Between exchanges no socket is open there.
  EXPECT_TRUE(soon([&] { return !daemon_listens_in(netns(job)); }));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpRenewal, DhcpdIsAskedAtT1) {
  const DhcpServer server = dhcpd(4);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_TRUE(soon([&] { return server.count("DHCPACK") >= 3; }, seconds(8))) << server.log();
  EXPECT_EQ(server.count("DHCPDISCOVER"), 1);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPRELEASE") == 1; })) << server.log();
}

TEST_F(DhcpRenewal, ADaemonThatIsStartedAgainRenewsWithinASecond) {
  const DhcpServer server = dhcpd(4);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::this_thread::sleep_for(milliseconds(2500));  // T1 has passed
  const int acks = server.count("DHCPACK");
  expect_silent_success(job.check(result));
  EXPECT_TRUE(soon([&] { return server.count("DHCPACK") > acks; }, milliseconds(1000)))
      << server.log();
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
}

TEST_F(DhcpRenewal, ANewServerWithTheOldLeasesAnswersTheRebinding) {
  std::optional<DhcpServer> server = dhcpd(8);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  server.reset();
  // The old one's address is gone, so only a broadcast can find the new one.
  outside_.run({"ip", "addr", "del", "10.1.2.1/24", "dev", "far"});
  outside_.run({"ip", "addr", "add", "10.1.2.2/24", "dev", "far"});
  server = dhcpd(8);
  EXPECT_TRUE(soon([&] { return field("server") == "10.1.2.2"; }, seconds(10))) << server->log();
  EXPECT_EQ(field("address"), address_in(result));
  expect_silent_success(job.check(result));
}

TEST_F(DhcpRenewal, AnAddressWhoseTimeIsOverIsTakenAwayAndComesBackWithItsRoutes) {
  std::optional<DhcpServer> server = dhcpd(3);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const auto routes = routes_of(netns(job));
  server.reset();
  EXPECT_TRUE(soon([&] { return addresses_of("eth0", netns(job)).empty(); }, seconds(6)));
  EXPECT_TRUE((*find_link("eth0", netns(job)))["operstate"] != "DOWN");
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("is lost"));
  kill_dhcp_daemons();
  expect_error(job.check(result));
  server = dhcpd(3);
  EXPECT_TRUE(soon([&] { return !addresses_of("eth0", netns(job)).empty(); }, seconds(15)))
      << server->log();
  EXPECT_EQ(routes_of(netns(job)), routes);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpRenewal, TheCheckThatStartsADeadDaemonIsToldThatTheLeaseIsOver) {
  std::optional<DhcpServer> server = dhcpd(3);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  server.reset();
  std::this_thread::sleep_for(milliseconds(3100));
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("is lost"));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpRenewal, AnAddressWhoseTimeIsOverIsTakenAwayWhereItsFileCantBeWritten) {
  std::optional<DhcpServer> server = dhcpd(3);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  {
    const ReadOnlyLeases full;
    server.reset();
    EXPECT_TRUE(soon([&] { return addresses_of("eth0", netns(job)).empty(); }, seconds(6)));
    EXPECT_EQ(field("address"), address_in(result));
  }
  EXPECT_TRUE(soon([] { return field("address").empty(); }, seconds(12))) << "the file follows";
  expect_silent_success(job.del(result));
}

TEST_F(DhcpRenewal, ANetworkThatGotOtherAddressesMovesTheInterface) {
  std::optional<DhcpServer> server = dhcpd(8);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  server.reset();
  // This server answers nobody who names an address that it doesn't know.
  outside_.run({"ip", "addr", "flush", "dev", "far"});
  outside_.run({"ip", "addr", "add", "10.1.3.1/24", "dev", "far"});
  server = dhcpd(8, "10.1.3");
  EXPECT_TRUE(soon(
      [&] {
        const auto now = addresses_of("eth0", netns(job));
        return now.size() == 1 && now[0].starts_with("10.1.3.");
      },
      seconds(12)))
      << server->log();
  EXPECT_TRUE(is_applied());
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.3.1", "10.1.3.0/24"));
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "addr", "flush", "dev", "eth0"});
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("has for it by now, is missing"));
  expect_silent_success(job.del(result));
}

/// To its server it is who it was. An address that it gets anew goes to another MAC than it names.
TEST_F(DhcpRenewal, AnInterfaceThatTuningGaveAnotherMacKeepsItsLease) {
  std::optional<DhcpServer> server = dhcpd(6);
  const Attachment job = attachment(config());
  Attachment tuning = job;
  tuning.config = {{"cniVersion", "1.1.0"},
                   {"name", "net"},
                   {"type", "tuning"},
                   {"mac", "02:00:00:00:77:01"},
                   {"prevResult", must_add(job)}};
  const Json result = must_add(tuning);
  const std::string first = field("expires");
  EXPECT_TRUE(soon([&] { return field("expires") != first; }, seconds(5))) << server->log();
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
  expect_silent_success(job.check(result));
  expect_silent_success(tuning.check(result));
  server.reset();
  outside_.run({"ip", "addr", "flush", "dev", "far"});
  outside_.run({"ip", "addr", "add", "10.1.3.1/24", "dev", "far"});
  server = dhcpd(6, "10.1.3");
  EXPECT_TRUE(soon([&] { return field("address").starts_with("10.1.3."); }, seconds(12)))
      << server->log();
  EXPECT_TRUE(is_applied());
  expect_silent_success(tuning.del(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return server->count("DHCPRELEASE") == 1; })) << server->log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(DhcpRenewal, ANamespaceThatEndsIsForgottenAtTheNextRenewal) {
  const DhcpServer server = dhcpd(4);
  const Attachment job = attachment(config());
  must_add(job);
  container_of(job).remove();
  EXPECT_TRUE(soon([] { return files_in(kLeases).empty(); }, seconds(6)));
}

/// A GC gives leases back and takes links away although the daemon doesn't answer. Nobody renews
/// them, whatever becomes of the daemon.
TEST_F(DhcpRenewal, LeasesThatAGcCollectedUnderAHungDaemonAreNotRenewed) {
  for (const int fate : {SIGCONT, SIGKILL}) {
    SCOPED_TRACE(fate == SIGCONT ? "it goes on" : "another one is started");
    const DhcpServer server = dhcpd(6);
    std::vector<Attachment> collected;
    for (int i = 0; i < 3; ++i) {
      collected.push_back(attachment(config(), "c" + std::to_string(fate * 10 + i)));
      must_add(collected.back());
    }
    ASSERT_THAT(dhcp_daemons(), SizeIs(1));
    ::kill(dhcp_daemons()[0], SIGSTOP);
    EXPECT_TRUE(collected[0].gc(Json::array()).ok());
    for (const Attachment& job : collected) EXPECT_THAT(link_names(netns(job)), IsEmpty());
    const int asked = server.count("DHCPREQUEST");
    ::kill(dhcp_daemons()[0], fate);
    const Attachment next = attachment(config(), "next" + std::to_string(fate));
    const Json result = must_add(next);
    EXPECT_TRUE(soon([&] { return files_in(kLeases).size() == 1; }, seconds(6)))
        << files_in(kLeases).size();
    EXPECT_EQ(server.count("DHCPREQUEST for " + address_of(result)),
              server.count("DHCPREQUEST") - asked)
        << server.log();
    expect_silent_success(next.check(result));
    expect_silent_success(next.del(result));
    expect_silent_success(next.gc(Json::array()));
    EXPECT_THAT(files_in(kLeases), IsEmpty());
  }
}

TEST_F(DhcpRenewal, ADaemonWhoseSocketWasRemovedEndsWhenAnotherHasItsPlace) {
  const DhcpServer server = dhcpd(6);
  const Attachment job = attachment(config());
  must_add(job);
  const std::vector<int> first = dhcp_daemons();
  std::filesystem::remove(kDhcpSocket);
  expect_silent_success(job.del());
  const Json result = must_add(job);
  EXPECT_TRUE(soon([&] { return dhcp_daemons().size() == 1; }, seconds(6))) << "at its T1";
  EXPECT_NE(dhcp_daemons(), first);
  EXPECT_TRUE(exists(kDhcpSocket));
  EXPECT_EQ(field("address"), address_in(result));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpRenewal, AnotherInterfaceUnderTheNameIsNotTouched) {
  const DhcpServer server = dhcpd(4);
  const Attachment job = attachment(config());
  must_add(job);
  container_of(job).run({"ip", "link", "del", "eth0"});
  container_of(job).run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other"});
  EXPECT_TRUE(soon([] { return files_in(kLeases).empty(); }, seconds(6)));
  EXPECT_THAT(addresses_of("eth0", netns(job)), IsEmpty());
}

TEST_F(DhcpRenewal, TwoServersOnOneWireGiveOneAddress) {
  const DhcpServer first =
      DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  Container& second = container("second");
  tool({"ip", "link", "add", "m1", "link", "up0", "type", "macvlan", "mode", "bridge"});
  tool({"ip", "link", "set", "m1", "netns", second.path()});
  second.run({"ip", "link", "set", "m1", "up"});
  second.run({"ip", "addr", "add", "10.1.2.2/24", "dev", "m1"});
  const DhcpServer other = DhcpServer::dhcpd("m1", second.fd(), "10.1.2", 60);
  std::set<std::string> addresses;
  for (int i = 0; i < 5; ++i) {
    const Attachment job = attachment(config(), "c" + std::to_string(i));
    const Json result = must_add(job);
    addresses.insert(address_in(result));
    expect_silent_success(job.check(result));
  }
  EXPECT_THAT(addresses, SizeIs(5));
}

TEST_F(DhcpRenewal, ARefusalByAnotherServerOnTheWireMovesTheInterface) {
  std::optional<DhcpServer> first = dhcpd(6);
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  Container& beside = container("beside");
  tool({"ip", "link", "add", "m1", "link", "up0", "type", "macvlan", "mode", "bridge"});
  tool({"ip", "link", "set", "m1", "netns", beside.path()});
  beside.run({"ip", "link", "set", "m1", "up"});
  beside.run({"ip", "addr", "add", "10.1.3.1/24", "dev", "m1"});
  const DhcpServer second =
      DhcpServer::dnsmasq("m1", beside.fd(), "10.1.3.50,10.1.3.99,255.255.255.0,120s",
                          {"--dhcp-authoritative", "--dhcp-option=option:router,10.1.3.1"});
  first.reset();
  EXPECT_TRUE(soon([&] { return second.count("DHCPNAK") >= 1; }, seconds(10))) << second.log();
  EXPECT_TRUE(soon([&] {
    const auto now = addresses_of("eth0", netns(job));
    return now.size() == 1 && now[0].starts_with("10.1.3.");
  })) << second.log();
  EXPECT_TRUE(is_applied());
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.3.1", "10.1.3.0/24"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return second.count("DHCPRELEASE") == 1; })) << second.log();
}

TEST_F(DhcpRenewal, TheDaemonMayDieAtAnyMomentOfAnAdd) {
  const DhcpServer server = dhcpd(60);
  for (int delay = 0; delay < 120; delay += 6) {
    SCOPED_TRACE(delay);
    const std::string name = "c" + std::to_string(delay);
    const Attachment job = attachment(config(), name);
    Running add(job.spawn("ADD", job.config));
    std::this_thread::sleep_for(milliseconds(delay));
    kill_dhcp_daemons();
    const Output output = add.wait();
    ASSERT_TRUE(output.ok()) << output.str();
    const Json result = output.json();
    EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(files_in(kLeases), IsEmpty());
  }
}

}  // namespace
}  // namespace unicni::test::dhcp_renewal_test
