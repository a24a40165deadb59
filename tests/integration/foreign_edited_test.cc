// A list that was edited while its attachment lives, behind a main plugin of another maker.
#include "integration/foreign_host.h"

namespace unicni::test::foreign_edited_test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class EditedBehindForeign : public ForeignHost {
 protected:
  static Json tuning(const std::string& key) {
    return {{"type", "tuning"}, {"sysctl", {{"net.ipv4.conf.eth0.arp_" + key, "1"}}}};
  }
  /// Two members were added, and DEL came by a list that has the second one alone. Then the main
  /// plugin took its interface away.
  void leave_one() {
    wire(Wiring::routed);
    result_ = result_of(kKubeOvn);
    const Attachment second = plugin(result_, tuning("filter"));
    must_add(plugin(result_, tuning("ignore")));
    must_add(second);
    expect_silent_success(second.del());
    tool({"ip", "link", "del", "pod0"});
    ASSERT_THAT(files_in(kJournals), SizeIs(1)) << "nobody is asked to take the first one back";
  }
  Json result_;
};

TEST_F(EditedBehindForeign, TheRestOfTheAttachmentGoesWithGc) {
  leave_one();
  Attachment collector = plugin(result_, tuning("filter"));
  collector.config["cniVersion"] = "1.1.0";
  collector.config.erase("prevResult");
  collector.container_id = collector.netns = collector.if_name = "";
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(EditedBehindForeign, TheRestOfTheAttachmentGoesWithASecondDel) {
  leave_one();
  expect_silent_success(plugin(result_, tuning("filter")).del());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(EditedBehindForeign, TheRestOfTheAttachmentGoesWithStatusWhenItsNamespaceIsGone) {
  leave_one();
  Attachment asked = plugin(result_, tuning("filter"));
  pod_.remove();
  asked.config["cniVersion"] = "1.1.0";
  asked.config.erase("prevResult");
  asked.container_id = asked.netns = asked.if_name = "";
  expect_silent_success(asked.status());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(EditedBehindForeign, TheRestOfTheAttachmentHindersNoAddOfANewLife) {
  leave_one();
  join("pod0");
  const Attachment first = plugin(result_, tuning("ignore"));
  must_add(first);
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_ignore", pod_.fd()), "1");
  expect_silent_success(first.del());
  EXPECT_EQ(sysctl("net/ipv4/conf/eth0/arp_ignore", pod_.fd()), "0");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

/// Lists as libcni runs them, plugin by plugin: what the first one knows of the host gets lost on
/// the wire.
}  // namespace
}  // namespace unicni::test::foreign_edited_test
