// Random life of a node: verbs, kill -9 in their midst, namespaces that go first, two processes on
// one attachment. At the end nothing may be left.
//
// Random is: which attachment, which verb, whether and where it is killed (before its k-th visible
// step, or some time within a verb's length), what runs beside it, which attachments GC keeps.
// Fixed is the number of cycles. The choice follows from the seed ($UNICNI_FAULTS_SEED, else the
// clock) but for what the scheduler decides.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "integration/host_test.h"
#include "support/tracer.h"

namespace unicni::test::random_test {
namespace {

using ::testing::IsEmpty;

constexpr int kCycles = 500;
constexpr int kCyclesBetweenLooks = 50;
constexpr int kMostSteps = 60;
constexpr int kContainers = 4;

unsigned seed() {
  if (const char* given = std::getenv("UNICNI_FAULTS_SEED")) {
    return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  }
  return static_cast<unsigned>(std::chrono::system_clock::now().time_since_epoch().count());
}

Json bridge_network() {
  return Json::parse(R"({
    "cniVersion": "1.1.0", "name": "one", "type": "bridge", "bridge": "br1", "isGateway": true,
    "ipMasq": true,
    "ipam": {"type": "host-local",
             "ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd01::/64"}]],
             "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
  })");
}

/// A list in one process, of a network on the same bridge.
Json chain_network() {
  return Json::parse(R"({
    "cniVersion": "1.1.0", "name": "two", "type": "unicni", "plugins": [
      {"type": "bridge", "bridge": "br1", "isGateway": true, "ipMasq": true, "forceAddress": false,
       "hairpinMode": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "fd02::/64"}]]}},
      {"type": "loopback"}]
  })");
}

// What is known of an attachment: its ADD ended and nothing came since; its DEL ended; neither.
enum class State { none, alive, unknown };

struct Subject {
  Attachment job;
  State state = State::none;
  Json result = {};
};

class Random : public HostTest {
 protected:
  void SetUp() override {
    seed_ = seed();
    random_.seed(seed_);
    for (int i = 0; i < kContainers; ++i) {
      const std::string name = "c" + std::to_string(i);
      container(name);
      put(name, "eth0", bridge_network());
      put(name, "net1", chain_network());
    }
    // What the first attachment leaves for ever is there from now on.
    const auto begin = std::chrono::steady_clock::now();
    for (Subject* subject : {&subjects_[0], &subjects_[1]}) {
      expect_silent_success(subject->job.del(must_add(subject->job)));
    }
    verb_time_ = std::chrono::duration_cast<std::chrono::microseconds>(
                     std::chrono::steady_clock::now() - begin) /
                 4;
    before_ = snapshot();
  }
  void put(const std::string& container, const std::string& if_name, const Json& config) {
    Subject& subject = subjects_.emplace_back();
    subject.job = {.config = config,
                   .netns = "/run/netns/" + container,
                   .container_id = container,
                   .if_name = if_name};
  }

  int upto(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  bool with_chance(int percent) { return upto(99) < percent; }
  Subject& any() { return subjects_[static_cast<std::size_t>(upto(2 * kContainers - 1))]; }

  void cycle();
  void call(Subject& subject, const std::string& verb);
  void call_and_kill(Subject& subject, const std::string& verb);
  void call_twice_at_once(Subject& subject);
  void collect();
  void replace_namespace();
  Json request(const Subject& subject, const std::string& verb);
  void judge(Subject& subject, const std::string& verb, const Output& output);
  void clean_up_and_look();

  /// Early ones more often: only an ADD from nothing has as many as kMostSteps.
  int some_step() { return 1 + upto(upto(kMostSteps)); }
  /// A moment within a verb, as long as verbs take on this machine.
  std::chrono::microseconds some_time() {
    return std::chrono::microseconds(upto(static_cast<int>(verb_time_.count())));
  }

  unsigned seed_ = 0;
  std::chrono::microseconds verb_time_{};  // of the four verbs in SetUp, on average
  std::mt19937 random_;
  std::vector<Subject> subjects_;
  Snapshot before_;
  int killed_ = 0;
  int added_ = 0;
};

Json Random::request(const Subject& subject, const std::string& verb) {
  Json request = subject.job.config;
  if (subject.result.is_object() && (verb == "CHECK" || (verb == "DEL" && with_chance(50)))) {
    request["prevResult"] = subject.result;
  }
  return request;
}

/// One verb that was alone and ran to its end.
void Random::judge(Subject& subject, const std::string& verb, const Output& output) {
  const State before = subject.state;
  if (verb == "DEL") {
    expect_silent_success(output);
    subject.state = State::none;
  } else if (verb == "CHECK") {
    if (before == State::alive) expect_silent_success(output);
    if (before == State::none) expect_error(output);
  } else if (output.ok()) {
    EXPECT_NE(before, State::alive) << "a second ADD succeeded";
    subject.state = State::alive;
    subject.result = output.json();
    ++added_;
  } else {
    expect_error(output);
    EXPECT_NE(before, State::none) << output.str();
  }
}

void Random::call(Subject& subject, const std::string& verb) {
  judge(subject, verb, subject.job.call(verb, request(subject, verb)));
}

void Random::call_and_kill(Subject& subject, const std::string& verb) {
  const Spawn spawn = subject.job.spawn(verb, request(subject, verb));
  Output output;
  if (with_chance(50)) {
    output = kill_at(spawn, some_step()).output;
  } else {
    Running running(spawn);
    std::this_thread::sleep_for(some_time());
    ::kill(running.pid(), SIGKILL);
    output = running.wait();
  }
  if (output.signal == 0) {
    judge(subject, verb, output);
  } else {
    EXPECT_EQ(output.signal, SIGKILL) << output.str();
    ++killed_;
    if (verb != "CHECK") subject.state = State::unknown;
  }
}

void Random::call_twice_at_once(Subject& subject) {
  const std::string verbs[] = {with_chance(50) ? "ADD" : "DEL", with_chance(50) ? "ADD" : "DEL"};
  std::vector<Running> both;
  for (const std::string& verb : verbs) {
    both.emplace_back(subject.job.spawn(verb, request(subject, verb)));
  }
  if (with_chance(25)) {
    std::this_thread::sleep_for(some_time());
    ::kill(both[0].pid(), SIGKILL);
  }
  for (std::size_t i = 0; i < both.size(); ++i) {
    const Output output = both[i].wait();
    if (output.signal == SIGKILL && i == 0) continue;
    EXPECT_EQ(output.signal, 0) << output.str();
    if (verbs[i] == "DEL") {
      expect_silent_success(output);
    } else if (!output.ok()) {
      expect_error(output);
    } else {
      subject.result = output.json();
    }
  }
  subject.state = State::unknown;
}

void Random::collect() {
  const bool first = with_chance(50);
  const std::string network = first ? "one" : "two";
  Attachment collector = subjects_[first ? 0 : 1].job;
  collector.netns = collector.container_id = collector.if_name = "";
  Json valid = Json::array();
  for (Subject& subject : subjects_) {
    if (subject.job.config["name"] != network) continue;
    if (with_chance(60)) {
      valid.push_back(valid_entry(subject.job));
    } else {
      subject.state = State::none;
    }
  }
  if (with_chance(25)) {
    Json request = collector.config;
    request["cni.dev/valid-attachments"] = valid;
    const Stop stop = kill_at(collector.spawn("GC", request), some_step());
    if (stop.output.signal != 0) {
      for (Subject& subject : subjects_) {
        if (subject.state == State::none) subject.state = State::unknown;
      }
      return;
    }
    expect_silent_success(stop.output);
  } else {
    expect_silent_success(collector.gc(valid));
  }
}

/// The namespace goes before the attachments are deleted; a new one has its path.
void Random::replace_namespace() {
  const std::string name = "c" + std::to_string(upto(kContainers - 1));
  containers_.remove_if([&](const Container& each) { return each.name() == name; });
  if (with_chance(50)) {
    // DEL of some of it while there is none.
    Subject& subject = any();
    if (subject.job.container_id == name) call(subject, "DEL");
  }
  container(name);
  for (Subject& subject : subjects_) {
    if (subject.job.container_id == name) subject.state = State::unknown;
  }
}

void Random::cycle() {
  Subject& subject = any();
  const std::string verb =
      std::array{"ADD", "ADD", "ADD", "DEL", "DEL", "CHECK"}[static_cast<std::size_t>(upto(5))];
  SCOPED_TRACE(verb + " of " + subject.job.config["name"].get<std::string>() + '/' +
               subject.job.container_id);
  const int dice = upto(99);
  if (dice < 5) {
    collect();
  } else if (dice < 10) {
    replace_namespace();
  } else if (dice < 25) {
    call_twice_at_once(subject);
  } else if (dice < 65) {
    call_and_kill(subject, verb);
  } else {
    call(subject, verb);
  }
}

void Random::clean_up_and_look() {
  for (int round = 0; round < 2; ++round) {
    for (Subject& subject : subjects_) call(subject, "DEL");
  }
  for (const std::size_t i : {0U, 1U}) {
    Attachment collector = subjects_[i].job;
    collector.netns = collector.container_id = collector.if_name = "";
    expect_silent_success(collector.gc(Json::array()));
  }
  EXPECT_EQ(difference(without_link(before_, "br1"), without_link(snapshot(), "br1")), "");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  for (const Container& each : containers_) EXPECT_THAT(link_names(each.fd()), IsEmpty());
}

TEST_F(Random, LifeOfANodeLeavesNothing) {
  for (int i = 1; i <= kCycles; ++i) {
    SCOPED_TRACE("cycle " + std::to_string(i) + ", UNICNI_FAULTS_SEED=" + std::to_string(seed_));
    cycle();
    if (i % kCyclesBetweenLooks == 0) clean_up_and_look();
    if (HasFailure()) return;
  }
  // Half of what is seen on the fastest and the slowest machine.
  EXPECT_GT(killed_, kCycles / 14);
  EXPECT_GT(added_, kCycles / 20);
}

}  // namespace
}  // namespace unicni::test::random_test
