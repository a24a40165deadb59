// One step of a chain, ready to run: what serves it, its options, its IPAM.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chain/delegate.h"
#include "chain/ipam_delegate.h"
#include "chain/request.h"
#include "chain/verb_host.h"
#include "journal/journal.h"
#include "module/loader.h"
#include "options/parse.h"

namespace unicni::chain {

struct Step {
  module::Found found;
  protocol::Netconf netconf;
  std::optional<module::LoadedModule>
      module;  ///< absent: a program, or (DEL) a module that isn't there any more
  options::Parsed options;
  Call call;
  /// Never nullptr for a module, nor (DEL) for one that is missing, as far as there is one to ask.
  std::unique_ptr<IpamDelegate> ipam;
  std::unique_ptr<PluginDelegate> delegate = {};  ///< of a module that delegates
  std::optional<std::size_t> ordinal = {};        ///< Member::ordinal
  journal::Origin origin = {};                    ///< Member::origin
  std::vector<std::size_t> begun = {};  ///< ids of the journal's steps that this verb wrote for it

  [[nodiscard]] const std::string& type() const { return found.type; }
  [[nodiscard]] bool is_link() const {
    return module && module->descriptor().kind == ModuleKind::link;
  }
  /// Whether its records belong to the container's namespace.
  [[nodiscard]] bool enters_container() const {
    return is_link() || (module && module->has_trait(Trait::enters_container));
  }
  /// Its configuration as it was asked for.
  [[nodiscard]] protocol::Netconf asked() const {
    return origin.asked.empty() ? netconf.copy() : protocol::Netconf::parse(origin.asked);
  }
  /// From now on the host works for this step.
  void enter(VerbHost& host, UndoLog* undo = nullptr) const {
    if (ipam) ipam->bind(host);
    if (delegate) delegate->bind(host);
    host.enter({type(), call.step, undo, ipam.get(), delegate.get()});
  }
  /// The undo log has asked a program of this step for its DEL.
  void mark_asked(const Asked& asked) const {
    if (delegate) {
      delegate->mark_asked(asked);
    } else if (ipam) {
      ipam->mark_asked(asked);
    }
  }
  /// Whether a module serves a type of this step: the step's own or its IPAM's.
  [[nodiscard]] bool has_module_for(const std::string& served) const {
    return (module && type() == served) || (ipam && ipam->has_module_for(served));
  }
  /// Whether it announces changes that outlive the verb.
  [[nodiscard]] bool journaled() const {
    return module && module->descriptor().kind != ModuleKind::ipam &&
           !module->has_trait(Trait::stateless);
  }
};

/// Finds, loads and parses. On DEL what is missing or wrong is only logged; on other verbs it
/// throws. `direct`: the type is our own name on disk, so CNI_PATH isn't asked.
std::unique_ptr<Step> make_step(const Request& request, const std::string& type,
                                protocol::Netconf netconf, std::size_t index, bool direct,
                                const std::optional<Result>& prev_result, const Warn& warn);

/// DEL: nothing but the call, for an undo without a module.
std::unique_ptr<Step> make_bare_step(const Request& request, const std::string& type,
                                     protocol::Netconf netconf, std::size_t index,
                                     const std::optional<Result>& prev_result);

}  // namespace unicni::chain
