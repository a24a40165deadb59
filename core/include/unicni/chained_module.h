// The skeleton of chained modules: they come after the plugin that made CNI_IFNAME, change what it
// made, and hand its result on.
#pragma once

#include <chrono>
#include <optional>

#include "unicni/module.h"
#include "unicni/net/link.h"
#include "unicni/sys/lock.h"

namespace unicni {

/// What a chained module supplies; a base of its own for the reason that LinkHooks is one
/// (unicni/link_module.h).
class ChainedHooks {
 protected:
  /// Module's own refusals, before the kernel is touched.
  virtual void validate_options(const Call&);
  /// What ADD does; `result` is prevResult and becomes the answer. Every change is announced to
  /// Host::undo() before it is made.
  virtual void apply(const Call&, Host&, Result& result) = 0;

  ~ChainedHooks() = default;
};

class ChainedModule : public Module, protected ChainedHooks {
 public:
  /// ADD and CHECK are refused without prevResult; then validate_options(). In a list the plugin
  /// before us makes it, after this.
  void validate(const Call&) final;
  Result add(const Call&, Host&) final;
};

/// prevResult. Throws Error(invalid_config) that says where the plugin belongs.
const Result& require_prev_result(const Call&);

/// The host's end of CNI_IFNAME, which must be a veth with its other end on this host, whatever
/// prevResult names. Throws Error that names the link.
net::Link get_host_veth(const Call&, Host&);
/// The same for DEL: nullopt if the container's namespace or the link is gone, or it is no veth.
std::optional<net::Link> find_host_veth(const Call&, Host&);

/// DEL: CNI_IFNAME in the container's namespace. nullopt: there is neither, or it is, as a warning
/// says, somebody else's: the path of a namespace may lead into another container's by now.
std::optional<net::Link> find_own_link(const Call&, Host&);

/// flock(2) on the file of the container's namespace, between looking for what is free in there and
/// using it: neither another attachment of the container nor the reference, whose lock this is,
/// does so meanwhile. Any process in the container can take it as well and keep it: then ADD throws
/// Error (Code::try_again, naming the holder) at half of its time, and DEL, which must not depend
/// on the container, goes on without it after kContainerLockPatience, with a warning (nullopt).
[[nodiscard]] std::optional<sys::Lock> lock_container(const Call&, Host&);
inline constexpr std::chrono::milliseconds kContainerLockPatience{500};

}  // namespace unicni
