#include "undo/shared_objects.h"

#include <chrono>

namespace unicni::undo {

std::optional<sys::Lock> hold_shared_objects(HostKernel& host) {
  constexpr std::chrono::seconds kPatience{5};
  return host.attachments().hold_shared_links(sys::LockMode::exclusive,
                                              std::chrono::steady_clock::now() + kPatience);
}

std::optional<net::Link> find_idle_bridge(net::Netlink& links, const std::string& name,
                                          Found& found) {
  auto link = net::find_link(links, name);
  found = link ? Found::others : Found::absent;
  if (!link || link->kind != "bridge" || !net::list_ports(links, link->index).empty()) {
    return std::nullopt;
  }
  found = Found::ours;
  return link;
}

}  // namespace unicni::undo
