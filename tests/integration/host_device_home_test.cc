// The device of host-device comes home: whatever its container did to it, however its ADD or DEL
// ended, whoever made the attachment.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <random>

#include "integration/host_device.h"
#include "support/fault.h"
#include "support/tracer.h"

namespace unicni::test::host_device_home_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostDeviceHome : public HostDeviceTest {
 protected:
  void SetUp() override {
    make_device();
    before_ = snapshot();
    settings_ = settings();
  }
  void expect_home(const Attachment& job) {
    EXPECT_EQ(difference(before_, snapshot()), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  }
  /// The same in a tenth of the time, for many rounds: the device alone, and what is on disk.
  void expect_soon_home(const Attachment& job) {
    EXPECT_EQ(settings(), settings_);
    EXPECT_THAT(reservations("net"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  }
  static Json settings() {
    Json link = find_link("h0").value_or(Json());
    if (link.is_null()) return link_names();
    Json picked;
    for (const char* key : {"ifindex", "address", "mtu", "ifalias", "link"})
      picked[key] = link[key];
    for (const char* flag : {"UP", "PROMISC"}) {
      picked[flag] = std::ranges::count(link["flags"], Json(flag));
    }
    return picked;
  }
  static void lose_journal() { tool({"find", "/run/unicni", "-type", "f", "-delete"}); }
  static Attachment by_reference(Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    job.config["cniVersion"] = "1.0.0";
    return job;
  }
  /// As the reference leaves it: down, its old alias gone.
  void settle() {
    tool({"ip", "link", "set", "h0", "alias", "uplink of h0"});
    tool({"ip", "link", "set", "h0", "up"});
  }

  Snapshot before_;
  Json settings_;
};

TEST_F(HostDeviceHome, AfterARenameAndAllElseInside) {
  const Attachment job = attachment(config());
  must_add(job);
  disguise(job);
  expect_silent_success(job.del());
  expect_home(job);
}

// Everything that it could be known by but its index: that is another link's there.
TEST_F(HostDeviceHome, WhenItsIndexIsAnotherLinksInside) {
  const Attachment job = attachment(config());
  const std::string index = std::to_string(find_link("h0")->value("ifindex", 0));
  container_of(job).run(
      {"ip", "link", "add", "own", "index", index, "type", "veth", "peer", "name", "own-far"});
  const Snapshot inside = kernel_snapshot(container_of(job).fd());
  must_add(job);
  disguise(job);
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before_, snapshot()), "");
  EXPECT_EQ(difference(inside, kernel_snapshot(container_of(job).fd())), "");
}

TEST_F(HostDeviceHome, UnderAnotherNameIfItsOwnIsTaken) {
  const Attachment job = attachment(config());
  must_add(job);
  tool({"ip", "link", "add", "h0", "type", "bridge"});
  tool({"ip", "link", "add", "h0-2", "type", "bridge"});
  const Output output = job.del();
  expect_silent_success(output);
  EXPECT_THAT(output.err, HasSubstr("ip link set h0-3 name h0"));
  const auto link = find_link("h0-3");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->at("address"), kMac);
  EXPECT_EQ(link->at("mtu"), 1400);
  EXPECT_EQ(link->at("ifalias"), "uplink of h0");
  tool({"ip", "link", "del", "h0"});
  tool({"ip", "link", "del", "h0-2"});
  tool({"ip", "link", "set", "h0-3", "down"});
  tool({"ip", "link", "set", "h0-3", "name", "h0"});
  tool({"ip", "link", "set", "h0", "up"});
  expect_home(job);
}

TEST_F(HostDeviceHome, WithALongNameThatIsTaken) {
  make_device("fifteen-bytes.x", "02:00:00:00:00:22");
  const Attachment job = attachment(config(R"({"device": "fifteen-bytes.x"})"));
  must_add(job);
  tool({"ip", "link", "add", "fifteen-bytes.x", "type", "bridge"});
  expect_silent_success(job.del());
  EXPECT_TRUE(find_link("fifteen-bytes-2"));
}

TEST_F(HostDeviceHome, BesideAHostsInterfaceOfTheContainersName) {
  make_device("eth0", "02:00:00:00:00:22");
  before_ = snapshot();
  const Attachment job = attachment(config());
  must_add(job);
  expect_silent_success(job.del());
  expect_home(job);
}

TEST_F(HostDeviceHome, WithoutCniNetns) {
  const Attachment job = attachment(config());
  must_add(job);
  disguise(job);
  Attachment nowhere = job;
  nowhere.netns = "";
  expect_silent_success(nowhere.del());
  expect_home(job);
}

// `ip netns del` under a running container.
TEST_F(HostDeviceHome, FromANamespaceThatLostItsPath) {
  const Attachment job = attachment(config());
  must_add(job);
  const Running process(
      {.argv = {"sleep", "60"}, .env = {"PATH=/bin"}, .netns = container_of(job).fd()});
  disguise(job);
  container_of(job).remove();
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before_, snapshot()), "");
}

TEST_F(HostDeviceHome, NothingIsLeftWhenItDiedWithItsNamespace) {
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  container_of(job).remove();
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(HostDeviceHome, ByItsMarkIfTheJournalIsLost) {
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  lose_journal();
  change_inside(job, {"down"});
  change_inside(job, {"name", "mine"});
  change_inside(job, {"address", "02:00:00:00:00:99"}, "mine");
  expect_silent_success(job.del(result));
  ASSERT_TRUE(find_link("h0"));
  EXPECT_FALSE(find_link("h0")->contains("ifalias"));
  EXPECT_THAT(reservations("net"), IsEmpty());
  tool({"ip", "link", "set", "h0", "address", kMac});
  settle();
  expect_home(job);
}

// The path leads to another container, which has the device by now.
TEST_F(HostDeviceHome, ButNotOutOfAnothersHands) {
  const Attachment old =
      attachment(config(R"({"ipam": {"ranges": [[{"subnet": "10.1.2.0/24"}]]}})"));
  must_add(old);
  Attachment next = attachment(old.config, "c2");
  change_inside(old, {"down"});
  change_inside(old, {"name", "h0"});
  change_inside(old, {"alias", ""}, "h0");
  change_inside(old, {"netns", std::to_string(::getpid())}, "h0");
  lose_journal();
  const Json result = must_add(next);
  Attachment late = old;
  late.netns = next.netns;
  const Output output = late.del();
  expect_silent_success(output);
  EXPECT_THAT(output.err, HasSubstr("left alone"));
  expect_silent_success(next.check(result));
}

TEST_F(HostDeviceHome, WhenAddWasKilledAnywhere) {
  const std::function<void(const Attachment&)> recoveries[] = {
      [](const Attachment& job) { expect_silent_success(job.del()); },
      [](const Attachment& job) { expect_silent_success(job.gc(Json::array())); },
      [](const Attachment& job) {
        Attachment nowhere = job;
        nowhere.netns = "";
        expect_silent_success(nowhere.del());
      },
      [this](const Attachment& job) {
        const Output output = job.add();
        // The first one was complete but for its exit, or this one is.
        if (output.ok()) expect_silent_success(job.check(output.json()));
        expect_silent_success(job.del());
      },
  };
  for (const auto& recover : recoveries) {
    for (int k = 1;; ++k) {
      ASSERT_LT(k, 200);
      containers_.clear();
      const Attachment job = attachment(config());
      const Stop stop = kill_at(job.spawn("ADD", job.config), k);
      if (!stop.reached) {
        EXPECT_GT(k, 10) << "too few steps to be true";
        expect_silent_success(job.del());
        break;
      }
      SCOPED_TRACE("killed before step " + stop.step);
      recover(job);
      expect_soon_home(job);
      if (HasFailure()) return;
    }
  }
}

TEST_F(HostDeviceHome, WhenDelWasKilledAnywhere) {
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    containers_.clear();
    const Attachment job = attachment(config());
    must_add(job);
    disguise(job);
    const Stop stop = kill_at(job.spawn("DEL", job.config), k);
    if (!stop.reached) break;
    SCOPED_TRACE("killed before step " + stop.step);
    expect_silent_success(job.del());
    expect_soon_home(job);
    if (HasFailure()) return;
  }
}

// The kernel refuses a message, or a system call fails.
TEST_F(HostDeviceHome, WhenAnyStepOfAddFails) {
  for (const Fault fault : {Fault::message, Fault::call}) {
    for (int k = 1;; ++k) {
      ASSERT_LT(k, 500);
      containers_.clear();
      const Attachment job = attachment(config());
      const Injection injection = fail_at(job.spawn("ADD", job.config), k, fault);
      SCOPED_TRACE(std::to_string(k) + ": " + injection.call + ' ' + injection.error + ' ' +
                   injection.output.str());
      // The undefined-behaviour sanitizer's own, by which it finds out what it may read.
      if (std::string(UNICNI_LIBSTDCXX) != "host" && injection.call == "pipe") {
        expect_silent_success(job.del());
        continue;
      }
      const Json error = injection.output.ok() ? Json() : expect_error(injection.output);
      // Nothing may go on in the wrong namespace: then the roll-back is left to DEL.
      const bool astray = error.dump().find("could not return") != std::string::npos;
      if (injection.output.ok() || astray) expect_silent_success(job.del());
      expect_soon_home(job);
      if (!injection.reached || HasFailure()) break;
    }
  }
}

TEST_F(HostDeviceHome, WhenAnyMessageOfDelIsRefusedAndDelIsRepeated) {
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 500);
    containers_.clear();
    const Attachment job = attachment(config());
    must_add(job);
    disguise(job);
    const Injection injection = fail_at(job.spawn("DEL", job.config), k, Fault::message);
    SCOPED_TRACE(std::to_string(k) + ": " + injection.call + ' ' + injection.output.str());
    if (!injection.output.ok()) expect_silent_success(job.del());
    expect_soon_home(job);
    if (!injection.reached || HasFailure()) break;
  }
}

// A node that is upgraded, or goes back, under running containers.
TEST_F(HostDeviceHome, WhoeverMadeTheAttachment) {
  const Attachment ours = attachment(with_version(config(), "1.0.0"));
  const Attachment references = by_reference(ours);

  Json result = must_add(references);
  expect_silent_success(ours.check(result));
  expect_silent_success(ours.del(result));
  settle();
  expect_home(ours);

  result = must_add(ours);
  expect_silent_success(references.check(result));
  expect_silent_success(references.del(result));
  settle();
  expect_silent_success(ours.del(result));
  expect_home(ours);
}

TEST_F(HostDeviceHome, InTwoHundredOfTwoHundredCycles) {
  constexpr unsigned kSeed = 19;
  std::mt19937 random(kSeed);
  const auto pick = [&](int count) {
    return static_cast<int>(random() % static_cast<unsigned>(count));
  };
  for (int cycle = 0; cycle < 200; ++cycle) {
    SCOPED_TRACE("cycle " + std::to_string(cycle));
    containers_.clear();
    const Attachment job = attachment(config());
    std::string taken;
    if (pick(4) == 0) {
      kill_at(job.spawn("ADD", job.config), 1 + pick(25));
    } else {
      must_add(job);
      if (pick(2) == 0) disguise(job);
    }
    const bool away =
        find_link("eth0", container_of(job).fd()) || find_link("mine", container_of(job).fd());
    if (away && pick(5) == 0) {
      taken = "h0";
      tool({"ip", "link", "add", taken, "type", "bridge"});
    }
    if (pick(5) == 0) kill_at(job.spawn("DEL", job.config), 1 + pick(25));
    switch (pick(3)) {
      case 0:
        expect_silent_success(job.gc(Json::array()));
        break;
      case 1: {
        Attachment nowhere = job;
        nowhere.netns = "";
        expect_silent_success(nowhere.del());
        break;
      }
      default:
        expect_silent_success(job.del());
    }
    if (!taken.empty()) {
      const auto names = link_names();
      ASSERT_EQ(std::count(names.begin(), names.end(), "h0-2"), 1)
          << ::testing::PrintToString(names);
      tool({"ip", "link", "del", "h0"});
      tool({"ip", "link", "set", "h0-2", "down"});
      tool({"ip", "link", "set", "h0-2", "name", "h0"});
      tool({"ip", "link", "set", "h0", "up"});
    }
    cycle % 20 == 0 ? expect_home(job) : expect_soon_home(job);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace unicni::test::host_device_home_test
