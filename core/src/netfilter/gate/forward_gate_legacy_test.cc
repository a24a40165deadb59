#include "netfilter/gate/forward_gate_legacy.h"

#include <gmock/gmock.h>
#include <sys/mount.h>

#include "base/in_namespace_for_test.h"
#include "base/temp_folder_for_test.h"
#include "net/private_netns_for_test.h"
#include "netfilter/iptables/legacy_table.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net::forward_gate_legacy_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kAdmin = "CNI-ADMIN";

class LegacyGateTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    shell(
        "iptables-legacy -w -P FORWARD DROP; iptables-legacy -w -A FORWARD -s 192.0.2.1 -j ACCEPT; "
        "ip6tables-legacy -w -P FORWARD DROP");
    before_ = rules();
  }
  static std::string rules() {
    return shell(
        "{ iptables-legacy-save; ip6tables-legacy-save; } | sed -e /^#/d -e 's/ .[0-9]*:.*//'");
  }
  void ensure() { EXPECT_EQ(ensure_legacy_gate(kAdmin, services_), std::nullopt); }
  void repair() { EXPECT_EQ(repair_legacy_gate(kAdmin, services_), std::nullopt); }
  void remove() { remove_legacy_gate(kAdmin, services_); }
  std::optional<std::string> fault(const GateNeed& need = {}) {
    return find_legacy_gate_fault(kAdmin, need, services_.folders);
  }

  TempFolder temp_;
  const Services services_{.folders = {.run = temp_.path()}};
  const std::string note_ = legacy_gate_note(services_.folders);
  std::string before_;
};

TEST_F(LegacyGateTest, IsListedAsIptablesOwn) {
  EXPECT_THAT(fault().value_or(""), HasSubstr("iptables-legacy"));
  ensure();
  const std::string listed = shell("iptables-legacy -w -S");
  EXPECT_THAT(listed, HasSubstr("-A FORWARD -j CNI-FORWARD\n-A FORWARD -s 192.0.2.1/32 -j ACCEPT"));
  const std::string chain =
      "-A CNI-FORWARD -j CNI-ADMIN\n-A CNI-FORWARD -m mark --mark 0x1000/0x1000 -m comment "
      "--comment \"marked by unicni, see: nft list table inet unicni\" -j ACCEPT\n";
  EXPECT_EQ(shell("iptables-legacy -w -S CNI-FORWARD"), "-N CNI-FORWARD\n" + chain);
  EXPECT_EQ(shell("ip6tables-legacy -w -S CNI-FORWARD"), "-N CNI-FORWARD\n" + chain);
  EXPECT_EQ(fault(), std::nullopt);
  const std::string once = rules();
  repair();
  EXPECT_EQ(rules(), once);
}

TEST_F(LegacyGateTest, ARuleOfAnEarlierVersionHasNoCommentAndIsOursAllTheSame) {
  const std::string bare = "CNI-FORWARD -m mark --mark 0x1000/0x1000 -j ACCEPT";
  ensure();
  shell("iptables-legacy -w -D CNI-FORWARD 2; iptables-legacy -w -A " + bare);
  EXPECT_EQ(fault(), std::nullopt);
  repair();
  EXPECT_THAT(rules(), HasSubstr("-A " + bare));
  remove();
  EXPECT_EQ(rules(), before_);
  ensure();
  shell("iptables-legacy -w -A " + bare);
  remove();
  EXPECT_EQ(rules(), before_);
}

TEST_F(LegacyGateTest, IsRemovedWithoutATrace) {
  ensure();
  remove();
  EXPECT_EQ(rules(), before_);
  EXPECT_FALSE(sys::read_file(note_));
  remove();
  EXPECT_EQ(rules(), before_);
}

TEST_F(LegacyGateTest, MakesNoTable) {
  NewNetns empty;
  empty.open().run([&] {
    EXPECT_EQ(ensure_legacy_gate(kAdmin, services_), std::nullopt);
    EXPECT_EQ(fault(), std::nullopt);
    remove();
    EXPECT_THAT(shell("cat /proc/thread-self/net/ip_tables_names"), IsEmpty());
    EXPECT_THAT(shell("cat /proc/thread-self/net/ip6_tables_names"), IsEmpty());
  });
  EXPECT_FALSE(sys::read_file(note_));
}

TEST_F(LegacyGateTest, LeavesAFamilyWithoutFilterTableAlone) {
  NewNetns other;
  other.open().run([&] {
    shell("iptables-legacy -w -P FORWARD DROP");
    ensure();
    EXPECT_EQ(fault(), std::nullopt);
    EXPECT_THAT(shell("cat /proc/thread-self/net/ip6_tables_names"), IsEmpty());
  });
}

TEST_F(LegacyGateTest, IsRepairedWhereverItWasFlushed) {
  ensure();
  const std::string whole = rules();
  for (const char* damage :
       {"iptables-legacy -w -D FORWARD 1", "iptables-legacy -w -F CNI-FORWARD",
        "ip6tables-legacy -w -D CNI-FORWARD 2", "iptables-legacy -w -D CNI-FORWARD 1",
        "iptables-legacy -w -F; iptables-legacy -w -X; iptables-legacy -w -A FORWARD -s 192.0.2.1 "
        "-j "
        "ACCEPT"}) {
    shell(damage);
    EXPECT_THAT(fault().value_or(""), HasSubstr("FORWARD")) << damage;
    ensure();
    EXPECT_EQ(rules(), whole) << damage;
  }
}

TEST_F(LegacyGateTest, ATableOfTheSameSizeIsReadByRepairOnly) {
  ensure();
  const std::string whole = rules();
  const auto size = find_legacy_size(Family::v4, "filter");
  // What is as long as our jump.
  shell("iptables-legacy -w -R FORWARD 1 -j CNI-ADMIN");
  ASSERT_EQ(find_legacy_size(Family::v4, "filter"), size);
  const std::string damaged = rules();
  ensure();
  EXPECT_EQ(rules(), damaged) << "the note says that nothing changed: the table isn't read";
  EXPECT_NE(fault(), std::nullopt);
  repair();
  EXPECT_THAT(shell("iptables-legacy -w -S FORWARD"),
              HasSubstr("-A FORWARD -j CNI-FORWARD\n-A FORWARD -j CNI-ADMIN"));
}

TEST_F(LegacyGateTest, TwoAdministratorsChainsAreNotedTogether) {
  ensure();
  EXPECT_EQ(ensure_legacy_gate("MY-ADMIN", services_), std::nullopt);
  EXPECT_EQ(shell("iptables-legacy -w -S CNI-FORWARD | grep -c ADMIN"), "2\n");
  ensure();
  const std::string both = sys::read_file(note_).value();
  EXPECT_THAT(both, testing::EndsWith("\nMY-ADMIN\nCNI-ADMIN\n"));
  EXPECT_EQ(ensure_legacy_gate("MY-ADMIN", services_), std::nullopt);
  EXPECT_EQ(sys::read_file(note_), both);
}

TEST_F(LegacyGateTest, ANoteOfAnotherHostOrBootIsNone) {
  ensure();
  std::string note = sys::read_file(note_).value();
  shell("iptables-legacy -w -R FORWARD 1 -j CNI-ADMIN");
  for (std::size_t word : {note.find(' ') + 1, note.find(':') + 1}) {
    std::string other = note;
    other[word] = other[word] == '1' ? '2' : '1';
    sys::write_file_atomically(note_, other, 0600);
    ensure();
    EXPECT_EQ(fault(), std::nullopt) << other;
    EXPECT_THAT(sys::read_file(note_).value_or(""), Not(other));
    shell("iptables-legacy -w -D FORWARD -j CNI-FORWARD");
  }
}

TEST_F(LegacyGateTest, ComesBehindDockersUserChain) {
  shell(
      "iptables-legacy -w -N DOCKER-USER; iptables-legacy -w -I FORWARD -s 192.0.2.7 -j DROP; "
      "iptables-legacy -w -I FORWARD 2 -j DOCKER-USER");
  ensure();
  EXPECT_THAT(shell("iptables-legacy -w -S FORWARD"),
              HasSubstr("-A FORWARD -s 192.0.2.7/32 -j DROP\n-A FORWARD -j DOCKER-USER\n"
                        "-A FORWARD -j CNI-FORWARD\n-A FORWARD -s 192.0.2.1/32 -j ACCEPT"));
}

TEST_F(LegacyGateTest, AnAdministratorsRulesStay) {
  ensure();
  shell("iptables-legacy -w -A CNI-ADMIN -s 192.0.2.9 -j DROP");
  remove();
  EXPECT_THAT(rules(), HasSubstr("-A CNI-ADMIN -s 192.0.2.9/32 -j DROP"));
  EXPECT_THAT(rules(), Not(HasSubstr("CNI-FORWARD")));
}

TEST_F(LegacyGateTest, TheReferencesRulesKeepItsChain) {
  ensure();
  shell("iptables-legacy -w -A CNI-FORWARD -s 10.9.0.5/32 -j ACCEPT");
  EXPECT_EQ(fault(), std::nullopt);
  remove();
  EXPECT_THAT(rules(), HasSubstr("-A FORWARD -j CNI-FORWARD"));
  EXPECT_THAT(rules(), HasSubstr("-A CNI-FORWARD -s 10.9.0.5/32 -j ACCEPT"));
  EXPECT_THAT(rules(), Not(HasSubstr("0x1000")));
}

TEST_F(LegacyGateTest, AnotherMarkReplacesTheOldOnesRule) {
  ensure();
  const std::string whole = rules();
  shell(
      "iptables-legacy -w -D CNI-FORWARD 2; "
      "iptables-legacy -w -A CNI-FORWARD -m mark --mark 0x80/0x80 -j ACCEPT");
  EXPECT_NE(fault(), std::nullopt);
  repair();
  EXPECT_EQ(rules(), whole);
  shell("iptables-legacy -w -A CNI-FORWARD -m mark --mark 0x80/0x80 -j ACCEPT");
  remove();
  EXPECT_EQ(rules(), before_);
}

TEST_F(LegacyGateTest, AConditionalJumpOfSomebodyElseIsNotOurs) {
  shell(
      "iptables-legacy -w -N CNI-FORWARD; iptables-legacy -w -A FORWARD -s 192.0.2.3 -j "
      "CNI-FORWARD; "
      "iptables-legacy -w -A FORWARD -g CNI-FORWARD");
  EXPECT_NE(fault(), std::nullopt);
  ensure();
  EXPECT_EQ(fault(), std::nullopt);
  remove();
  EXPECT_THAT(rules(), HasSubstr("-A FORWARD -s 192.0.2.3/32 -j CNI-FORWARD\n"));
}

TEST_F(LegacyGateTest, ManyAtOnceMakeItOnce) {
  EXPECT_TRUE(in_processes(6, [&](int) { ensure_legacy_gate(kAdmin, services_); }));
  EXPECT_EQ(fault(), std::nullopt);
  remove();
  EXPECT_EQ(rules(), before_);
}

TEST_F(LegacyGateTest, WithoutTheProgramADropIsAnErrorAndElseAWarning) {
  in_namespace(CLONE_NEWNS, [this] {
    ASSERT_EQ(0, ::mount("none", "/usr/sbin", "tmpfs", 0, nullptr)) << errno;
    try {
      ensure_legacy_gate(kAdmin, services_);
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), HasSubstr("there is no iptables-legacy-restore on this host"));
      EXPECT_THAT(error.details(), HasSubstr("install the package iptables"));
    }
    EXPECT_FALSE(sys::read_file(note_));
  });
  shell("iptables-legacy -w -P FORWARD ACCEPT; ip6tables-legacy -w -P FORWARD ACCEPT");
  in_namespace(CLONE_NEWNS, [this] {
    ASSERT_EQ(0, ::mount("none", "/usr/sbin", "tmpfs", 0, nullptr)) << errno;
    const std::string warning = ensure_legacy_gate(kAdmin, services_).value_or("");
    EXPECT_THAT(warning, HasSubstr("install the package iptables"));
    EXPECT_THAT(fault().value_or(""), HasSubstr("FORWARD"));
    EXPECT_EQ(fault({GateNeed::Where::may_drop}), std::nullopt) << "the attachments work";
    EXPECT_FALSE(sys::read_file(note_)) << "the package may come";
  });
}

/// As iptables-legacy -L makes an empty table, and others make theirs.
TEST_F(LegacyGateTest, IsMissedByAttachmentsOnlyWhereAPacketMayBeDropped) {
  shell("iptables-legacy -w -P FORWARD ACCEPT; ip6tables-legacy -w -P FORWARD ACCEPT");
  const GateNeed may_drop{GateNeed::Where::may_drop};
  shell("iptables-legacy -w -N THEIRS; iptables-legacy -w -A FORWARD -j THEIRS");
  for (const char* passes : {"-j ACCEPT", "-j LOG", "-j RETURN", ""}) {
    shell(std::string("iptables-legacy -w -A THEIRS -s 192.0.2.9 ") + passes);
    EXPECT_EQ(fault(may_drop), std::nullopt) << passes;
  }
  EXPECT_NE(fault(), std::nullopt);
  for (const char* drops : {"-j DROP", "-j REJECT", "-j QUEUE"}) {
    for (const char* chain : {"THEIRS", "FORWARD"}) {
      const std::string rule = std::string(chain) + " -s 192.0.2.9 " + drops;
      shell("iptables-legacy -w -A " + rule);
      EXPECT_NE(fault(may_drop), std::nullopt) << rule;
      EXPECT_EQ(fault({GateNeed::Where::may_drop, {Family::v6}}), std::nullopt) << rule;
      shell("iptables-legacy -w -D " + rule);
      EXPECT_EQ(fault(may_drop), std::nullopt) << rule;
    }
  }
  shell("ip6tables-legacy -w -P FORWARD DROP");
  EXPECT_NE(fault(may_drop), std::nullopt);
}

TEST_F(LegacyGateTest, APlainNameIsLegacyOnlyWithoutTheOtherFlavour) {
  in_namespace(CLONE_NEWNS, [this] {
    shell(
        "mkdir -p /run/unicni-sbin && cp -a /usr/sbin/xtables* /run/unicni-sbin && "
        "mount -t tmpfs none /usr/sbin && cp -a /run/unicni-sbin/. /usr/sbin && "
        "rm -rf /run/unicni-sbin && ln -s xtables-nft-multi /usr/sbin/iptables-restore && "
        "ln -s xtables-nft-multi /usr/sbin/iptables-nft-restore");
    EXPECT_THROW(ensure_legacy_gate(kAdmin, services_), Error);
    shell(
        "cd /usr/sbin && rm iptables-nft-restore && "
        "ln -sf xtables-legacy-multi iptables-restore && "
        "ln -sf xtables-legacy-multi ip6tables-restore");
    EXPECT_EQ(ensure_legacy_gate(kAdmin, services_), std::nullopt);
    EXPECT_EQ(fault(), std::nullopt);
  });
}

TEST_F(LegacyGateTest, ReadsTheTableAsIptablesListsIt) {
  shell(
      "iptables-legacy -w -N ONE; iptables-legacy -w -A ONE -m mark --mark 0x3 -j ACCEPT; "
      "iptables-legacy -w -A ONE -m mark ! --mark 0x4/0x4 -j ACCEPT; "
      "iptables-legacy -w -A ONE -m mark --mark 0x8/0x8 -p tcp -j ACCEPT; "
      "iptables-legacy -w -A ONE -m mark --mark 0x10/0x10 -j DROP; iptables-legacy -w -A ONE; "
      "iptables-legacy -w -N TWO; iptables-legacy -w -A TWO -j ONE; iptables-legacy -w -A TWO -j "
      "ACCEPT");
  const auto table = read_legacy_table(Family::v4, "filter");
  ASSERT_TRUE(table);
  std::vector<std::string> names;
  for (const LegacyChain& chain : table->chains) names.push_back(chain.name);
  EXPECT_THAT(names, testing::ElementsAre("INPUT", "FORWARD", "OUTPUT", "ONE", "TWO"));
  EXPECT_TRUE(table->find("FORWARD")->ends_with_drop);
  EXPECT_FALSE(table->find("INPUT")->ends_with_drop);
  const auto& one = table->find("ONE")->rules;
  ASSERT_EQ(one.size(), 5U);
  EXPECT_EQ(one[0].mark, 0U) << "another mask";
  EXPECT_EQ(one[1].mark, 0U) << "negated";
  EXPECT_EQ(one[2].mark, 0U) << "and more conditions";
  EXPECT_EQ(one[3].mark, 0x10U);
  EXPECT_FALSE(one[3].accepts);
  EXPECT_TRUE(one[4].plain);
  EXPECT_THAT(one[4].target, IsEmpty());
  const auto& two = table->find("TWO")->rules;
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].target, "ONE");
  EXPECT_TRUE(two[1].accepts);
}

TEST_F(LegacyGateTest, IsMissedByTheFamiliesOfTheContainerOnly) {
  ensure();
  shell("ip6tables-legacy -w -F FORWARD");
  EXPECT_EQ(fault({.families = {Family::v4}}), std::nullopt);
  EXPECT_NE(fault({.families = {Family::v6}}), std::nullopt);
}

}  // namespace
}  // namespace unicni::net::forward_gate_legacy_test
