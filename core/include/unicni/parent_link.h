// The link that an interface in the container hangs on: "master" of macvlan, ipvlan and vlan.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "unicni/link_module.h"
#include "unicni/net/link_kind.h"

namespace unicni {

/// What a configuration says of it.
struct ParentChoice {
  std::string master;         ///< its name; empty: the link of the first default route
  bool in_container = false;  ///< "linkInContainer": it is in the container's namespace
  std::int64_t mtu = 0;       ///< of the new link, in bytes; 0: the kernel's choice
};

/// Refuses a name or MTU that no link may have. Throws Error(invalid_config).
void require_valid(const ParentChoice&);

/// Finds the parent, or the link of the default route, and changes nothing. Throws Error that
/// names the key "master" if there is none.
net::Link get_parent(Host&, const ParentChoice&);
/// Throws Error(invalid_config) if the new link's MTU is greater than the parent's.
void require_mtu_within(const ParentChoice&, const net::Link& parent);
/// A VLAN can't go UP on a parent that is down (ENETDOWN). Throws Error.
void require_up(const net::Link& parent);

/// STATUS: runs `refuse`, which throws Error where ADD would, as Error(not_available). A parent in
/// a container isn't looked at: STATUS has none.
void require_available(const ParentChoice&, const std::function<void()>& refuse);

/// A link to make in the container as CNI_IFNAME.
struct ChildLink {
  net::LinkKind kind;
  std::function<void(net::Batch&, const net::LinkSpec&)> put;  ///< net::add_macvlan() …
  std::optional<Mac> mac = {};
  /// What to do about an errno of the kernel; "" if the kind knows no more than all kinds do.
  std::function<std::string(int error)> advice = {};
};
/// The body of create_link(): announces the link and makes it. Warns of a parent that is down.
MadeLink create_on_parent(LinkAdd&, const ParentChoice&, const net::Link& parent, const ChildLink&);

/// Whether the parent of this link in the container is the one of the configuration; without
/// "master": any on the right side, as the default route may have moved since ADD.
bool hangs_on_parent(Host&, const ParentChoice&, const net::Link& container);
/// CHECK: the same as a refusal, and the MTU of the configuration. Throws Error.
void check_parent(Host&, const ParentChoice&, const net::Link& container);

}  // namespace unicni
