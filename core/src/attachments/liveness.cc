#include "attachments/liveness.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::attachments {

bool would_be_seen(const std::string& netns_path) {
  if (netns_path.starts_with("/proc/")) return false;
  const std::string folder = netns_path.substr(0, netns_path.rfind('/'));
  return !folder.empty() && ::access(folder.c_str(), F_OK) == 0;
}

journal::Place place_of(net::Namespaces& namespaces) {
  return {sys::boot_id(), namespaces.host_links().identity()};
}

/// Compared by identity: the path may lead to the namespace of a later container.
Life life_of(const journal::RecordedStep& step, const net::Netns& host_netns) {
  if (step.netns_path.empty()) return Life::unknown;
  try {
    const auto netns = net::Netns::open(step.netns_path);
    if (!netns) return Life::gone;
    if (step.container_netns.empty()) return Life::unknown;
    const bool same = net::Netlink(*netns, host_netns).identity() == step.container_netns;
    return same ? Life::alive : Life::gone;
  } catch (const Error&) {
    return Life::unknown;
  }
}

Life life_of(const journal::Entry& entry, const journal::Place& place,
             const net::Netns& host_netns) {
  if (entry.place != place) return Life::gone;
  return entry.steps.empty() ? Life::unknown : life_of(entry.steps.back(), host_netns);
}

/// Every step must be sure: members of a list may have seen different namespaces.
bool are_namespaces_gone(const journal::Entry& entry, const journal::Place& place,
                         const net::Netns& host_netns) {
  if (entry.place != place || entry.steps.empty()) return false;
  return std::all_of(
      entry.steps.begin(), entry.steps.end(), [&](const journal::RecordedStep& step) {
        return would_be_seen(step.netns_path) && life_of(step, host_netns) == Life::gone;
      });
}

}  // namespace unicni::attachments
