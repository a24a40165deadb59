// firewall on hosts whose FORWARD chain drops in iptables-legacy, which nftables can't see.
#include <sstream>

#include "integration/firewall_host.h"
#include "support/tracer.h"

namespace unicni::test::firewall_legacy_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FirewallLegacy : public Firewall {
 protected:
  FirewallLegacy() {
    tool({"iptables-legacy", "-P", "FORWARD", "DROP"});
    tool({"iptables-legacy", "-A", "FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT"});
    tool({"ip6tables-legacy", "-P", "FORWARD", "DROP"});
    before_ = rules();
  }
  /// Without counters and times.
  static std::string rules() {
    std::istringstream saved(tool({"iptables-legacy-save"}).out +
                             tool({"ip6tables-legacy-save"}).out);
    std::string text;
    for (std::string line; std::getline(saved, line);) {
      if (line.starts_with('#')) continue;
      if (line.starts_with(':')) line.erase(line.find(" ["));
      text += line + '\n';
    }
    return text;
  }
  /// How many processes the call starts.
  static int processes_of(const Spawn& spawn) {
    const Life life = watch_births(spawn);
    EXPECT_EQ(life.output.status, 0);
    return static_cast<int>(life.births.size());
  }

  std::string before_;
};

TEST_F(FirewallLegacy, OpensAHostThatDropsAndClosesItAgain) {
  Json without = list("br1", 1);
  without["plugins"].erase(1);
  const Attachment closed = added(without, "closed");
  EXPECT_FALSE(reaches(closed, "198.51.100.2")) << "bridge alone opens nothing";
  EXPECT_EQ(rules(), before_);

  const Attachment open = added(list("br2", 2), "open");
  EXPECT_TRUE(reaches(open, "198.51.100.2"));
  EXPECT_FALSE(reaches(closed, "198.51.100.2"));
  EXPECT_FALSE(pings(outside_.fd(), address(open))) << "only answers come in";
  expect_silent_success(open.check(result_of(open)));

  expect_silent_success(open.del(result_of(open)));
  EXPECT_EQ(rules(), before_);
  expect_silent_success(closed.del(result_of(closed)));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(FirewallLegacy, AndNftablesBothDrop) {
  drop_forwarding();
  const std::string nft_before = foreign_rules();
  const Attachment job = added(list("br1", 1), "one");
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  expect_silent_success(job.del(result_of(job)));
  EXPECT_EQ(rules(), before_);
  EXPECT_EQ(foreign_rules(), nft_before);
}

TEST_F(FirewallLegacy, FlushedRulesAreRepairedByAddStatusAndGc) {
  const Json config = list("br1", 1);
  const Attachment job = added(config, "one");
  const std::string whole = rules();
  Attachment nobody;
  nobody.config = config;
  const auto damage = [&] {
    tool({"iptables-legacy", "-F", "CNI-FORWARD"});
    EXPECT_FALSE(reaches(job, "198.51.100.2"));
    EXPECT_THAT(expect_error(job.check(result_of(job)))["msg"], HasSubstr("iptables-legacy"));
  };
  damage();
  const Attachment other = added(config, "two");
  EXPECT_EQ(rules(), whole);
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  damage();
  expect_silent_success(nobody.status());
  EXPECT_EQ(rules(), whole);
  damage();
  expect_silent_success(nobody.gc(Json::array({valid_entry(job), valid_entry(other)})));
  EXPECT_EQ(rules(), whole);
  expect_silent_success(job.check(result_of(job)));
}

TEST_F(FirewallLegacy, RunsOneProgramAFamilyForTheFirstAttachmentAndTheLast) {
  const Json config = list("br1", 1);
  const Attachment first = attachment(config, "first");
  const Attachment second = attachment(config, "second");
  EXPECT_EQ(processes_of(first.spawn("ADD", config)), 2);
  EXPECT_EQ(processes_of(second.spawn("ADD", config)), 0);
  EXPECT_EQ(processes_of(second.spawn("DEL", config)), 0);
  EXPECT_EQ(processes_of(first.spawn("DEL", config)), 2);
  EXPECT_EQ(rules(), before_);
}

TEST_F(FirewallLegacy, TheLastDelTakesNothingFromAnAddBesideIt) {
  drop_forwarding();
  const Json config = list("br1", 1);
  Attachment old = added(config, "c0");
  for (int round = 1; round <= 12; ++round) {
    const Attachment next = attachment(config, "c" + std::to_string(round));
    Running del(old.spawn("DEL", config));
    Running add(next.spawn("ADD", config));
    EXPECT_TRUE(del.wait().ok());
    const Output output = add.wait();
    ASSERT_TRUE(output.ok()) << output.str();
    expect_silent_success(next.check(output.json()));
    old = next;
  }
  expect_silent_success(old.del());
  EXPECT_EQ(rules(), before_);
}

TEST_F(FirewallLegacy, AFailedAddLeavesNoRule) {
  Json config = list("br1", 1);
  config["plugins"].push_back({{"type", "tuning"}, {"sysctl", {{"net.ipv4.no_such_key", "1"}}}});
  expect_error(attachment(config, "one").add());
  EXPECT_EQ(rules(), before_);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(FirewallLegacy, NoneChangesNothing) {
  const Attachment job = added(list("br1", 1, {{"backend", "none"}}), "one");
  EXPECT_EQ(rules(), before_);
  expect_silent_success(job.check(result_of(job)));
  EXPECT_FALSE(reaches(job, "198.51.100.2"));
}

}  // namespace
}  // namespace unicni::test::firewall_legacy_test
