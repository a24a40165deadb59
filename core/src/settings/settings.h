// What a verb needs of the administrator's settings (Folders::settings), which are YAML that the
// executable can't read: unictl compiles them, run by the first verb that finds one changed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/services.h"
#include "module/registry.h"
#include "policy/policy.h"
#include "settings/compiled.h"
#include "unicni/deadline.h"
#include "unicni/error.h"

namespace unicni::settings {

class Settings {
 public:
  /// All outlive this. `environment` is what unictl inherits.
  Settings(const Services& services, const module::Locations& where,
           const std::vector<std::string>& environment, Deadline deadline,
           Keep keep = Keep::entries)
      : services_(services),
        where_(where),
        environment_(environment),
        deadline_(deadline),
        keep_(keep) {}

  /// All rules; nullopt: there is no folder of policies, which costs one stat(2). Error
  /// (policy_unreadable) for whatever keeps them from being known.
  [[nodiscard]] std::optional<policy::Policy> policy() const;

  /// The list that a chain describes, as JSON. Error(invalid_config): no such chain, or a wrong
  /// value in it; (decode): it can't be read; (policy_unreadable): nobody can compile it.
  [[nodiscard]] std::string chain(const std::string& name) const;
  /// For verbs that take away what an ADD made of a chain, or look at it.
  enum class Unknown : unsigned char { stays, is_compiled };
  /// The list as it was compiled last, whatever its file says today. Where nothing is left of that,
  /// `is_compiled` asks unictl for as long as half of the verb's time. Never throws; nullopt: it
  /// isn't known, a warning says why it couldn't be compiled.
  [[nodiscard]] std::optional<std::string> find_chain(const std::string& name,
                                                      Unknown unknown) const noexcept;

 private:
  [[nodiscard]] Compiled compiled(const std::string& subject, const std::string& folder) const;
  [[nodiscard]] Compiled compile(const std::string& subject, Deadline deadline) const;
  [[nodiscard]] std::string find_compiler() const;
  void warn(const std::string& text) const;

  const Services& services_;
  const module::Locations& where_;
  const std::vector<std::string>& environment_;
  Deadline deadline_;
  Keep keep_;
};

/// Whether there are policies, which may be such as can't be read. One stat(2).
bool has_policies(const Folders& folders);

/// Files that may be unictl, the first that is there counts: <prefix>/bin/unictl for
/// <prefix>/libexec/cni/unicni (in the build tree its own), then where this build was meant to be.
std::vector<std::string> compiler_places(const module::Locations& where);

}  // namespace unicni::settings
