// dhcp and its daemon against dnsmasq: what verbs do, and what is left.
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <list>
#include <set>
#include <sstream>

#include "integration/dhcp_host.h"
#include "support/traffic.h"

namespace unicni::test::dhcp_test {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kRange = "10.1.2.50,10.1.2.99,255.255.255.0,120s";

class Dhcp : public DhcpTest {
 protected:
  DhcpServer server(std::vector<std::string> more = {}, const char* range = kRange) {
    return DhcpServer::dnsmasq("far", outside_.fd(), range, std::move(more));
  }
};

/// A connection to the daemon by which nothing is asked.
class Silent {
 public:
  Silent() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy_n(kDhcpSocket, std::char_traits<char>::length(kDhcpSocket), address.sun_path);
    EXPECT_EQ(::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Silent() { ::close(fd_); }
  Silent(const Silent&) = delete;
  Silent& operator=(const Silent&) = delete;
  [[nodiscard]] bool has_ended() const {
    pollfd wait{fd_, POLLIN, 0};
    return ::poll(&wait, 1, 0) == 1;
  }

 private:
  int fd_;
};

TEST_F(Dhcp, AnInterfaceGetsWhatTheServerGivesAndGivesItBack) {
  const DhcpServer dnsmasq =
      server({"--dhcp-option=option:router,10.1.2.1", "--dhcp-option=6,10.1.2.3,10.1.2.4",
              "--dhcp-option=15,example.org", "--dhcp-option=119,a.example.org,example.org",
              "--dhcp-option=26,1400"});
  const Snapshot before = snapshot();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const std::string address = address_in(result);
  EXPECT_THAT(address, ::testing::StartsWith("10.1.2."));
  EXPECT_EQ(result["ips"][0]["gateway"], "10.1.2.1");
  EXPECT_EQ(result["ips"][0]["interface"], 0);
  EXPECT_EQ(result["routes"], Json::parse(R"([{"dst": "0.0.0.0/0", "gw": "10.1.2.1"}])"));
  EXPECT_EQ(result["dns"], Json::parse(R"({"domain": "example.org",
    "nameservers": ["10.1.2.3", "10.1.2.4"], "search": ["a.example.org", "example.org"]})"));
  EXPECT_EQ(result["interfaces"][0]["mtu"], 1400);
  EXPECT_EQ((*find_link("eth0", netns(job)))["mtu"], 1400);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address));
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:c1:eth0"));
  expect_silent_success(job.check(result));
  EXPECT_EQ(dnsmasq.count("DHCPRELEASE"), 0);
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_EQ(difference(before, snapshot()), "");
  expect_silent_success(job.del(result));
  EXPECT_EQ(dnsmasq.count("DHCPRELEASE"), 1);
}

TEST_F(Dhcp, ClasslessRoutesAreTheOnlyOnesAndPriorityIsTheirMetric) {
  const DhcpServer dnsmasq =
      server({"--dhcp-option=option:router,10.1.2.1", "--dhcp-option=121,10.99.0.0/16,10.1.2.9"});
  const Attachment job = attachment(config(R"({"ipam": {"priority": 77}})"));
  const Json result = must_add(job);
  EXPECT_EQ(result["routes"],
            Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "10.1.2.9", "priority": 77}])"));
  EXPECT_THAT(container_of(job).run({"ip", "route"}).out,
              HasSubstr("10.99.0.0/16 via 10.1.2.9 dev eth0 metric 77"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Dhcp, ABridgesPortIsServedAtOnce) {
  tool({"ip", "link", "add", "br7", "type", "bridge"});
  tool({"ip", "link", "set", "br7", "up"});
  tool({"ip", "link", "set", "up0", "master", "br7"});
  const DhcpServer dnsmasq = server();
  Attachment job = attachment(config(R"({"type": "bridge", "bridge": "br7", "master": null})"));
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_LT(output.ms, 4500);
  EXPECT_EQ(dnsmasq.count("DHCPDISCOVER"), 1) << dnsmasq.log();
  expect_silent_success(job.check(output.json()));
  expect_silent_success(job.del(output.json()));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }));
}

TEST_F(Dhcp, TheServerHearsNamesAndOptions) {
  const DhcpServer dnsmasq = server();
  Attachment job = attachment(config(R"({"ipam": {"clientId": "pod-${K8S_POD_NAME}",
    "vendorClass": "unicni-test",
    "provide": [{"option": "user-class", "fromArg": "CLASS"}]}})"));
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAME=db-0;CLASS=gold";
  must_add(job);
  EXPECT_THAT(dnsmasq.log(), HasSubstr("client provides name: db-0"));
  EXPECT_THAT(dnsmasq.log(), HasSubstr("vendor class: unicni-test"));
  EXPECT_THAT(dnsmasq.log(), HasSubstr("user class: gold"));
  EXPECT_THAT(read_file("/run/dnsmasq-far.leases"), HasSubstr("00:70:6f:64:2d:64:62:2d:30"));
  expect_silent_success(job.del());
}

TEST_F(Dhcp, FiftyAddsAtOnceStartOneDaemon) {
  const DhcpServer dnsmasq = server({}, "10.1.2.50,10.1.2.199,255.255.255.0,120s");
  std::vector<Attachment> jobs;
  std::list<Running> running;
  for (int i = 0; i < 50; ++i) jobs.push_back(attachment(config(), "c" + std::to_string(i)));
  for (const Attachment& job : jobs) running.emplace_back(job.spawn("ADD", job.config));
  std::set<std::string> addresses;
  for (Running& each : running) {
    const Output output = each.wait();
    ASSERT_TRUE(output.ok()) << output.str();
    addresses.insert(address_in(output.json()));
  }
  EXPECT_THAT(addresses, SizeIs(50));
  EXPECT_THAT(dhcp_daemons(), SizeIs(1));
  EXPECT_THAT(files_in(kLeases), SizeIs(50));
  for (const Attachment& job : jobs) expect_silent_success(job.del());
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 50; }));
}

TEST_F(Dhcp, TheDaemonHoldsNothingOfWhoStartedItAndOfContainers) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  must_add(job);
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  const std::string proc = "/proc/" + std::to_string(dhcp_daemons()[0]);
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/cwd"), "/");
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/1"), "/dev/null");
  EXPECT_EQ(std::filesystem::read_symlink(proc + "/fd/2"), "/dev/null");
  std::ifstream stat(proc + "/stat");
  const std::string line((std::istreambuf_iterator<char>(stat)), {});
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string state;
  int parent = 0;
  int group = 0;
  int session = 0;
  fields >> state >> parent >> group >> session;
  EXPECT_EQ(session, dhcp_daemons()[0]);
  std::ifstream environ(proc + "/environ", std::ios::binary);
  const std::string env((std::istreambuf_iterator<char>(environ)), {});
  EXPECT_EQ(env.find("CNI_COMMAND"), std::string::npos) << env;
  EXPECT_EQ(env.find("CNI_NETNS"), std::string::npos) << env;
  EXPECT_NE(std::filesystem::read_symlink(proc + "/ns/net"),
            std::filesystem::read_symlink("/proc/self/ns/net"))
      << "nor the network of whoever started it, which may be a nested host's";
  EXPECT_THAT(tool({"ss", "-xlp"}).out, ::testing::Not(HasSubstr(kDhcpSocket))) << "nor its socket";
  // Neither socket nor descriptor of the namespace: it ends when its last process does.
  for (const auto& entry : std::filesystem::directory_iterator(proc + "/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone);
    EXPECT_EQ(target.find("net:"), std::string::npos) << target;
  }
  EXPECT_TRUE(soon([&] { return !daemon_listens_in(netns(job)); }));
}

TEST_F(Dhcp, WithoutAServerAddFailsInTimeAndSaysSo) {
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 1}})"));
  must_add(attachment(config(R"({"name": "other", "ipam": null})"), "first"));  // journals' folder
  const Snapshot before = snapshot();
  const Output output = job.add();
  const Json error = expect_error(output, 11);
  EXPECT_LT(output.ms, 8000);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("no DHCP server answered"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(Dhcp, AnExhaustedRangeIsAnErrorAndAFreedAddressIsGivenAgain) {
  const DhcpServer dnsmasq = server({}, "10.1.2.50,10.1.2.50,255.255.255.0,120s");
  const Attachment first = attachment(config(), "c1");
  const Attachment second = attachment(config(R"({"ipam": {"timeout": 1}})"), "c2");
  EXPECT_EQ(address_in(must_add(first)), "10.1.2.50/24");
  expect_error(second.add(), 11);
  EXPECT_THAT(dnsmasq.log(), HasSubstr("no address available"));
  expect_silent_success(first.del());
  ASSERT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }));
  EXPECT_EQ(address_in(must_add(second)), "10.1.2.50/24");
}

TEST_F(Dhcp, AnAddressThatAnotherMachineUsesIsDeclined) {
  Container& thief = container("thief");
  tool({"ip", "link", "add", "m0", "link", "up0", "type", "macvlan", "mode", "bridge"});
  tool({"ip", "link", "set", "m0", "netns", thief.path()});
  thief.run({"ip", "link", "set", "m0", "up"});
  thief.run({"ip", "addr", "add", "10.1.2.50/24", "dev", "m0"});
  const DhcpServer dnsmasq = server({"--dhcp-sequential-ip"});
  const Attachment job = attachment(config());
  EXPECT_EQ(address_in(must_add(job)), "10.1.2.51/24") << dnsmasq.log();
  EXPECT_EQ(dnsmasq.count("DHCPDECLINE"), 1);
  const Attachment trusting = attachment(config(R"({"ipam": {"arpProbe": 0}})"), "c2");
  must_add(trusting);
  EXPECT_EQ(dnsmasq.count("DHCPDECLINE"), 1);
}

TEST_F(Dhcp, AnAddThatFailsLaterGivesTheAddressBack) {
  const DhcpServer dnsmasq = server();
  Json list = Json::parse(R"({"cniVersion": "1.1.0", "name": "net", "type": "unicni", "plugins": [
    {"type": "macvlan", "master": "up0", "ipam": {"type": "dhcp"}},
    {"type": "tuning", "sysctl": {"net.ipv4.conf.absent0.forwarding": "1"}}]})");
  const Attachment job = attachment(list);
  expect_error(job.add());
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Dhcp, AnAddThatIsKilledWhileItWaitsGetsNothing) {
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 20}})"));
  {
    const Running add(job.spawn("ADD", job.config));
    ASSERT_TRUE(soon([] { return !dhcp_daemons().empty(); }));
    std::this_thread::sleep_for(milliseconds(300));
  }  // killed
  const DhcpServer dnsmasq = server();
  std::this_thread::sleep_for(milliseconds(1500));
  EXPECT_EQ(dnsmasq.count("DHCPACK"), 0) << dnsmasq.log();
  expect_silent_success(job.del());
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Dhcp, AKilledDaemonLosesNoLease) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  expect_silent_success(job.check(result));
  EXPECT_THAT(dhcp_daemons(), SizeIs(1)) << "CHECK starts it";
  EXPECT_EQ(dnsmasq.count("DHCPDISCOVER"), 1) << "and asks for nothing anew";
  kill_dhcp_daemons();
  expect_silent_success(job.status());
  EXPECT_THAT(dhcp_daemons(), SizeIs(1)) << "so does STATUS";
  kill_dhcp_daemons();
  const Output output = job.del(result);
  expect_silent_success(output);
  EXPECT_LT(output.ms, 8000);
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }))
      << "DEL starts it and releases";
}

TEST_F(Dhcp, TheNextDaemonTakesUpTheLeasesOfItsSocketUnderAnotherPath) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  tool({"ln", "-s", "/run/cni", "/run/also-cni"});
  Attachment other = job;
  other.config["ipam"]["daemonSocketPath"] = "/run/also-cni/dhcp.sock";
  expect_silent_success(other.check(result));
  EXPECT_THAT(dhcp_daemons(), SizeIs(1));
  expect_silent_success(job.del(result));
  EXPECT_THAT(dhcp_daemons(), SizeIs(1));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
}

TEST_F(Dhcp, DelIsQuickWhenTheServerIsGone) {
  const Attachment job = attachment(config());
  {
    const DhcpServer dnsmasq = server();
    must_add(job);
  }
  outside_.run({"ip", "link", "set", "far", "down"});
  kill_dhcp_daemons();
  const Output output = job.del();
  expect_silent_success(output);
  EXPECT_LT(output.ms, 8000);
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(Dhcp, DelReleasesByALinkThatTheContainerHasTakenDown) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  container_of(job).run({"ip", "link", "set", "eth0", "down"});
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
}

TEST_F(Dhcp, DelWithoutItsJournalReleasesBeforeTheLinkGoes) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  std::filesystem::remove_all(kJournals);
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Dhcp, GcReleasesWhatIsNotListed) {
  const DhcpServer dnsmasq = server();
  const Attachment kept = attachment(config(), "kept");
  const Attachment gone = attachment(config(), "gone");
  const Attachment other = attachment(config(R"({"name": "other"})"), "other");
  const Json result = must_add(kept);
  must_add(gone);
  must_add(other);
  std::filesystem::remove_all(kJournals);  // so that the module itself is what collects
  expect_silent_success(kept.gc(Json::array({valid_entry(kept)})));
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:kept:eth0", "other:other:eth0"));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }));
  expect_silent_success(kept.check(result));
}

TEST_F(Dhcp, ALeaseWithoutItsDaemonsKnowledgeIsAnErrorOfCheck) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::filesystem::remove_all(kLeases);
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("no DHCP lease for net/c1/eth0"));
}

TEST_F(Dhcp, TheReferencesDaemonOnTheSocketIsNamed) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  kill_dhcp_daemons();
  std::filesystem::remove(kDhcpSocket);
  const Running reference(
      Spawn{.argv = {std::string(kReferenceDir) + "/dhcp", "daemon", "-socketpath", kDhcpSocket}});
  ASSERT_TRUE(soon([] { return exists(kDhcpSocket); }));
  const Json error = expect_error(attachment(config(), "c2").add(), 50);
  const std::string pid = std::to_string(reference.pid());
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("belongs to pid " + pid));
  EXPECT_THAT(error["details"].get<std::string>(), HasSubstr("kill " + pid));
  expect_error(job.status(), 50);
  const Output del = job.del(result);
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_THAT(del.err, HasSubstr("belongs to pid " + pid));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Dhcp, TheReferencesProgramIsAskedWhenTheInterfaceIsThere) {
  const DhcpServer dnsmasq = server();
  const Running daemon(Spawn{.argv = {std::string(kReferenceDir) + "/dhcp", "daemon", "-socketpath",
                                      "/run/reference.sock"}});
  ASSERT_TRUE(soon([] { return exists("/run/reference.sock"); }));
  Attachment job = attachment(
      config(R"({"cniVersion": "1.0.0", "ipam": {"daemonSocketPath": "/run/reference.sock"}})"));
  job.cni_path = kReferenceDir;
  const Json result = must_add(job);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(address_in(result)));
  EXPECT_THAT(files_in(kLeases), IsEmpty()) << "it isn't ours that was asked";
  expect_silent_success(job.check(result));
  // Before the interface goes, so that its RELEASE can be sent.
  EXPECT_TRUE(job.del(result).ok());
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
}

TEST_F(Dhcp, AHungDaemonHoldsAGcOnceHoweverManyLeasesItHas) {
  const DhcpServer dnsmasq = server();
  std::vector<Attachment> jobs;
  for (int i = 0; i < 6; ++i) {
    jobs.push_back(attachment(config(), "c" + std::to_string(i)));
    must_add(jobs.back());
  }
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  ::kill(dhcp_daemons()[0], SIGSTOP);
  const Output output = jobs[0].gc(Json::array());
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_LT(output.ms, 6'000) << "a wait of 1.5 s";
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 6; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  ::kill(dhcp_daemons()[0], SIGCONT);
  expect_silent_success(jobs[0].gc(Json::array()));
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(Dhcp, AHungDaemonHoldsNoVerbBeyondItsTime) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  must_add(job);
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  const int pid = dhcp_daemons()[0];
  ::kill(pid, SIGSTOP);
  const Output add = attachment(config(R"({"ipam": {"timeout": 1}})"), "c2").add();
  const Json error = expect_error(add, 11);
  EXPECT_LT(add.ms, 10'000);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("pid " + std::to_string(pid)));
  const Output del = job.del();
  EXPECT_LT(del.ms, 4'000) << "a wait of 1.5 s";
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Dhcp, ANamespaceThatIsGoneTakesItsLeaseAlong) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  must_add(job);
  container_of(job).remove();
  Attachment gone = job;
  gone.netns = "";
  expect_silent_success(gone.del());
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

TEST_F(Dhcp, TwoInterfacesOfAContainerAreTwoClients) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config(R"({"ipam": {"clientId": "pod"}})"));
  const Json result = must_add(job);
  Attachment second = job;
  second.if_name = "eth1";
  const Json error = expect_error(second.add(), 7);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("clientId: eth0 of network net"));
  second.config["ipam"].erase("clientId");
  EXPECT_NE(address_in(must_add(second)), address_in(result));
}

TEST_F(Dhcp, WrongOptionsAreRefusedBeforeAnythingIsMade) {
  const Attachment job = attachment(config());
  const auto refusal = [&](const std::string& changes) {
    Attachment wrong = job;
    wrong.config["ipam"].merge_patch(Json::parse(changes));
    return expect_error(wrong.add(), 7);
  };
  EXPECT_THAT(refusal(R"({"request": [{"option": "router"}]})")["details"].get<std::string>(),
              HasSubstr("did you mean routers?"));
  refusal(R"({"daemonSocketPath": "dhcp.sock"})");
  refusal(R"({"provide": [{"option": "99999", "value": "x"}]})");
  refusal(R"({"provide": [{"value": "x"}]})");
  refusal(R"({"timeout": 0})");
  refusal(R"({"arpProbe": 101})");
  refusal(R"({"hostname": "${MISSING}"})");
  refusal(R"({"ipv6": "always"})");
  EXPECT_THAT(dhcp_daemons(), IsEmpty());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Dhcp, AConnectionThatSaysNothingEnds) {
  const DhcpServer dnsmasq = server();
  must_add(attachment(config()));
  const Silent silent;
  EXPECT_FALSE(silent.has_ended());
  EXPECT_TRUE(soon([&] { return silent.has_ended(); }, milliseconds(8000)));
}

TEST_F(Dhcp, AnUpgradeOfTheProgramHandsOverWithoutLosingALeaseOrWaitingForTheSilent) {
  const std::string copy = "/run/copy";
  tool({"cp", "-a", stage(), copy});
  const DhcpServer dnsmasq = server();
  Attachment job = attachment(config());
  job.folder = copy + "/libexec/cni";
  job.cni_path = job.folder;
  const Json result = must_add(job);
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  const int pid = dhcp_daemons()[0];
  const auto inode = [&] {
    struct stat status {};
    ::stat(("/proc/" + std::to_string(pid) + "/exe").c_str(), &status);
    return status.st_ino;
  };
  const auto before = inode();
  const Silent silent;
  const std::string executable = copy + "/libexec/cni/unicni";
  tool({"cp", executable, executable + ".new"});
  tool({"mv", executable + ".new", executable});
  expect_silent_success(job.check(result));  // at this request it notices
  EXPECT_TRUE(soon([&] { return inode() != before; }, milliseconds(4000)));
  EXPECT_THAT(dhcp_daemons(), ElementsAre(pid));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }));
}

TEST_F(Dhcp, TheDaemonAsksSystemdForAScopeOfItsOwn) {
  tool({"mkdir", "-p", "/run/systemd/system"});
  write_file("/run/busctl", "#!/bin/sh\necho \"$@\" > /run/busctl.arguments\n", 0755);
  tool({"mount", "--bind", "/run/busctl", "/usr/bin/busctl"});
  const DhcpServer dnsmasq = server();
  must_add(attachment(config()));
  tool({"umount", "/usr/bin/busctl"});
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  const std::string arguments = read_file("/run/busctl.arguments");
  EXPECT_THAT(arguments, HasSubstr("StartTransientUnit ssa(sv)a(sa(sv)) unicni-dhcp-"));
  EXPECT_THAT(arguments, HasSubstr(".scope replace 2"));
  EXPECT_THAT(arguments, HasSubstr("PIDs au 1 " + std::to_string(dhcp_daemons()[0]) + " 0"));
}

TEST_F(Dhcp, ADaemonInAContainerFindsTheHostsFilesBehindAPrefix) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  tool({"mkdir", "-p", "/run/host/run"});
  tool({"mount", "--rbind", "/run", "/run/host/run"});
  const Running daemon(Spawn{.argv = {"dhcp", "daemon", "-hostprefix=/run/host"},
                             .env = {"PATH=/usr/bin:/bin"},
                             .program = bin_dir() + "/unicni"});
  ASSERT_TRUE(soon([] { return exists(kDhcpSocket); }));
  const Json result = must_add(job);
  EXPECT_THAT(files_in(kLeases), SizeIs(1));
  expect_silent_success(job.check(result));
  std::filesystem::remove_all(kJournals);
  expect_silent_success(job.del(result));
  EXPECT_THAT(files_in(kLeases), IsEmpty());
  EXPECT_THAT(dhcp_daemons(), ElementsAre(daemon.pid()));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; }));
  kill_dhcp_daemons();
  tool({"umount", "-l", "/run/host/run"});
}

TEST_F(Dhcp, SigtermEndsTheDaemonAndKeepsItsLeases) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  ASSERT_THAT(dhcp_daemons(), SizeIs(1));
  ::kill(dhcp_daemons()[0], SIGTERM);
  EXPECT_TRUE(soon([] { return dhcp_daemons().empty(); }));
  EXPECT_FALSE(exists(kDhcpSocket));
  EXPECT_THAT(files_in(kLeases), SizeIs(1));
  expect_silent_success(job.check(result));
}

}  // namespace
}  // namespace unicni::test::dhcp_test
