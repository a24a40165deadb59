// A scenario played on a host of its own: each step done, and looked at.
#pragma once

#include "world/host.h"
#include "world/model.h"
#include "world/runtime.h"

namespace unicni::test::world {

/// In the calling process, which is on a host of its own for ever then.
class World {
 public:
  explicit World(const Scenario& scenario);
  void play();
  [[nodiscard]] const Host& host() const { return host_; }
  [[nodiscard]] int step() const { return step_; }

 private:
  void perform(const Step& step);
  void add(const Step& step);
  void del(const Step& step);
  void check(const Step& step);
  void gc(const Step& step);
  void remake(const Step& step);
  void vanish(int container);
  void move(int network, int to);
  void put_back(int network);  ///< its program, if it is away
  void ended(int place, bool settled);
  void take_result(int place, const Step& step, const Json& list);
  /// DEL as it ought to be, by ours.
  void del_well(int place);
  [[nodiscard]] ListCall call_of(int place) const;
  [[nodiscard]] ListCall call_to_del(int place) const;
  [[nodiscard]] std::string netns_of(int container, NetnsPath path) const;
  void look();
  void end();

  const Scenario& scenario_;
  Host host_;
  Runtime runtime_;
  Model model_;
  int step_ = 0;
  int knocks_ = 0;
  int births_ = 0;
};

}  // namespace unicni::test::world
