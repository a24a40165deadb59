// tuning: sysctls and attributes are set, reported, checked, and put back.
#include "integration/chained.h"
#include "support/tracer.h"
#include "support/traffic.h"

namespace unicni::test::tuning_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kFile = "/run/cni/tuning/c1_eth0.json";

Json everything() {
  return Json::parse(R"({"type": "tuning", "mac": "C2:11:22:33:44:55", "mtu": 1400, "promisc": true,
                         "allmulti": true, "txQLen": 77,
                         "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1",
                                    "net/ipv4/ip_local_port_range": "2000 3000"}})");
}

class Tuning : public ChainedTest {
 protected:
  void SetUp() override {
    first_ = bridged();
    bridge_ = must_add(first_);
    inside_ = container_of(first_).fd();
    before_ = state();
  }
  Snapshot state() const {
    Snapshot all = kernel_snapshot(inside_);
    for (const char* key : {"net/ipv4/conf/eth0/arp_filter", "net/ipv4/ip_local_port_range"}) {
      all[key] = sysctl(key, inside_);
    }
    return all;
  }
  void expect_tuned() const {
    const Json link = *find_link("eth0", inside_);
    EXPECT_EQ(link["address"], "c2:11:22:33:44:55");
    EXPECT_EQ(link["mtu"], 1400);
    EXPECT_EQ(link["txqlen"], 77);
    EXPECT_THAT(link["flags"], Contains("PROMISC"));
    EXPECT_THAT(link["flags"], Contains("ALLMULTI"));
    EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_filter", inside_), "1");
    EXPECT_EQ(sysctl("net/ipv4/ip_local_port_range", inside_), "2000\t3000");
  }
  void expect_restored() const {
    EXPECT_EQ(difference(before_, state()), "");
    EXPECT_FALSE(exists(kFile));
  }
  Attachment first_;
  Json bridge_;
  int inside_ = -1;
  Snapshot before_;
};

TEST_F(Tuning, SetsEverythingAndPutsItBack) {
  const Attachment job = after(first_, bridge_, everything());
  const Json result = must_add(job);
  expect_tuned();
  Json expected = bridge_;
  expected["interfaces"][2]["mac"] = "C2:11:22:33:44:55";
  EXPECT_EQ(result, expected);
  EXPECT_EQ(Json::parse(read_file(kFile))["mtu"], 1500);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_restored();
  expect_silent_success(job.del());
  expect_restored();
  expect_silent_success(first_.check(bridge_));
}

TEST_F(Tuning, InAListTheResultAndChecksFollow) {
  expect_silent_success(first_.del());
  for (const char* version : {"0.4.0", "1.0.0", "1.1.0"}) {
    SCOPED_TRACE(version);
    const Attachment job = attachment(list(everything(), version), std::string("v") + version);
    const Snapshot before = kernel_snapshot(container_of(job).fd());
    const Json result = must_add(job);
    EXPECT_EQ(container_interface(result)["mac"], "C2:11:22:33:44:55");
    if (version == std::string("1.1.0")) {
      EXPECT_EQ(container_interface(result)["mtu"], 1400);
    }
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    expect_silent_success(job.del(result));
    EXPECT_EQ(difference(before, kernel_snapshot(container_of(job).fd())), "");
    EXPECT_THAT(files_in("/run/cni/tuning"), IsEmpty());
  }
}

TEST_F(Tuning, DelPutsSysctlsBackToo) {
  const Attachment job =
      after(first_, bridge_,
            Json::parse(R"({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1",
                                                         "net.ipv4.route.flush": "1"}})"));
  EXPECT_EQ(must_add(job), bridge_);
  EXPECT_FALSE(exists(kFile)) << "no attribute, no backup";
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_filter", inside_), "1");
  expect_silent_success(job.check(bridge_));
  expect_silent_success(job.del());
  expect_restored();
}

/// Among many namespaces settings are reached by a mount of our own: it must not lead around a lock
/// of the host's.
TEST_F(Tuning, SettingsThatAreLockedStaySo) {
  for (int i = 0; i < 40; ++i) container("other" + std::to_string(i));
  const Attachment late = bridged("late");
  const Json bridge = must_add(late);
  const Attachment job = after(
      late, bridge,
      Json::parse(R"({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}})"));
  const std::string lock = "/proc/sys";
  tool({"mount", "--bind", "-o", "ro", lock, lock});
  const Output refused = job.add();
  tool({"umount", lock});
  EXPECT_THAT(expect_error(refused)["msg"],
              AllOf(HasSubstr("/proc/sys/net/ipv4/conf/eth0/arp_filter"), HasSubstr("EROFS")));
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_filter", netns(job)), "0");
  EXPECT_EQ(must_add(job), bridge);
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_filter", netns(job)), "1");
}

TEST_F(Tuning, DelWithoutNamespaceOrJournal) {
  Attachment job = after(first_, bridge_, everything());
  must_add(job);
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job.del());
  EXPECT_EQ(find_link("eth0", inside_)->at("mtu"), 1500);
  EXPECT_FALSE(exists(kFile));
  must_add(job);
  container_of(first_).remove();
  expect_silent_success(job.del());
  job.netns = "";
  expect_silent_success(job.del());
  EXPECT_FALSE(exists(kFile));
}

TEST_F(Tuning, NothingIsTouchedInAnothersNamespace) {
  Attachment job = after(first_, bridge_, everything());
  must_add(job);
  Container& other = container("c2");
  other.run({"ip", "link", "add", "eth0", "mtu", "1333", "type", "ifb"});
  job.netns = other.path();
  expect_silent_success(job.del());
  EXPECT_EQ(find_link("eth0", other.fd())->at("mtu"), 1333);
}

TEST_F(Tuning, ASecondAddKeepsTheOriginals) {
  const Attachment job = after(first_, bridge_, everything());
  must_add(job);
  must_add(job);
  expect_tuned();
  EXPECT_EQ(Json::parse(read_file(kFile))["mtu"], 1500);
  tool({"rm", "-r", "/run/unicni"});
  must_add(job);
  EXPECT_EQ(Json::parse(read_file(kFile))["mtu"], 1500) << "also without the journal";
  expect_silent_success(job.del());
  EXPECT_EQ(find_link("eth0", inside_)->at("mtu"), 1500);
}

/// A runtime that calls each plugin alone sends DEL with the list of today, which somebody may have
/// edited. Whatever is left goes with the interface.
TEST_F(Tuning, TwoThatSetOneSysctlPutTheOriginalBackInAnyOrder) {
  static const std::string kKey = "net/ipv4/conf/all/arp_ignore";
  const auto tuning = [](const char* value, int mtu) {
    return Json({{"type", "tuning"}, {"mtu", mtu}, {"sysctl", {{kKey, value}}}});
  };
  const std::vector<Json> members = {tuning("1", 1400), tuning("2", 1300), tuning("1", 1400)};
  const std::string original = sysctl(kKey, inside_);
  ASSERT_EQ(original, "0");
  for (const std::vector<int>& dels :
       {std::vector<int>{1, 0}, {0, 1}, {0}, {1}, {}, {2, 1, 0}, {0, 1, 2}}) {
    SCOPED_TRACE(Json(dels).dump());
    const std::size_t count = dels.size() == 3 ? 3 : 2;
    for (std::size_t i = 0; i < count; ++i) must_add(after(first_, bridge_, members[i]));
    EXPECT_NE(sysctl(kKey, inside_), original);
    for (const int each : dels) {
      expect_silent_success(
          after(first_, bridge_, members[static_cast<std::size_t>(each)]).del(bridge_));
    }
    if (dels.size() >= 2) {
      EXPECT_EQ((*find_link("eth0", inside_))["mtu"], 1500);
    }
    expect_silent_success(first_.del(bridge_));
    EXPECT_EQ(sysctl(kKey, inside_), original);
    bridge_ = must_add(first_);
  }
}

TEST_F(Tuning, BinariesCanBeExchanged) {
  Json config = everything();
  config.erase("txQLen");  // came after Debian's version
  Attachment ours = after(first_, bridge_, config);
  Attachment reference = ours;
  reference.folder = kReferenceDir;
  const Json result = must_add(reference);
  expect_silent_success(ours.check(result));
  expect_silent_success(ours.del(result));
  EXPECT_EQ(find_link("eth0", inside_)->at("mtu"), 1500);
  EXPECT_THAT(find_link("eth0", inside_)->at("flags"), Not(Contains("PROMISC")));
  EXPECT_FALSE(exists(kFile));
  expect_silent_success(first_.check(bridge_));

  must_add(ours);
  expect_silent_success(reference.del(result));
  EXPECT_EQ(find_link("eth0", inside_)->at("mtu"), 1500);
  EXPECT_EQ(find_link("eth0", inside_)->at("address"),
            container_interface(bridge_)["mac"].get<std::string>());
  EXPECT_FALSE(exists(kFile));
}

TEST_F(Tuning, AFailedAddLeavesNothing) {
  for (const char* what :
       {R"({"sysctl": {"net.ipv4.ip_local_port_range": "junk"}})",
        R"({"sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1", "net.ipv4.no_such": "1"}})",
        R"({"sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}, "mtu": 65535, "txQLen": 5,
            "mac": "02:00:00:00:00:01"})"}) {
    SCOPED_TRACE(what);
    Json config = Json::parse(what);
    config["type"] = "tuning";
    if (config.contains("mtu")) {  // more than this link takes
      tool({"rm", "-rf", "/run/cni"});
      write_file("/run/cni", "no folder");
    }
    expect_error(after(first_, bridge_, config).add());
    expect_restored();
  }
}

TEST_F(Tuning, DelAfterAKilledAddLeavesNoFile) {
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    const Attachment job = after(first_, bridge_, everything());
    const Stop stop = kill_at(job.spawn("ADD", job.config), k);
    SCOPED_TRACE("killed before step " + stop.step);
    expect_silent_success(job.del());
    expect_restored();
    EXPECT_THAT(files_in("/run/cni/tuning"), IsEmpty());
    if (!stop.reached) return;
  }
}

TEST_F(Tuning, TheAllowListDecides) {
  const Attachment job = after(
      first_, bridge_,
      Json::parse(R"({"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}})"));
  Sandbox::keep_etc();
  tool({"mkdir", "-p", "/etc/cni/tuning"});
  const auto lists = [](const char* text) { write_file("/etc/cni/tuning/allowlist.conf", text); };
  Attachment status = job;
  status.config["cniVersion"] = "1.1.0";
  for (const char* text : {"", "\n  \n", "^net.core\n"}) {
    lists(text);
    EXPECT_THAT(expect_error(job.add(), 7)["msg"],
                HasSubstr("Sysctl net.ipv4.conf.IFNAME.arp_filter is not allowed"));
    EXPECT_THAT(expect_error(status.status(), 50)["msg"], HasSubstr("is not allowed"));
  }
  lists("[\n");
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("\"[\" is no regular expression"));
  expect_restored();
  lists("net.core\n  arp_f \n");
  must_add(job);
  expect_silent_success(status.status());
  lists("");
  expect_silent_success(job.del());
  expect_restored();
}

TEST_F(Tuning, CheckTellsWhatChanged) {
  const Attachment job = after(first_, bridge_, everything());
  const Json result = must_add(job);
  const auto expect_told = [&](const std::vector<std::string>& change, const std::string& text,
                               const std::vector<std::string>& back) {
    container_of(first_).run(change);
    EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr(text));
    container_of(first_).run(back);
    expect_silent_success(job.check(result));
  };
  const auto set = [](const char* what, const char* value) {
    return std::vector<std::string>{"ip", "link", "set", "eth0", what, value};
  };
  expect_told(set("mtu", "1300"), "MTU of eth0 is 1300, not 1400", set("mtu", "1400"));
  expect_told(set("address", "02:00:00:00:00:09"), "MAC of eth0 is 02:00:00:00:00:09",
              set("address", "c2:11:22:33:44:55"));
  expect_told(set("promisc", "off"), "promiscuous mode of eth0 is false", set("promisc", "on"));
  expect_told(set("allmulticast", "off"), "all-multicast mode", set("allmulticast", "on"));
  expect_told(set("txqueuelen", "9"), "length of eth0 is 9, not 77", set("txqueuelen", "77"));
  expect_told({"sysctl", "-q", "-w", "net.ipv4.conf.eth0.arp_filter=0"},
              "sysctl net/ipv4/conf/eth0/arp_filter",
              {"sysctl", "-q", "-w", "net.ipv4.conf.eth0.arp_filter=1"});
  expect_silent_success(job.del());
}

TEST_F(Tuning, GcPutsBackAndRemovesLeaks) {
  Attachment job = after(first_, bridge_, everything());
  must_add(job);
  const auto leak = [](const char* network, const char* container) {
    write_file(
        std::string("/run/cni/tuning/") + container + "_eth0.json",
        Json{{"mtu", 1500}, {"network", network}, {"containerID", container}, {"ifname", "eth0"}}
            .dump());
  };
  leak("mynet", "gone");
  leak("othernet", "theirs");
  write_file("/run/cni/tuning/reference_eth0.json", "{\n \"mtu\": 1500\n}");
  Attachment nobody = job;
  nobody.config["cniVersion"] = "1.1.0";
  nobody.config.erase("prevResult");
  nobody.netns = nobody.container_id = nobody.if_name = "";
  expect_silent_success(nobody.gc(Json::array({valid_entry(job)})));
  EXPECT_THAT(files_in("/run/cni/tuning"),
              ::testing::ElementsAre("c1_eth0.json", "reference_eth0.json", "theirs_eth0.json"));
  expect_tuned();
  expect_silent_success(nobody.gc(Json::array()));
  expect_restored();
}

TEST_F(Tuning, ArgumentsOfTheRuntime) {
  Json config = Json::parse(R"({"type": "tuning", "mac": "02:00:00:00:00:01",
    "capabilities": {"mac": true}, "runtimeConfig": {"mac": "02:00:00:00:00:02"}})");
  Attachment job = after(first_, bridge_, config);
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:03";
  EXPECT_EQ(container_interface(must_add(job))["mac"], "02:00:00:00:00:02");
  expect_silent_success(job.del());
  job.config["args"]["cni"]["mac"] = "02:00:00:00:00:04";
  EXPECT_EQ(container_interface(must_add(job))["mac"], "02:00:00:00:00:04");
  expect_silent_success(job.del());
  expect_restored();
}

/// bridge with "macspoofchk" in one list with tuning's "mac": the last one counts.
TEST_F(Tuning, TheMacMaySendWhereTheBridgeChecksSenders) {
  Json config = list(Json{{"type", "tuning"}, {"mac", "c2:11:22:33:44:55"}});
  config["plugins"][0]["macspoofchk"] = true;
  const Attachment job = attachment(config, "c2");
  const int inside = container_of(job).fd();
  const Json result = must_add(job);
  EXPECT_TRUE(pings(inside, "10.22.0.1"));
  expect_silent_success(job.check(result));
  tool({"ip", "link", "set", "eth0", "address", "c2:11:22:33:44:66"}, inside);
  EXPECT_FALSE(container_of(job).succeeds({"ping", "-c1", "-W1", "10.22.0.1"}));
  tool({"ip", "link", "set", "eth0", "address", "c2:11:22:33:44:55"}, inside);
  expect_silent_success(job.del(result));
  EXPECT_THAT(owners(), Not(Contains("mynet/c2/eth0")));
}

/// A process for each plugin; DEL of tuning alone gives the container the bridge's MAC again.
TEST_F(Tuning, TheFirstMacMaySendAgainAfterDelOfTuning) {
  Json config = with_version(mynet(), "1.0.0");
  config["macspoofchk"] = true;
  const Attachment job = attachment(config, "c2");
  const int inside = container_of(job).fd();
  const Json first = must_add(job);
  const Attachment tuned = after(job, first, {{"type", "tuning"}, {"mac", "c2:11:22:33:44:55"}});
  const Json result = must_add(tuned);
  EXPECT_TRUE(pings(inside, "10.22.0.1"));
  expect_silent_success(job.check(result));
  expect_silent_success(tuned.del(result));
  EXPECT_TRUE(pings(inside, "10.22.0.1"));
  expect_silent_success(job.check(first));
  expect_silent_success(job.del(first));
  EXPECT_THAT(owners(), Not(Contains("mynet/c2/eth0")));
}

}  // namespace
}  // namespace unicni::test::tuning_test
