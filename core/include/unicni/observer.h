// What a verb spends its time on, for who wants to know.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

namespace unicni {

/// Kinds of work. `module` holds the others of its member, and `ipam` those of the IPAM.
enum class Phase : unsigned char {
  load,      ///< look for the module, open it
  validate,  ///< all that is refused before the kernel is touched
  module,    ///< a verb of a module
  ipam,      ///< a verb of a step's IPAM
  netlink,   ///< a request or batch of rtnetlink
  nft,       ///< a request or transaction of nftables, iptables' tables there, conntrack
  program,   ///< a plugin of another maker
};

/// A stretch of work that has ended. The texts live during the call only.
struct Event {
  std::string_view member;  ///< the type that was at work, "bridge"
  Phase phase = Phase::module;
  std::string_view object;  ///< what it was about: "ADD", "host-local", "get link", a path
  std::chrono::nanoseconds duration{};
  int error = 0;        ///< errno that the kernel answered, also an expected one; 0: none
  bool failed = false;  ///< it ended with an Error
  /// The member's place in its list, from 0, as two may be of one type; nullopt: it isn't known.
  std::optional<std::size_t> place = {};
};

/// Hears of each stretch when it has ended, those inside of another one first. Owned by the program
/// around core; without one the cost is a branch each. Called by the threads of the verbs.
class Observer {
 public:
  virtual ~Observer();
  virtual void on_event(const Event& event) noexcept = 0;
};

}  // namespace unicni
