// What the kinds of links have in common; each has a file of its own. ip-link(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

struct LinkKind {
  const char* name;           ///< IFLA_INFO_KIND
  const char* kernel_module;  ///< what modprobe(8) knows it by, for advice
};

/// What all kinds have. Making one fails with EEXIST if the name is taken where it is born, and
/// with EOPNOTSUPP if the kernel (or a module that it could load) doesn't have the kind.
struct LinkSpec {
  std::string name;             ///< in the namespace where it is born: no temporary names
  std::optional<Mac> mac = {};  ///< nullopt: the kernel's choice
  std::uint32_t mtu = 0;        ///< bytes; 0: the kernel's choice, mostly the parent's
  LinkRef parent = {};          ///< in the namespace of the batch; index 0: none
  /// The ifindex that it shall have; 0: the kernel's choice. Before Linux 6.15 the kernel looks for
  /// `name` in the namespace of the batch, also for a link that is born elsewhere, and answers
  /// EEXIST; asked for an index it looks for that instead (rtnl_newlink()).
  int index = 0;
  const Netns* netns =
      nullptr;  ///< where it is born; nullptr: in the batch's. Must outlive commit()
};

/// Whether the kernel, or a module that it could load, has the kind. Changes nothing: it is asked
/// for one with an impossible MAC, which only the kind itself refuses. Throws Error.
bool knows_link_kind(Netlink&, const LinkKind&);

}  // namespace unicni::net
