#include "undo/shared_objects.h"

#include <chrono>
#include <utility>

namespace unicni::undo {

std::optional<sys::Lock> hold_shared_objects(HostKernel& host) {
  constexpr std::chrono::seconds kPatience{5};
  return host.attachments().hold_shared_links(sys::LockMode::exclusive,
                                              std::chrono::steady_clock::now() + kPatience);
}

/// A link of another kind with the bridge's name is somebody else's.
FoundLink look_at_idle_bridge(net::Netlink& links, const std::string& name) {
  auto link = net::find_link(links, name);
  if (!link) return {};
  const bool is_idle = link->kind == "bridge" && net::list_ports(links, link->index).empty();
  return judge(std::move(link), is_idle);
}

}  // namespace unicni::undo
