// One container id after another: what an earlier life left is taken down by the next ADD, and
// never put into the new container.
#include <algorithm>

#include "integration/chained.h"
#include "integration/journal_line.h"
#include "integration/uplink.h"

namespace unicni::test::lives_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Json publishing(Json config, unsigned host_port) {
  config["plugins"].push_back({{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}});
  config["runtimeConfig"]["portMappings"] = {
      {{"hostPort", host_port}, {"containerPort", 80}, {"protocol", "tcp"}}};
  return config;
}

class Lives : public ChainedTest {
 protected:
  static Json plain(const std::string& version = "1.1.0") {
    return {
        {"cniVersion", version}, {"name", "mynet"}, {"type", "unicni"}, {"plugins", {bridge()}}};
  }
  static Json with(const Json& plugin) {
    Json config = plain();
    config["plugins"].push_back(plugin);
    return config;
  }
  /// The container's processes and its namespace end without a DEL, and with host-local's files,
  /// so that the next life gets the same address.
  void lose(const Attachment& job) {
    container_of(job).remove();
    for (int i = 0; i < 100 && link_names().size() > 1; ++i) tool({"sleep", "0.02"});
    tool({"rm", "-rf", "/var/lib/cni/networks"});
  }
  /// The same id and path in a new namespace.
  Attachment again(const Attachment& job, const Json& config) {
    containers_.remove_if([&](const Container& each) { return each.path() == job.netns; });
    return attachment(config, job.container_id);
  }
};

struct Kind {
  const char* name;
  Json plugin;
};

/// Plugins whose records are about the inside of a namespace.
std::vector<Kind> kinds() {
  return {
      {"link_settings", Json::parse(R"({"type": "tuning", "mac": "02:11:11:11:11:11", "mtu": 1300,
          "promisc": true, "allmulti": true, "txQLen": 77})")},
      {"sysctl", Json::parse(R"({"type": "tuning", "sysctl": {
          "net.ipv4.conf.all.rp_filter": "1", "net.ipv4.conf.eth0.arp_filter": "1"}})")},
      {"rule_and_routes", Json::parse(R"({"type": "sbr"})")},
      {"ifb_and_qdisc", Json::parse(R"({"type": "bandwidth", "ingressRate": 8000000,
          "ingressBurst": 8000000, "egressRate": 8000000, "egressBurst": 8000000})")},
      {"marks", Json::parse(R"({"type": "firewall"})")},
  };
}

class EarlierLife : public Lives, public ::testing::WithParamInterface<Kind> {};

TEST_P(EarlierLife, IsNotWrittenIntoTheNewContainer) {
  const Attachment first = attachment(with(GetParam().plugin));
  tool({"sysctl", "-qw", "net.ipv4.conf.all.rp_filter=2"}, netns(first));
  must_add(first);
  lose(first);
  const Attachment second = again(first, plain());
  const Attachment control = attachment(plain(), "control");
  const Snapshot untouched = kernel_snapshot(netns(control));
  EXPECT_EQ(difference(untouched, kernel_snapshot(netns(second))), "");

  const Json result = must_add(second);
  const Json link = *find_link("eth0", netns(second));
  EXPECT_EQ(link["address"], container_interface(result)["mac"]);
  EXPECT_EQ(link["mtu"], 1500);
  EXPECT_EQ(link["promiscuity"], 0);
  EXPECT_EQ(sysctl("net/ipv4/conf/all/rp_filter", netns(second)),
            sysctl("net/ipv4/conf/all/rp_filter", netns(control)));
  EXPECT_THAT(tool({"ip", "rule"}, netns(second)).out, Not(HasSubstr("lookup 100")));
  EXPECT_THAT(routes_of(netns(second)), SizeIs(2));
  expect_silent_success(second.check(result));
  EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0"));
  EXPECT_THAT(read_file(std::string(kJournals) + "/mynet:c1:eth0"),
              Not(HasSubstr(GetParam().plugin["type"].get<std::string>())));
  expect_silent_success(second.del(result));
  EXPECT_EQ(difference(untouched, kernel_snapshot(netns(second))), "");
  EXPECT_THAT(link_names(), ElementsAre("cni0"));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_P(EarlierLife, IsUndoneWhereItWasIfThatNamespaceLives) {
  Attachment first = attachment(with(GetParam().plugin));
  const Snapshot inside = kernel_snapshot(netns(first));
  must_add(first);
  // The interface is gone, the namespace is not, and the next life has another.
  tool({"ip", "link", "del", "eth0"}, netns(first));
  Attachment second = attachment(plain(), "c1-again");
  second.container_id = "c1";
  const Json result = must_add(second);
  EXPECT_EQ(difference(inside, kernel_snapshot(netns(first))), "");
  expect_silent_success(second.check(result));
  expect_silent_success(second.del(result));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_P(EarlierLife, IsSettledWhereItsPathLeadsToTheHostByNow) {
  const Snapshot host = snapshot();
  const Attachment first = attachment(with(GetParam().plugin));
  must_add(first);
  lose(first);
  lead_to_host(first.netns);
  Attachment second = attachment(plain(), "c1-again");
  second.container_id = "c1";
  const Json result = must_add(second);
  expect_silent_success(second.check(result));
  expect_silent_success(second.del(result));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_EQ(left_on_host(host), "");
}

INSTANTIATE_TEST_SUITE_P(Records, EarlierLife, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

TEST_F(Lives, PortsOfALostContainerAreFreeWhenItStartsWithoutThem) {
  const Attachment first = attachment(publishing(plain(), 8080));
  must_add(first);
  lose(first);
  must_add(again(first, plain()));
  EXPECT_THAT(owners("port4_any"), IsEmpty());
  must_add(attachment(publishing(plain(), 8080), "c2"));
}

TEST_F(Lives, PortsOfALostContainerAreFreeWhenEachPluginIsAProcess) {
  const Attachment first = attachment(publishing(plain(), 8080));
  must_add(first);
  lose(first);
  Json alone = with_version(mynet(), "1.1.0");
  const Attachment second = again(first, alone);
  must_add(second);
  EXPECT_THAT(owners("port4_any"), IsEmpty());
}

TEST_F(Lives, TwoInterfacesOfALostContainerAreSettledEachByItself) {
  Attachment eth0 = attachment(with(Json{{"type", "tuning"}, {"mtu", 1300}}));
  must_add(eth0);
  Attachment eth1 = eth0;
  eth1.if_name = "eth1";
  must_add(eth1);
  lose(eth0);
  Attachment second = again(eth0, plain());
  must_add(second);
  EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0", "mynet:c1:eth1"));
  second.if_name = "eth1";
  must_add(second);
  EXPECT_EQ((*find_link("eth1", netns(second)))["mtu"], 1500);
  EXPECT_EQ((*find_link("eth0", netns(second)))["mtu"], 1500);
}

TEST_F(Lives, AnAddThatFailsHasSettledTheEarlierLife) {
  const Attachment first = attachment(publishing(plain(), 8080));
  must_add(first);
  lose(first);
  Json broken = plain();
  broken["plugins"][0]["bridge"] = "lo";  // which ADD finds out
  expect_error(again(first, broken).add());
  EXPECT_THAT(owners(), Not(Contains(HasSubstr("mynet/c1"))));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

class Exchanged : public HostTest {
 protected:
  static Json macvlan() {
    Json config = Json::parse(
        R"({"cniVersion": "1.0.0", "name": "net", "type": "macvlan", "master": "up0"})");
    config["ipam"] = dual_stack_ipam();
    return config;
  }
  Uplink uplink_;
};

TEST_F(Exchanged, PrevResultOutweighsAJournalOfAnotherNamespace) {
  const Attachment ours = attachment(macvlan());
  must_add(ours);
  container_of(ours).remove();
  tool({"rm", "-rf", "/var/lib/cni/networks"});
  Attachment reference = attachment(macvlan(), "other");
  reference.container_id = "c1";
  reference.folder = reference.cni_path = kReferenceDir;
  const Json result = must_add(reference);
  ASSERT_TRUE(find_link("eth0", netns(reference)));

  Attachment del = reference;
  del.folder = del.cni_path = "";
  expect_silent_success(del.del(result));
  EXPECT_FALSE(find_link("eth0", netns(reference)));
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Exchanged, ANamespaceThatPrevResultDoesNotNameStaysUntouched) {
  const Attachment ours = attachment(macvlan());
  const Json result = must_add(ours);
  Attachment foreign = attachment(macvlan(), "foreign");
  tool({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "x"}, netns(foreign));
  foreign.container_id = "c1";
  const Output del = foreign.del(result);
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_THAT(del.err, HasSubstr("nothing is touched there"));
  EXPECT_TRUE(find_link("eth0", netns(foreign)));
  EXPECT_FALSE(find_link("eth0", netns(ours))) << "the journal knows where it is";
}

/// GC and STATUS of whatever module find attachments that nobody will ever DEL.
class Forgotten : public Lives {
 protected:
  void SetUp() override {
    lost_ = attachment(publishing(plain(), 8080));
    must_add(lost_);
    living_ = attachment(publishing(plain(), 8081), "c2");
    result_ = must_add(living_);
  }
  /// The kernel takes the veth some time after the namespace.
  void lose() {
    container_of(lost_).remove();
    for (int i = 0; i < 200 && link_names().size() > 2; ++i) tool({"sleep", "0.02"});
  }
  void expect_only_the_living() {
    EXPECT_THAT(owners(), Not(Contains(HasSubstr("mynet/c1"))));
    EXPECT_THAT(owners(), Contains(HasSubstr("mynet/c2")));
    EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c2:eth0"));
    EXPECT_THAT(reservations("mynet"), ElementsAre("10.22.0.3"));
    expect_silent_success(living_.check(result_));
  }
  [[nodiscard]] static Attachment of_another_network() {
    return {.config = {{"cniVersion", "1.1.0"}, {"name", "other"}, {"type", "loopback"}},
            .netns = "",
            .container_id = "",
            .if_name = ""};
  }
  Attachment lost_;
  Attachment living_;
  Json result_;
};

TEST_F(Forgotten, IsFoundByGcOfAnyModule) {
  lose();
  expect_silent_success(of_another_network().gc(Json::array()));
  expect_only_the_living();
}

TEST_F(Forgotten, IsFoundByStatusOfAnyModule) {
  lose();
  expect_silent_success(of_another_network().status());
  expect_only_the_living();
}

// As /proc/PID/ns/net does whose number is a process of the host's by now.
TEST_F(Forgotten, IsFoundByGcAndStatusWhereItsPathLeadsToTheHostByNow) {
  lose();
  lead_to_host(lost_.netns);
  Attachment network = living_;
  network.config.erase("runtimeConfig");
  for (const Attachment& job : {of_another_network(), network}) {
    expect_silent_success(job.status());
    expect_silent_success(job.gc(Json::array({valid_entry(living_)})));
  }
  expect_only_the_living();
}

TEST_F(Forgotten, OnlyAHiddenPathIsNoProof) {
  // Another mount namespace: the folder of the paths is there, the file isn't, the veth lives.
  tool({"umount", lost_.netns});
  tool({"rm", lost_.netns});
  expect_silent_success(of_another_network().status());
  expect_silent_success(of_another_network().gc(Json::array()));
  EXPECT_THAT(owners(), Contains(HasSubstr("mynet/c1")));
  EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0", "mynet:c2:eth0"));
}

/// Journals as versions before 0.2 left them: in /run/unicni, without the fields that came later.
class FormerJournal : public Lives {
 protected:
  static constexpr const char* kName = "mynet:c1:eth0";
  /// The entry as the executable of before would have it, up to `lines` lines: a kill there.
  static void make_former(std::size_t lines = 1000) {
    const std::string text = read_file(std::string(kJournals) + '/' + kName);
    std::size_t end = 0;
    for (std::size_t i = 0; i < lines && end < text.size(); ++i) end = text.find('\n', end) + 1;
    ASSERT_THAT(text, Not(HasSubstr(" args="))) << "a field that versions before didn't have";
    ASSERT_THAT(text, Not(HasSubstr(" member=")));
    write_file(std::string("/run/unicni/") + kName, text.substr(0, end), 0600);
    tool({"rm", std::string(kJournals) + '/' + kName});
  }
  static std::vector<std::string> former() {
    std::vector<std::string> names = files_in(kJournals);
    std::erase(names, "attachments");
    return names;
  }
  static Json port_config() {
    Json config = {{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"type", "portmap"}};
    config["runtimeConfig"]["portMappings"] = {
        {{"hostPort", 8080}, {"containerPort", 80}, {"protocol", "tcp"}}};
    return config;
  }
  void SetUp() override {
    before_ = snapshot();
    bridge_ = attachment(with_version(mynet(), "1.1.0"));
    result_ = must_add(bridge_);
    port_ = after(bridge_, result_, port_config());
    must_add(port_);
  }
  void expect_nothing() {
    EXPECT_THAT(former(), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(owners(), Not(Contains(HasSubstr("mynet/c1"))));
    EXPECT_EQ(left_on_host(before_), "");
  }
  Snapshot before_;
  Attachment bridge_;
  Attachment port_;
  Json result_;
};

TEST_F(FormerJournal, IsCheckedAndUndone) {
  make_former();
  expect_silent_success(port_.check(result_));
  expect_silent_success(bridge_.check(result_));
  port_.netns = bridge_.netns = "";
  port_.config.erase("prevResult");
  expect_silent_success(port_.del());
  expect_silent_success(bridge_.del());
  expect_nothing();
}

TEST_F(FormerJournal, IsCollected) {
  make_former();
  Attachment collector = bridge_;
  collector.container_id = collector.netns = collector.if_name = "";
  expect_silent_success(collector.gc(Json::array()));
  expect_nothing();
}

TEST_F(FormerJournal, IsRememberedWhenTheRulesetWasFlushed) {
  make_former();
  tool({"nft", "flush", "ruleset"});
  expect_silent_success(bridge_.status());
  EXPECT_THAT(owners(), Contains(HasSubstr("mynet/c1")));
  expect_silent_success(port_.check(result_));
  expect_silent_success(port_.del(result_));
  expect_silent_success(bridge_.del(result_));
  expect_nothing();
}

TEST_F(FormerJournal, OfAKilledAddIsUndoneByDelAndByTheNextAdd) {
  expect_silent_success(port_.del(result_));
  const std::string text = read_file(std::string(kJournals) + '/' + kName);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  for (std::size_t kept = 1; kept <= lines; ++kept) {
    SCOPED_TRACE(kept);
    make_former(kept);
    if (kept + 1 >= lines) {  // all that was done is written down
      tool({"ip", "link", "del", "eth0"}, netns(bridge_));
      result_ = must_add(bridge_);
      expect_silent_success(bridge_.check(result_));
    }
    expect_silent_success(bridge_.del(result_));
    expect_nothing();
    result_ = must_add(bridge_);
  }
  expect_silent_success(bridge_.del(result_));
}

TEST_F(FormerJournal, IsLockedWhereTheExecutableOfBeforeLocksIt) {
  make_former();
  const std::string entry = std::string("/run/unicni/") + kName;
  const Output del = run({.argv = {"flock", entry, "timeout", "1", bin_dir() + "/bridge"},
                          .env = bridge_.spawn("DEL", bridge_.config).env,
                          .in = bridge_.config.dump()});
  EXPECT_FALSE(del.ok()) << "it did not wait for the lock";
  expect_silent_success(port_.del(result_));
  expect_silent_success(bridge_.del(result_));
  expect_nothing();
}

TEST_F(FormerJournal, RecordsOfALaterVersionAreKeptAndWarnedOf) {
  const std::string entry = std::string(kJournals) + '/' + kName;
  std::string text = read_file(entry);
  for (const std::string record :
       {"undo type=veth version=2 .name=x", "undo type=future version=1"}) {
    text += journal_line(record);
  }
  write_file(entry, text, 0600);
  const Output del = port_.del(result_);
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_THAT(del.err, HasSubstr("\"veth\" of version 2 is not known"));
  EXPECT_THAT(del.err, HasSubstr("\"future\" of version 1 is not known"));
  EXPECT_THAT(owners(), Not(Contains(HasSubstr("mynet/c1")))) << "all else is undone";
  EXPECT_TRUE(bridge_.del(result_).ok());
  EXPECT_THAT(read_file(entry), HasSubstr("undo type=veth version=2"));
  EXPECT_TRUE(bridge_.del(result_).ok()) << "however often";
  const Json result = must_add(bridge_);
  EXPECT_TRUE(bridge_.del(result).ok());
  EXPECT_THAT(read_file(entry), HasSubstr("undo type=future version=1"));
  EXPECT_EQ(link_names(), std::vector<std::string>{"cni0"});
}

}  // namespace
}  // namespace unicni::test::lives_test
