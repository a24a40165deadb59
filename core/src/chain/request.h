// Everything one verb was called with.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/services.h"
#include "module/cache.h"
#include "module/registry.h"
#include "protocol/netconf.h"
#include "protocol/request.h"

namespace unicni::chain {

struct Request {
  Command command = Command::add;  ///< environment.command, known to be there
  protocol::Environment environment;
  protocol::Netconf netconf;
  std::string invoked_as;  ///< base name of argv[0]: the type, or "unicni"
  module::Locations where;
  std::vector<std::string> process_environment;  ///< "K=V", what delegates inherit
  Deadline deadline{};
  const Services& services;
  module::Cache& modules;

  [[nodiscard]] AttachmentKey key() const {
    return {netconf.name(), environment.container_id, environment.if_name};
  }
  /// The same with another configuration, until another time.
  [[nodiscard]] Request with(protocol::Netconf other, Deadline until) const {
    return {command, environment, std::move(other), invoked_as, where, process_environment,
            until,   services,    modules};
  }
};

/// Who asked for a verb.
class Caller {
 public:
  virtual ~Caller();
  /// A member is about to act: what a crash from now on is said to be of.
  virtual void on_member(std::string_view type) = 0;
  /// ADD has its result. Called once, while what was done can still be rolled back: who can't take
  /// it throws Error.
  virtual void on_result(const std::string& document) = 0;
  /// ADD is over, and no lock is held any more. A program that ends with its verb may do it here.
  virtual void on_added();
};

/// A verb's whole time. The kernel's work takes milliseconds of it: locks and programs decide.
inline constexpr std::chrono::seconds kVerbTime{30};
inline constexpr std::chrono::seconds kDelTime{15};

}  // namespace unicni::chain
