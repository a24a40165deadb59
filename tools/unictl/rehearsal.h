// How an ADD would go, up to where it would change something: what the executable is called with,
// its members, and what it would refuse of them.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/services.h"
#include "chain/planning.h"
#include "chain/request.h"
#include "chain/step.h"
#include "compile/trial_opening.h"
#include "policy/policy.h"
#include "protocol/netconf.h"
#include "protocol/network_list.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::unictl {

/// One call of the executable by a runtime.
struct PluginCall {
  protocol::Netconf netconf;
  std::size_t index;        ///< of the plugin in the list; 0 of a list in one process
  std::string source = {};  ///< where its plugins are from; "": as the runtime sends them

  /// Whether one process serves a list.
  [[nodiscard]] bool is_list() const;
};
/// Of a chain, whose file is `chain`, one with its whole list; of other networks ("") one for each
/// plugin.
/// `capability_args`: what the runtime offers, a JSON object; "": nothing.
std::vector<PluginCall> calls_of(protocol::NetworkList list, const std::string& chain,
                                 const std::string& capability_args);

/// Whether a module, or a program in CNI_PATH, serves the type.
bool is_served(const std::string& type, const module::Locations& where);

/// A member of a call, or the delegate of the one before it, and why its ADD would fail before
/// anything is changed.
struct RehearsedMember {
  chain::Member member;
  std::optional<Error> refusal;
  bool is_delegate = false;
};

class Rehearsal {
 public:
  using Warn = std::function<void(const std::string&)>;
  /// What a runtime's call has beside its configuration. Folders and locations outlive this.
  Rehearsal(const Folders& folders, const module::Locations& where,
            protocol::Environment environment, Warn warn);

  /// The members that the call has after `policy`, and behind a member that delegates what it gives
  /// its delegate, if that can be known. Of a type that nothing serves it is a refusal only if
  /// CNI_PATH is known. Throws what the ADD would fail with as a whole.
  std::vector<RehearsedMember> run(const PluginCall& call, const policy::Policy* policy);

 private:
  struct Scene;
  [[nodiscard]] bool is_unknown(const chain::Member& member) const;
  [[nodiscard]] Warn warn_of(const std::string& type) const;
  void rehearse(const Scene& scene, chain::Member member, std::vector<RehearsedMember>& to) const;
  void rehearse_delegate(const Scene& scene, const chain::Step& by, std::string config,
                         std::vector<RehearsedMember>& to) const;

  const module::Locations& where_;
  const Services services_;
  const protocol::Environment environment_;
  const Warn warn_;
  compile::CautiousCache modules_;
  const Deadline deadline_;
};

}  // namespace unicni::unictl
