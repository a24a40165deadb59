#include "world/shrink.h"

#include <algorithm>
#include <functional>

namespace unicni::test::world {
namespace {

using Clock = std::chrono::steady_clock;

class Shrinker {
 public:
  Shrinker(Scenario scenario, Verdict verdict, std::chrono::seconds time)
      : best_{std::move(scenario), std::move(verdict), 0}, end_(Clock::now() + time) {}

  Shrunk work() {
    // What comes after the failure has no part in it.
    const auto seen = static_cast<std::size_t>(std::max(best_.verdict.step, 0)) + 1;
    if (seen < best_.scenario.steps.size()) {
      Scenario shorter = best_.scenario;
      shorter.steps.resize(seen);
      is_better(shorter);
    }
    for (std::size_t before = size() + 1; size() < before && Clock::now() < end_;) {
      before = size();
      leave_steps_out();
      make_steps_plain();
      leave_members_out();
      leave_ports_out();
      leave_families_out();
    }
    return std::move(best_);
  }

 private:
  /// All that can get less.
  [[nodiscard]] std::size_t size() const {
    std::size_t size = best_.scenario.steps.size();
    for (const Json& list : best_.scenario.port_lists) size += list.size();
    for (const NetworkPlan& network : best_.scenario.networks) {
      for (const ListPlan& list : network.lists) size += list.members.size();
      for (const Subnets& subnets : network.subnets) {
        size += subnets.v4.empty() || subnets.v6.empty() ? 1 : 2;
      }
    }
    return size;
  }
  bool is_better(const Scenario& candidate) {
    if (Clock::now() >= end_) return false;
    ++best_.replays;
    Verdict verdict = play(candidate);
    if (!verdict.broken || verdict.kind != best_.verdict.kind) return false;
    best_.scenario = candidate;
    best_.verdict = std::move(verdict);
    return true;
  }

  /// Delta debugging: ever smaller parts of the sequence.
  void leave_steps_out() {
    for (std::size_t part = std::max<std::size_t>(best_.scenario.steps.size() / 2, 1);; part /= 2) {
      for (std::size_t at = 0; at < best_.scenario.steps.size();) {
        Scenario shorter = best_.scenario;
        const auto begin = shorter.steps.begin() + static_cast<std::ptrdiff_t>(at);
        const auto count = std::min(part, shorter.steps.size() - at);
        shorter.steps.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
        if (!is_better(shorter)) at += part;
        if (Clock::now() >= end_) return;
      }
      if (part <= 1) return;
    }
  }
  void make_steps_plain() {
    for (std::size_t i = 0; i < best_.scenario.steps.size(); ++i) {
      const auto attempt = [&](const std::function<void(Step&)>& change) {
        Scenario plain = best_.scenario;
        change(plain.steps[i]);
        is_better(plain);
      };
      const Step step = best_.scenario.steps[i];
      if (step.kill) attempt([](Step& each) { each.kill.reset(); });
      if (step.by_reference) attempt([](Step& each) { each.by_reference = false; });
      if (step.netns != NetnsPath::right)
        attempt([](Step& each) { each.netns = NetnsPath::right; });
      if (step.old_list) attempt([](Step& each) { each.old_list = false; });
      if (!step.with_result) attempt([](Step& each) { each.with_result = true; });
      if (!step.with_ports) attempt([](Step& each) { each.with_ports = true; });
    }
  }
  [[nodiscard]] bool uses(std::size_t network) const {
    return std::ranges::any_of(best_.scenario.steps, [&](const Step& step) {
      if (step.verb == Verb::gc || step.verb == Verb::edit || step.verb == Verb::remake ||
          step.verb == Verb::move) {
        return step.network == static_cast<int>(network);
      }
      if (step.verb == Verb::flush || step.verb == Verb::vanish) return false;
      const Place& place = best_.scenario.places[static_cast<std::size_t>(step.place)];
      return place.network == static_cast<int>(network);
    });
  }
  void leave_members_out() {
    for (std::size_t n = 0; n < best_.scenario.networks.size(); ++n) {
      if (!uses(n)) continue;
      for (std::size_t l = 0; l < best_.scenario.networks[n].lists.size(); ++l) {
        for (std::size_t m = best_.scenario.networks[n].lists[l].members.size(); m > 1;) {
          --m;
          Scenario less = best_.scenario;
          // First from all of its lists, so that an edit stays the edit that it was.
          const Json member = less.networks[n].lists[l].members[m];
          for (ListPlan& list : less.networks[n].lists) {
            const auto found = std::find(list.members.begin() + 1, list.members.end(), member);
            if (found != list.members.end()) list.members.erase(found);
          }
          if (is_better(less)) continue;
          less = best_.scenario;
          less.networks[n].lists[l].members.erase(m);
          is_better(less);
        }
      }
    }
  }
  void leave_ports_out() {
    for (std::size_t l = 0; l < best_.scenario.port_lists.size(); ++l) {
      const bool used = std::ranges::any_of(best_.scenario.steps, [&](const Step& step) {
        return step.verb == Verb::add && step.choice == static_cast<int>(l);
      });
      if (!used) continue;
      for (std::size_t m = best_.scenario.port_lists[l].size(); m > 0; --m) {
        Scenario less = best_.scenario;
        less.port_lists[l].erase(m - 1);
        is_better(less);
      }
    }
  }
  void leave_families_out() {
    for (std::size_t n = 0; n < best_.scenario.networks.size(); ++n) {
      if (!uses(n)) continue;
      for (std::string Subnets::*const family : {&Subnets::v6, &Subnets::v4}) {
        Scenario less = best_.scenario;
        bool possible = true;
        for (Subnets& subnets : less.networks[n].subnets) {
          (subnets.*family).clear();
          possible = possible && !(subnets.v4.empty() && subnets.v6.empty());
        }
        if (possible && less.networks[n].subnets != best_.scenario.networks[n].subnets) {
          is_better(less);
        }
      }
    }
  }

  Shrunk best_;
  Clock::time_point end_;
};

}  // namespace

Shrunk shrink(Scenario scenario, Verdict verdict, std::chrono::seconds time) {
  return Shrinker(std::move(scenario), std::move(verdict), time).work();
}

}  // namespace unicni::test::world
