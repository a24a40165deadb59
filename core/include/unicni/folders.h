// Where a host keeps what verbs read and write.
#pragma once

#include <string>

namespace unicni {

/// Absolute paths without '/' at their ends. A program around core may have its own; those of the
/// executable are these. What a configuration names itself ("dataDir") isn't among them.
struct Folders {
  std::string run = "/run/unicni";        ///< goes with the boot: journals, locks, hints
  std::string settings = "/etc/unicni";   ///< the administrator's
  std::string cni_settings = "/etc/cni";  ///< shared with the reference plugins, as the next
  std::string cni_state = "/var/lib/cni";

  /// Entries of the journal, and nothing else. Versions before 0.2 had them in `run`.
  [[nodiscard]] std::string journals() const { return run + "/attachments"; }
  /// What policies and chains of `settings` are for the executable.
  [[nodiscard]] std::string compiled() const { return run + "/compiled"; }
  [[nodiscard]] std::string chains() const { return settings + "/chains"; }
  [[nodiscard]] std::string policies() const { return settings + "/policy.d"; }
  /// host-local's "dataDir", unless the configuration names another.
  [[nodiscard]] std::string reservations() const { return cni_state + "/networks"; }
  /// libcni's cache.
  [[nodiscard]] std::string results() const { return cni_state + "/results"; }
};

}  // namespace unicni
