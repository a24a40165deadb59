// Many verbs at once.
#include <functional>
#include <optional>
#include <set>

#include "integration/host_test.h"
#include "support/tracer.h"

namespace unicni::test::parallel_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Parallel : public HostTest {
 protected:
  using Calls = std::vector<std::pair<const Attachment*, std::string>>;
  /// Starts all before it waits for the first; outputs in the same order.
  static std::vector<Output> at_once(const Calls& calls) {
    std::vector<Running> running;
    running.reserve(calls.size());
    for (const auto& [job, command] : calls) running.emplace_back(job->spawn(command, job->config));
    std::vector<Output> outputs;
    outputs.reserve(calls.size());
    for (Running& each : running) outputs.push_back(each.wait());
    return outputs;
  }
};

TEST_F(Parallel, TwentyContainersOnABridgeThatDoesNotExistYet) {
  constexpr int kCount = 20;
  std::vector<Attachment> jobs;
  for (int i = 0; i < kCount; ++i) jobs.push_back(attachment(mynet_1_0(), "c" + std::to_string(i)));
  const Snapshot before = snapshot();
  Calls adds;
  Calls dels;
  for (const Attachment& job : jobs) {
    adds.emplace_back(&job, "ADD");
    dels.emplace_back(&job, "DEL");
  }
  std::set<std::string> addresses;
  const auto outputs = at_once(adds);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    ASSERT_TRUE(outputs[i].ok()) << outputs[i].str();
    const Json result = outputs[i].json();
    addresses.insert(result["ips"][0]["address"]);
    expect_silent_success(jobs[i].check(result));
  }
  EXPECT_EQ(addresses.size(), jobs.size());
  EXPECT_EQ(reservations("mynet").size(), jobs.size());
  EXPECT_EQ(masqueraded(4).size(), jobs.size());
  EXPECT_THAT(addresses_of("cni0"), ElementsAre("10.22.0.1/16"));

  for (const Output& output : at_once(dels)) expect_silent_success(output);
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Parallel, AddsAndDelsOfOneAttachment) {
  const Attachment job = attachment(mynet_1_0());
  const Snapshot before = snapshot();
  for (int round = 0; round < 6; ++round) {
    SCOPED_TRACE(round);
    const auto outputs = at_once({{&job, "ADD"}, {&job, "DEL"}, {&job, "ADD"}, {&job, "DEL"}});
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      EXPECT_EQ(outputs[i].signal, 0);
      if (i % 2 == 1) {
        expect_silent_success(outputs[i]);
      } else if (!outputs[i].ok()) {
        expect_error(outputs[i]);  // the other ADD was first
      } else {
        EXPECT_TRUE(outputs[i].json().contains("ips"));
      }
    }
    // Whatever the order was: one attachment or none, all of it or nothing.
    const std::size_t alive = link_names(container_of(job).fd()).size();
    EXPECT_LE(alive, 1U);
    EXPECT_EQ(reservations("mynet").size(), alive);
    EXPECT_EQ(masqueraded(4).size(), alive);
    EXPECT_EQ(files_in(kJournals).size(), alive);
    expect_silent_success(job.del());
    EXPECT_EQ(left_on_host(before), "");
  }
}

TEST_F(Parallel, FailingAddsLeaveTheBridgeOfASucceedingOne) {
  Json bad = mynet_1_0();
  bad["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  std::vector<Attachment> jobs;
  for (int i = 0; i < 8; ++i)
    jobs.push_back(attachment(i % 2 == 0 ? mynet_1_0() : bad, "c" + std::to_string(i)));
  Calls adds;
  for (const Attachment& job : jobs) adds.emplace_back(&job, "ADD");
  const auto outputs = at_once(adds);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    SCOPED_TRACE(i);
    if (i % 2 == 1) {
      expect_error(outputs[i]);
      continue;
    }
    EXPECT_TRUE(outputs[i].ok()) << outputs[i].str();
    if (outputs[i].ok()) expect_silent_success(jobs[i].check(outputs[i].json()));
  }
  EXPECT_EQ(reservations("mynet").size(), 4U);
  EXPECT_EQ(masqueraded(4).size(), 4U);
}

// One verb stopped at each of its steps while another runs from begin to end: all that a race can
// be.
class Interleaved : public Parallel {
 protected:
  /// `paused` is stopped before its k-th step, `other` runs; if a lock holds it up, the paused one
  /// goes first.
  struct Both {
    Stop paused;
    Output other;
  };
  static Both interleave(const Spawn& paused, int k, const Spawn& other) {
    std::optional<Running> running;
    const Stop stop = pause_at(paused, k, [&] {
      running.emplace(other);
      static_cast<void>(running->ends_within(std::chrono::milliseconds(150)));
    });
    return {stop, running ? running->wait() : Output()};
  }
  /// For each step of `first`'s ADD on a host without the bridge: what `second`'s ADD between makes
  /// of it.
  void interleave_adds(const Json& first_config,
                       const std::function<void(const Attachment&, const Stop&)>& judge_first) {
    for (int k = 1;; ++k) {
      ASSERT_LT(k, 200);
      containers_.clear();
      const Attachment first = attachment(first_config, "c1");
      const Attachment second = attachment(mynet_1_0(), "c2");
      const Both both =
          interleave(first.spawn("ADD", first.config), k, second.spawn("ADD", second.config));
      if (!both.paused.reached) return;
      SCOPED_TRACE("paused before step " + both.paused.step);
      judge_first(first, both.paused);
      EXPECT_TRUE(both.other.ok()) << both.other.str();
      if (both.other.ok()) expect_silent_success(second.check(both.other.json()));
      EXPECT_THAT(addresses_of("cni0"), ElementsAre("10.22.0.1/16"));
      expect_silent_success(first.del());
      expect_silent_success(second.del());
      EXPECT_THAT(link_names(), ElementsAre("cni0"));
      EXPECT_THAT(reservations("mynet"), IsEmpty());
      EXPECT_THAT(masqueraded(4), IsEmpty());
      EXPECT_THAT(files_in(kJournals), IsEmpty());
      if (HasFailure()) return;
      tool({"ip", "link", "del", "cni0"});
      tool({"nft", "delete", "table", "inet", "unicni"});
    }
  }
};

TEST_F(Interleaved, TwoAddsOnANewBridge) {
  interleave_adds(mynet_1_0(), [](const Attachment& first, const Stop& stop) {
    EXPECT_EQ(stop.output.status, 0) << stop.output.out;
    if (stop.output.ok()) expect_silent_success(first.check(stop.output.json()));
  });
}

TEST_F(Interleaved, FailingAddAndAnotherOnANewBridge) {
  Json bad = mynet_1_0();
  bad["ipam"]["routes"] = Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  interleave_adds(bad, [](const Attachment&, const Stop& stop) {
    EXPECT_GT(stop.output.status, 0) << stop.output.out;
  });
}

TEST_F(Interleaved, DelOfNothingBesideTheAdd) {
  const Attachment job = attachment(mynet_1_0());
  expect_silent_success(job.del());
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    const Both both = interleave(job.spawn("DEL", job.config), k, job.spawn("ADD", job.config));
    if (!both.paused.reached) break;
    SCOPED_TRACE("paused before step " + both.paused.step);
    expect_silent_success(both.paused.output);
    ASSERT_TRUE(both.other.ok()) << both.other.str();
    // ADD came first or last, never between: all of the attachment is there or nothing.
    const std::size_t alive = link_names(container_of(job).fd()).size();
    ASSERT_EQ(reservations("mynet").size(), alive);
    EXPECT_EQ(masqueraded(4).size(), alive);
    EXPECT_EQ(files_in(kJournals).size(), alive);
    expect_silent_success(job.del());
  }
}

}  // namespace
}  // namespace unicni::test::parallel_test
