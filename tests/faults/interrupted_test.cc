// Verbs of one attachment that meet in the midst of each other, and undoing that fails for now.
#include <algorithm>
#include <optional>

#include "integration/host_test.h"
#include "support/recorder.h"
#include "support/tracer.h"

namespace unicni::test::interrupted_test {
namespace {

using ::testing::IsEmpty;

class Interrupted : public HostTest {
 protected:
  static Json list() {
    return Json::parse(R"({
      "cniVersion": "1.1.0", "name": "net", "type": "unicni", "plugins": [
        {"type": "bridge", "bridge": "br0", "ipMasq": true,
         "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}},
        {"type": "loopback"}]
    })");
  }
};

// A DEL between two steps of the list would leave an ADD that reports an interface which is gone.
TEST_F(Interrupted, DelOfAListWaitsUntilItsAddHasAnswered) {
  const Attachment job = attachment(list());
  const int netns = container_of(job).fd();
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    std::optional<Running> del;
    const Stop stop = pause_at(job.spawn("ADD", job.config), k, [&] {
      del.emplace(job.spawn("DEL", job.config));
      static_cast<void>(del->ends_within(std::chrono::milliseconds(100)));
    });
    if (!stop.reached) break;
    SCOPED_TRACE("ADD paused before step " + stop.step);
    ASSERT_TRUE(stop.output.ok()) << stop.output.str();
    expect_silent_success(del->wait());
    // DEL came first or last, never between: all of the attachment is there or nothing.
    const bool alive = find_link("eth0", netns).has_value();
    EXPECT_EQ(reservations("net").size(), alive ? 1U : 0U);
    EXPECT_EQ(masqueraded(4).size(), alive ? 1U : 0U);
    EXPECT_EQ(files_in(kJournals).size(), alive ? 1U : 0U);
    if (alive) expect_silent_success(job.check(stop.output.json()));
    expect_silent_success(job.del());
    if (HasFailure()) return;
  }
}

// Its roll-back must not hit the attachment of the ADD after it.
TEST_F(Interrupted, AddWhoseAnswerNobodyTakesLeavesTheNextOneAlone) {
  const Attachment job = attachment(list());
  const Spawn spawn = job.spawn("ADD", job.config);
  const Output output = run({.argv = {"sh", "-c", "exec \"$0\" > /dev/full", spawn.argv[0]},
                             .env = spawn.env,
                             .in = spawn.in,
                             .program = "/bin/sh"});
  EXPECT_GT(output.status, 0);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
}

TEST_F(Interrupted, WhatAnAddCannotUndoOfAnEarlierOneStaysInTheJournal) {
  Recorder ipam("fake");
  ipam.answer("ADD", R"({"cniVersion": "1.1.0", "ips": [{"address": "10.1.2.77/24"}]})");
  Attachment job = attachment(Json::parse(R"({
    "cniVersion": "1.1.0", "name": "net", "type": "bridge", "bridge": "br0",
    "ipam": {"type": "fake"}})"));
  job.cni_path = bin_dir() + ':' + ipam.folder();
  // Killed after IPAM's ADD.
  for (int k = 1; ipam.calls().empty(); ++k) {
    ASSERT_LT(k, 200);
    kill_at(job.spawn("ADD", job.config), k);
  }
  const auto deletions = [&] {
    const auto commands = ipam.commands();
    return std::count(commands.begin(), commands.end(), "DEL");
  };
  ipam.answer("DEL", R"({"code": 112, "msg": "not now"})", 1);
  must_add(job);
  const auto before = deletions();
  EXPECT_GT(before, 0);
  ipam.answer("DEL", "");
  expect_silent_success(job.del());
  EXPECT_EQ(deletions(), before + 2) << "one for each ADD";
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::interrupted_test
