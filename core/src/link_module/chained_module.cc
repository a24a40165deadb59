#include "unicni/chained_module.h"

#include <fmt/core.h>

#include <algorithm>

#include "link_module/ownership.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/veth.h"
#include "unicni/sys/proc.h"

namespace unicni {

const Result& require_prev_result(const Call& call) {
  if (call.prev_result) return *call.prev_result;
  throw Error(Code::invalid_config, "must be called as chained plugin: there is no prevResult",
              "list it in \"plugins\" after the plugin that makes the interface");
}

void ChainedHooks::validate_options(const Call&) {}

/// In a list of ours only the first step has its prevResult by now. For the others it comes with
/// the result of the step before.
void ChainedModule::validate(const Call& call) {
  const bool first = call.command == Command::add && call.step == 0;
  if (first || call.command == Command::check) require_prev_result(call);
  validate_options(call);
}

/// The result is handed on as it came but for what apply() changes in it: a chained plugin must
/// lose nothing of it.
Result ChainedModule::add(const Call& call, Host& host) {
  Result result = require_prev_result(call);
  apply(call, host, result);
  return result;
}

/// prevResult isn't asked. Other makers' results don't name the host end, or name another link.
net::Link get_host_veth(const Call& call, Host& host) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Code::internal, fmt::format("{} in {} {}", call.key.if_name, call.netns, why),
                fmt::format("{} works on veth interfaces whose other end is on this host, as "
                            "bridge and ptp make them",
                            call.type));
  };
  const net::Link container = net::get_link(host.container_links(), call.key.if_name);
  if (container.kind != "veth") {
    refuse(fmt::format("has no veth peer: it is a {} link",
                       container.kind.empty() ? "physical" : container.kind));
  }
  auto end =
      net::find_veth_end(host.container_links(), container, host.host_links(), host.host_netns());
  if (!end) refuse(fmt::format("has its veth peer (index {}) not on this host", container.iflink));
  return *std::move(end);
}

std::optional<net::Link> find_host_veth(const Call& call, Host& host) {
  if (host.container_netns() == nullptr) return std::nullopt;
  const auto container = net::find_link(host.container_links(), call.key.if_name);
  if (!container) return std::nullopt;
  return net::find_veth_end(host.container_links(), *container, host.host_links(),
                            host.host_netns());
}

/// The rule of interface modules holds for chained ones as well: in a namespace that is somebody
/// else's by now nothing is changed.
std::optional<net::Link> find_own_link(const Call& call, Host& host) {
  if (host.container_netns() == nullptr) return std::nullopt;
  net::Netlink& links = host.container_links();
  auto link = net::find_link(links, call.key.if_name);
  if (!link) return std::nullopt;
  const auto addresses = net::list_addrs(links, link->index);
  const char* kind = link->kind == "veth" ? "veth" : nullptr;
  const link_module::Ownership ownership(call, host, *link, addresses);
  if (!ownership.is_ours_or_warn(kind, [](const net::Link*) { return false; })) link.reset();
  return link;
}

/// flock(2) on the namespace's own file, as the reference's plugins do it. Processes in the
/// container can open that file as well, so DEL doesn't depend on the lock.
std::optional<sys::Lock> lock_container(const Call& call, Host& host) {
  const std::string path = sys::proc_path_of(host.container_netns()->fd());
  if (call.command == Command::add) return sys::Lock(path, 0, sys::lock_deadline(call.deadline));
  const Deadline patience = std::chrono::steady_clock::now() + kContainerLockPatience;
  try {
    return sys::Lock(path, 0, std::min(patience, sys::lock_deadline(call.deadline)));
  } catch (const Error& error) {
    host.log(LogLevel::warning,
             fmt::format("{}: {}; going on without the lock", call.netns, error.msg()));
    return std::nullopt;
  }
}

}  // namespace unicni
