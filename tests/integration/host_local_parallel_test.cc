// Many host-locals at once on one network, and killed ones.
#include <map>
#include <set>

#include "integration/host_local.h"
#include "support/tracer.h"

namespace unicni::test::host_local_parallel_test {
namespace {

using ::testing::IsEmpty;

class HostLocalParallel : public HostLocalHost {
 protected:
  static constexpr int kProcesses = 64;
  static std::vector<Output> at_once(const std::vector<Attachment>& jobs, const std::string& verb) {
    std::vector<Running> running;
    running.reserve(jobs.size());
    for (const Attachment& job : jobs) running.emplace_back(job.spawn(verb, job.config));
    std::vector<Output> outputs;
    for (Running& each : running) outputs.push_back(each.wait());
    return outputs;
  }
  static std::vector<Attachment> jobs(int count, const std::string& prefix) {
    std::vector<Attachment> all;
    for (int i = 0; i < count; ++i) all.push_back(job(prefix + std::to_string(i)));
    return all;
  }
  /// Every address has one owner, every owner one address.
  static void expect_one_each(std::size_t count) {
    std::set<std::string> owners;
    const auto addresses = reservations("mynet");
    for (const std::string& address : addresses) owners.insert(owner_of(address));
    EXPECT_EQ(addresses.size(), count);
    EXPECT_EQ(owners.size(), count);
  }
};

TEST_F(HostLocalParallel, NoDuplicateNoLossNonePastItsDeadline) {
  const std::vector<Attachment> all = jobs(kProcesses, "c");
  for (int round = 0; round < 3; ++round) {
    std::set<std::string> given;
    for (const Output& output : at_once(all, "ADD")) {
      ASSERT_TRUE(output.ok()) << output.str();
      EXPECT_LT(output.ms, 30'000);
      given.insert(output.json()["ips"][0]["address"].get<std::string>());
    }
    EXPECT_EQ(given.size(), all.size());
    expect_one_each(all.size());
    for (const Output& output : at_once(all, "DEL")) {
      expect_silent_success(output);
      EXPECT_LT(output.ms, 15'000);
    }
    EXPECT_THAT(reservations("mynet"), IsEmpty());
  }
}

TEST_F(HostLocalParallel, ReferenceAmongThem) {
  std::vector<Attachment> mixed = jobs(kProcesses, "c");
  for (std::size_t i = 0; i < mixed.size(); i += 4) mixed[i] = reference(mixed[i]);
  for (const Output& output : at_once(mixed, "ADD")) ASSERT_TRUE(output.ok()) << output.str();
  expect_one_each(mixed.size());
  std::vector<Attachment> crossed = jobs(kProcesses, "c");
  for (std::size_t i = 1; i < crossed.size(); i += 4) crossed[i] = reference(crossed[i]);
  for (const Output& output : at_once(crossed, "DEL")) EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

// A kill between any two changes costs at most that the index is made again.
TEST_F(HostLocalParallel, KilledAtEachStep) {
  for (const char* verb : {"ADD", "DEL"}) {
    for (int k = 1;; ++k) {
      ASSERT_LT(k, 200);
      const Attachment victim = job("victim");
      const Attachment other = job("other");
      const std::string address = must_give(other);
      if (std::string(verb) == "DEL") must_give(victim);
      const Stop stop = kill_at(victim.spawn(verb, victim.config), k);
      if (!stop.reached) {
        expect_silent_success(victim.del());
        expect_silent_success(other.del());
        break;
      }
      SCOPED_TRACE(std::string(verb) + " killed before step " + stop.step);
      expect_error(other.add());
      expect_silent_success(
          other.check(Json{{"cniVersion", "1.1.0"}, {"ips", {{{"address", address}}}}}));
      // Of the victim there is one reservation or none, and what CHECK says is what the files say.
      std::size_t held = 0;
      for (const std::string& each : reservations("mynet"))
        held += owner_of(each) == "victim\r\neth0" ? 1U : 0U;
      EXPECT_LE(held, 1U);
      EXPECT_EQ(victim.check(Json{{"cniVersion", "1.1.0"}, {"ips", Json::array()}}).ok(),
                held == 1);
      expect_silent_success(victim.del());
      EXPECT_EQ(owner_of(address.substr(0, address.find('/'))), "other\r\neth0");
      must_give(victim);
      expect_silent_success(victim.del());
      expect_silent_success(other.del());
      EXPECT_THAT(files_in(kNetworkFolder),
                  ::testing::Not(::testing::Contains(".unicni-index.new")));
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace unicni::test::host_local_parallel_test
