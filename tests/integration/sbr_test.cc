// sbr: rules and tables in the container, and traffic that goes the way that they say.
#include <sys/file.h>

#include <set>

#include "integration/chained.h"
#include "support/fault.h"

namespace unicni::test::sbr_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json dual_stack() {
  return Json::parse(
      R"({"name": "mynet", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.22.0.0/16"}], [{"subnet": "fd00:22::/64"}]]}})");
}

class Sbr : public ChainedTest {
 protected:
  /// "10.22.0.2 lookup 100", both families, without the kernel's own.
  static std::vector<std::string> rules(int netns) {
    std::vector<std::string> lines;
    for (const char* family : {"-4", "-6"}) {
      for (const Json& rule : tool_json({"ip", family, "-j", "rule"}, netns)) {
        const std::string from = rule.value("src", "");
        if (from != "all") lines.push_back(from + " lookup " + rule.value("table", ""));
      }
    }
    return lines;
  }
  static std::vector<std::string> table(const std::string& id, int netns) {
    std::vector<std::string> lines;
    for (const char* family : {"-4", "-6"}) {
      for (const Json& route :
           tool_json({"ip", family, "-j", "route", "show", "table", "all"}, netns)) {
        if (route.value("table", "main") != id) continue;
        const std::string dst = route.value("dst", "");
        if (dst.starts_with("fe80") || dst.starts_with("multicast")) continue;
        std::string line = dst;
        if (route.contains("gateway")) line += " via " + route["gateway"].get<std::string>();
        if (route.contains("prefsrc")) line += " src " + route["prefsrc"].get<std::string>();
        lines.push_back(line);
      }
    }
    return lines;
  }
  Attachment dual(const std::string& name = "c1") {
    return attachment(with_version(dual_stack(), "1.0.0"), name);
  }
};

TEST_F(Sbr, EachAddressHasItsRuleAndTable) {
  const Attachment first = dual();
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  const Snapshot before = kernel_snapshot(inside);
  const Attachment job = after(first, bridge, {{"type", "sbr"}});
  EXPECT_EQ(must_add(job), bridge);
  EXPECT_THAT(rules(inside), ElementsAre("10.22.0.2 lookup 100", "fd00:22::2 lookup 101"));
  EXPECT_THAT(table("100", inside),
              ElementsAre("default via 10.22.0.1", "10.22.0.0/16 src 10.22.0.2"));
  EXPECT_THAT(table("101", inside), ElementsAre("fd00:22::/64", "default via fd00:22::1"));
  EXPECT_THAT(routes_of(inside), IsEmpty());
  EXPECT_FALSE(container_of(first).succeeds({"ping", "-c1", "-W1", "10.22.0.1"}))
      << "without a source nothing leads there";
  EXPECT_TRUE(container_of(first).succeeds({"ping", "-c1", "-W2", "-I", "10.22.0.2", "10.22.0.1"}));
  expect_silent_success(job.check(bridge));
  expect_silent_success(first.check(bridge));
  expect_silent_success(job.del(bridge));
  EXPECT_EQ(difference(before, kernel_snapshot(inside)), "") << "routes are back";
  expect_silent_success(job.del());
  expect_silent_success(first.del());
}

TEST_F(Sbr, InAList) {
  Json config = list({{"type", "sbr"}});
  const Attachment job = attachment(config);
  const Snapshot inside = kernel_snapshot(container_of(job).fd());
  const Json result = must_add(job);
  EXPECT_THAT(rules(container_of(job).fd()), ElementsAre("10.22.0.2 lookup 100"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(inside, kernel_snapshot(container_of(job).fd())), "");
}

TEST_F(Sbr, TwoInterfacesTakeDifferentTablesAlsoAtOnce) {
  const Attachment first = dual();
  Attachment second = first;
  second.if_name = "net1";
  second.config["name"] = "othernet";
  second.config["bridge"] = "cni1";
  second.config["ipam"] = {{"type", "host-local"}, {"subnet", "10.33.0.0/16"}};
  second.config.erase("isDefaultGateway");
  second.config["isGateway"] = true;
  const Attachment one = after(first, must_add(first), {{"type", "sbr"}});
  const Attachment two = after(second, must_add(second), {{"type", "sbr"}});
  const int inside = container_of(first).fd();
  for (int round = 0; round < 5; ++round) {
    Running a(one.spawn("ADD", one.config));
    Running b(two.spawn("ADD", two.config));
    ASSERT_TRUE(a.wait().ok());
    ASSERT_TRUE(b.wait().ok());
    std::set<std::string> tables;
    const auto all = rules(inside);
    for (const std::string& rule : all) tables.insert(rule.substr(rule.rfind(' ')));
    EXPECT_EQ(all.size(), 3U);
    EXPECT_EQ(tables.size(), 3U);
    // Each by its own way, whoever is asked for.
    EXPECT_TRUE(
        container_of(first).succeeds({"ping", "-c1", "-W2", "-I", "10.33.0.2", "10.33.0.1"}));
    EXPECT_TRUE(
        container_of(first).succeeds({"ping", "-c1", "-W2", "-I", "10.22.0.2", "10.22.0.1"}));
    expect_silent_success(one.del());
    expect_silent_success(two.del());
    EXPECT_THAT(rules(inside), IsEmpty());
  }
}

TEST_F(Sbr, TablesInUseAreLeftAlone) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Container& c = container_of(first);
  c.run({"ip", "rule", "add", "from", "192.0.2.1", "lookup", "100"});
  c.run({"ip", "route", "add", "192.0.2.0/24", "dev", "eth0", "table", "101"});
  const Attachment job = after(first, bridge, {{"type", "sbr"}});
  must_add(job);
  EXPECT_THAT(rules(c.fd()), Contains("10.22.0.2 lookup 102"));
  EXPECT_THAT(table("101", c.fd()), ElementsAre("192.0.2.0/24"));
  expect_silent_success(job.del());
  EXPECT_THAT(rules(c.fd()), ElementsAre("192.0.2.1 lookup 100"));
}

TEST_F(Sbr, FixedTableGatewaysAndHints) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  Attachment job = after(first, bridge, {{"type", "sbr"}, {"table", 5000}});
  must_add(job);
  EXPECT_THAT(rules(inside), ElementsAre("10.22.0.2 lookup 5000"));
  EXPECT_THAT(table("5000", inside), IsEmpty());
  EXPECT_THAT(routes_of(inside), ElementsAre("default via 10.22.0.1", "10.22.0.0/16"));
  expect_silent_success(job.check(bridge));
  expect_silent_success(job.del());
  EXPECT_THAT(rules(inside), IsEmpty());

  job = after(first, bridge,
              {{"type", "sbr"}, {"gateways", {"10.22.0.254"}}, {"addSourceHints", true}});
  must_add(job);
  EXPECT_THAT(table("100", inside),
              ElementsAre("default via 10.22.0.254", "10.22.0.0/16 src 10.22.0.2"));
  EXPECT_THAT(table("main", inside), ElementsAre("10.22.0.0/16 src 10.22.0.2"));
  expect_silent_success(job.check(bridge));
  expect_silent_success(job.del());
  EXPECT_THAT(routes_of(inside), ElementsAre("default via 10.22.0.1", "10.22.0.0/16"));
}

TEST_F(Sbr, DelIsLenient) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Attachment job = after(first, bridge, {{"type", "sbr"}});
  must_add(job);
  tool({"rm", "-r", "/run/unicni"});
  job.config.erase("prevResult");
  expect_silent_success(job.del());
  EXPECT_THAT(rules(container_of(first).fd()), IsEmpty()) << "without journal and prevResult";
  for (const char* path : {"", "/run/netns/never-there"}) {
    job.netns = path;
    expect_silent_success(job.del());
    expect_silent_success(job.del());
  }
  EXPECT_FALSE(exists("/run/netns/never-there"));
}

/// As a lease that moves makes of it.
TEST_F(Sbr, AnAddressThatTheContainerGaveUpKeepsNoDel) {
  for (const bool has_another : {false, true}) {
    const Attachment job = attachment(list({{"type", "sbr"}}), has_another ? "c2" : "c1");
    const Json result = must_add(job);
    const int inside = container_of(job).fd();
    tool({"ip", "addr", "flush", "dev", "eth0"}, inside);
    if (has_another) tool({"ip", "addr", "add", "10.99.0.7/24", "dev", "eth0"}, inside);
    const Output del = job.del(result);
    EXPECT_TRUE(del.ok()) << del.str();
    EXPECT_THAT(del.err, HasSubstr("sbr: warning: not put back: add route"));
    EXPECT_THAT(rules(inside), IsEmpty());
    EXPECT_THAT(link_names(inside), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
}

TEST_F(Sbr, DelDoesNotWaitForAContainerThatHoldsTheLockOfItsNamespace) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Attachment job = after(first, bridge, {{"type", "sbr"}});
  must_add(job);
  const int inside = container_of(first).fd();
  ASSERT_EQ(::flock(inside, LOCK_EX | LOCK_NB), 0);
  tool({"rm", "-r", "/run/unicni"});
  const Output del = job.del();
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_THAT(del.err, HasSubstr("going on without the lock"));
  EXPECT_LT(del.ms, 5'000);
  EXPECT_THAT(rules(inside), IsEmpty());
  ::flock(inside, LOCK_UN);
}

TEST_F(Sbr, AFailedAddLeavesNothing) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  const Snapshot before = kernel_snapshot(inside);
  const Attachment unreachable =
      after(first, bridge, {{"type", "sbr"}, {"gateways", {"192.0.2.77"}}});
  EXPECT_THAT(expect_error(unreachable.add())["msg"], HasSubstr("192.0.2.77"));
  EXPECT_EQ(difference(before, kernel_snapshot(inside)), "");
}

TEST_F(Sbr, CheckTellsWhatIsMissing) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Attachment job = after(first, bridge, {{"type", "sbr"}});
  must_add(job);
  const Container& c = container_of(first);
  c.run({"ip", "route", "del", "default", "table", "100"});
  EXPECT_THAT(expect_error(job.check(bridge))["msg"],
              HasSubstr("table 100 has no default route via 10.22.0.1 dev eth0"));
  c.run({"ip", "rule", "del", "from", "10.22.0.2"});
  EXPECT_THAT(expect_error(job.check(bridge))["msg"], HasSubstr("there is no rule from 10.22.0.2"));
  expect_silent_success(job.del());
}

TEST_F(Sbr, ReferenceAndOursTakeOverFromEachOther) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Attachment ours = after(first, bridge, {{"type", "sbr"}});
  Attachment reference = ours;
  reference.folder = kReferenceDir;
  const int inside = container_of(first).fd();
  must_add(reference);
  expect_silent_success(ours.check(bridge));
  expect_silent_success(ours.del(bridge));
  EXPECT_THAT(rules(inside), IsEmpty());
  expect_silent_success(first.del());

  const Attachment again = bridged("c2");
  const Json result = must_add(again);
  must_add(after(again, result, {{"type", "sbr"}}));
  reference = after(again, result, {{"type", "sbr"}});
  reference.folder = kReferenceDir;
  EXPECT_TRUE(reference.del(result).ok());
  EXPECT_THAT(rules(container_of(again).fd()), IsEmpty());
}

TEST_F(Sbr, GcUndoesWhatIsNotValid) {
  const Attachment first = bridged("c1", "1.1.0");
  const Json bridge = must_add(first);
  const Attachment job = after(first, bridge, {{"type", "sbr"}});
  must_add(job);
  const int inside = container_of(first).fd();
  Attachment nobody = job;
  nobody.config.erase("prevResult");
  nobody.netns = nobody.container_id = nobody.if_name = "";
  expect_silent_success(nobody.gc(Json::array({valid_entry(job)})));
  EXPECT_THAT(rules(inside), ElementsAre("10.22.0.2 lookup 100"));
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_THAT(rules(inside), IsEmpty());
  EXPECT_THAT(routes_of(inside), ElementsAre("default via 10.22.0.1", "10.22.0.0/16"));
}

TEST_F(Sbr, TheInterfacesOwnPluginFindsItsRoutesWhereSbrMovedThem) {
  int count = 0;
  for (const char* type : {"bridge", "ptp"}) {
    for (const char* routes : {"[]", R"([{"dst": "0.0.0.0/0"}, {"dst": "::/0"}])"}) {
      SCOPED_TRACE(std::string(type) + " with routes " + routes);
      Json config = dual_stack();
      config["cniVersion"] = "1.0.0";
      config["name"] = "net" + std::to_string(++count);
      config["type"] = type;
      config["ipam"]["routes"] = Json::parse(routes);
      const Attachment first = attachment(config, "c" + std::to_string(count));
      const Attachment job = after(first, must_add(first), {{"type", "sbr"}});
      const Json result = must_add(job);
      expect_silent_success(first.check(result));
      expect_silent_success(job.check(result));
      // What is nowhere is missed.
      tool({"ip", "route", "flush", "table", "100"}, netns(first));
      expect_error(first.check(result));
      expect_silent_success(job.del(result));
      expect_silent_success(first.del(result));
    }
  }
}

TEST_F(Sbr, StatusTellsOfAKernelWithoutRules) {
  const Attachment job = attachment({{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"type", "sbr"}});
  expect_silent_success(job.status());
  const Injection without = fail_at(job.spawn("STATUS", job.config), 1, Fault::message);
  ASSERT_TRUE(without.reached);
  EXPECT_EQ(without.output.json()["code"], 50) << without.output.str();
}

}  // namespace
}  // namespace unicni::test::sbr_test
