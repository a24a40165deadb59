// DEL in every state that a runtime may find an attachment in, for tests of interface modules.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <thread>

#include "integration/host_test.h"

namespace unicni::test {

class DelStates : public HostTest {
 protected:
  /// Attaches c1 beside a neighbour on the same network, brings c1 into each state, and calls DEL
  /// twice: both succeed, the host is as before, the neighbour works, and so c1's interface is gone
  /// where its namespace can be reached: by its path, or by `host_end`, a veth's end on the host.
  /// `only`: the states of these names, where all would take too long; empty: all.
  void expect_del_in_every_state(const Json& config, bool host_end,
                                 const std::set<std::string>& only = {}) {
    using Del = std::function<Output(Attachment, const Json&)>;
    const auto plain = [](const Attachment& job, const Json&) { return job.del(); };
    const auto nowhere = [](Attachment job, const Json&) {
      job.netns = "";
      return job.del();
    };
    const auto lose_journal = [](Container&, Container&) { tool({"rm", "-r", "/run/unicni"}); };
    struct State {
      const char* name;
      std::function<void(Container& own, Container& neighbours)> reach;
      Del del;
      bool reachable = true;
    };
    const State states[] = {
        {"with prevResult", {}, [](const Attachment& job, const Json& r) { return job.del(r); }},
        {"without prevResult", {}, plain},
        {"journal lost", lose_journal, plain},
        {"journal lost, with prevResult", lose_journal,
         [](const Attachment& job, const Json& r) { return job.del(r); }},
        {"interface gone",
         [](Container& own, Container&) {
           own.run({"ip", "link", "del", "eth0"});
         },
         plain},
        {"CNI_NETNS empty", {}, nowhere, host_end},
        {"path of the namespace gone",
         [](Container& own, Container&) {
           tool({"umount", own.path()});
           tool({"rm", own.path()});
         },
         plain, host_end},
        {"namespace gone", [](Container& own, Container&) { own.remove(); }, plain, false},
        {"path leads into the neighbour's namespace",
         [](Container& own, Container& neighbours) {
           own.remove();
           tool({"ln", "-s", neighbours.path(), own.path()});
         },
         plain, false},
        {"namespace gone, its path leads into the host's own",
         [](Container& own, Container&) {
           own.remove();
           lead_to_host(own.path());
         },
         nowhere, false},
        {"path leads into the host's own namespace",
         [](Container& own, Container&) {
           tool({"umount", own.path()});
           tool({"rm", own.path()});
           lead_to_host(own.path());
         },
         nowhere, host_end},
    };
    for (const State& state : states) {
      if (!only.empty() && !only.contains(state.name)) continue;
      SCOPED_TRACE(state.name);
      const Attachment neighbour = attachment(config, "neighbour");
      const Json neighbours = must_add(neighbour);
      const Attachment job = attachment(config, "c1");
      Container& inside = container_of(job);
      const Snapshot before = snapshot();
      const Snapshot empty = kernel_snapshot(inside.fd());
      const Json result = must_add(job);
      if (state.reach) state.reach(inside, container_of(neighbour));
      const bool lost = std::string(state.name).starts_with("journal lost");
      for (int round = 0; round < 2; ++round) {
        expect_silent_success(state.del(job, result));
        expect_as_before(before, lost, !std::filesystem::exists(inside.path()));
        expect_silent_success(neighbour.check(neighbours));
      }
      if (state.reachable) {
        EXPECT_EQ(
            difference(without_link(empty, "lo"), without_link(kernel_snapshot(inside.fd()), "lo")),
            "");
      }
      expect_silent_success(neighbour.del(neighbours));
      containers_.clear();
      tool({"rm", "-rf", "/run/netns/c1"});
      if (HasFailure()) return;
    }
  }

 private:
  static Snapshot without_files(Snapshot state) {
    std::erase_if(state, [](const auto& each) { return each.first.starts_with("file "); });
    return state;
  }
  /// The neighbour's journal may have been lost as well. A namespace that is gone is taken apart by
  /// a worker of the kernel (cleanup_net()), which may not have come to the end of a veth yet.
  static void expect_as_before(Snapshot before, bool journals_lost, bool kernel_is_at_it) {
    Snapshot after = snapshot();
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(2);
    while (kernel_is_at_it && !difference(without_files(before), without_files(after)).empty() &&
           std::chrono::steady_clock::now() < latest) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      after = snapshot();
    }
    if (journals_lost) {
      for (Snapshot* state : {&before, &after}) {
        std::erase_if(*state,
                      [](const auto& each) { return each.first.starts_with("file /run/unicni/"); });
      }
    }
    EXPECT_EQ(difference(before, after), "");
  }
};

}  // namespace unicni::test
