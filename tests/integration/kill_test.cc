// kill -9 between any two things that a verb does, then the verb after it.
#include <functional>
#include <string>

#include "integration/host_test.h"
#include "support/sample.h"
#include "support/tracer.h"

namespace unicni::test::kill_test {
namespace {

using ::testing::IsEmpty;

class Killed : public HostTest {
 protected:
  /// Brings things in order; returns whether a successful ADD was part of it.
  using Recovery = std::function<bool(const Attachment&)>;

  /// ADD, killed before its first, second … visible step; each time `recover` must bring the host
  /// back to what it was. The bridge that this ADD made may stay only if an ADD had ended. `apart`:
  /// how far from one step to the next.
  void kill_every_add(const Recovery& recover, const Json& config = with_version(mynet(), "1.1.0"),
                      int apart = 1) {
    const Snapshot before = snapshot();
    const auto journals = files_in(kJournals);
    const bool had_bridge = before.contains("link cni0");
    for (int k = 1;; k += apart) {
      ASSERT_LT(k, 200);
      containers_.remove_if([](const Container& each) { return each.name() == "c1"; });
      const Attachment job = attachment(config);
      const int netns = container_of(job).fd();
      const Snapshot inside = kernel_snapshot(netns);
      const Stop stop = kill_at(job.spawn("ADD", job.config), k);
      if (!stop.reached) {
        EXPECT_EQ(stop.output.status, 0) << stop.output.out;
        EXPECT_GT(k, 15) << "too few steps to be true";
        return;
      }
      SCOPED_TRACE("killed before step " + stop.step);
      const bool ended = stop.step.ends_with("stdout") || stop.step.ends_with("exit");
      const bool added = recover(job);
      Snapshot after = snapshot();
      if (!had_bridge && (ended || added) && after.contains("link cni0")) {
        tool({"ip", "link", "del", "cni0"});
        after = without_link(after, "cni0");
      }
      EXPECT_EQ(difference(before, after), "");
      EXPECT_EQ(difference(inside, kernel_snapshot(netns)), "");
      EXPECT_EQ(files_in(kJournals), journals);
      if (HasFailure()) return;
    }
  }
};

TEST_F(Killed, AddThenDel) {
  kill_every_add([](const Attachment& job) {
    expect_silent_success(job.del());
    return false;
  });
}

TEST_F(Killed, AddThenDelWithoutTheNamespace) {
  kill_every_add([](const Attachment& job) {
    Attachment gone = job;
    gone.netns = "";
    expect_silent_success(gone.del());
    return false;
  });
}

TEST_F(Killed, AddThenGc) {
  kill_every_add([](const Attachment& job) {
    expect_silent_success(job.gc(Json::array()));
    return false;
  });
}

TEST_F(Killed, AddThenAddAgainThenDel) {
  kill_every_add([](const Attachment& job) {
    const Output output = job.add();
    if (!output.ok()) {
      // The first ADD was complete but for its exit: then the second must be refused, and DEL is
      // due.
      expect_error(output);
    } else {
      expect_silent_success(job.check(output.json()));
      EXPECT_EQ(masqueraded(4).size(), 1U);
      EXPECT_EQ(reservations("mynet").size(), 1U);
      EXPECT_EQ(link_names().size(), 2U);
    }
    expect_silent_success(job.del());
    return true;
  });
}

/// bridge and five others, two of them of one type.
Json long_list() {
  Json config = Json::parse(R"({"cniVersion": "1.1.0", "name": "mynet", "type": "unicni",
    "runtimeConfig": {"portMappings": [
      {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
      {"hostPort": 8081, "containerPort": 80, "protocol": "tcp"}]},
    "plugins": [null,
      {"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.arp_filter": "1"}},
      {"type": "tuning", "sysctl": {"net.ipv4.conf.eth0.arp_ignore": "1"}},
      {"type": "portmap", "capabilities": {"portMappings": true}},
      {"type": "firewall"}, {"type": "sbr"}]})");
  config["plugins"][0] = mynet();
  return config;
}

TEST_F(Killed, AddOfAListThenDelOrGc) {
  int turn = 0;
  kill_every_add(
      [&](const Attachment& job) {
        expect_silent_success(++turn % 2 == 0 ? job.del() : job.gc(Json::array()));
        return true;  // bridge's own ADD may have ended: then its bridge stays
      },
      long_list(), every(3));
}

TEST_F(Killed, AddOfAListThenAddAgainThenDel) {
  kill_every_add(
      [](const Attachment& job) {
        const Output output = job.add();
        if (!output.ok()) {
          EXPECT_THAT(expect_error(output)["msg"], ::testing::HasSubstr("is attached already"));
        } else {
          expect_silent_success(job.check(output.json()));
        }
        expect_silent_success(job.del());
        return true;
      },
      long_list(), every(3));
}

TEST_F(Killed, AddBesideANeighbourThenDel) {
  const Attachment neighbour = attachment(with_version(mynet(), "1.1.0"), "neighbour");
  const Json result = must_add(neighbour);
  kill_every_add([&](const Attachment& job) {
    expect_silent_success(job.del());
    expect_silent_success(neighbour.check(result));
    return false;
  });
}

TEST_F(Killed, DelThenDel) {
  const Attachment first = attachment(mynet_1_0(), "first");
  must_add(first);
  expect_silent_success(first.del());
  const Snapshot before = without_link(snapshot(), "cni0");
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    const Attachment job = attachment(mynet_1_0());
    must_add(job);
    const Stop stop = kill_at(job.spawn("DEL", job.config), k);
    if (!stop.reached) break;
    SCOPED_TRACE("killed before step " + stop.step);
    expect_silent_success(job.del());
    EXPECT_EQ(difference(before, without_link(snapshot(), "cni0")), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
    if (HasFailure()) return;
    containers_.clear();
  }
}

}  // namespace
}  // namespace unicni::test::kill_test
