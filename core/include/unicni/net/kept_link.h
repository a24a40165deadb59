// A link of a container that a file remembers, found again later.
#pragma once

#include <optional>
#include <string>

#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/net/netns.h"

namespace unicni::net {

/// What is remembered. A path alone could lead to another namespace by now, a name or number to
/// another link.
struct KeptLink {
  std::string netns;  ///< Netlink::identity()
  std::string name;
  int index = 0;
  Mac mac;
  std::string kind = {};  ///< Link::kind; "": unknown, or hardware
};

struct LinkInNetns {
  Netns netns;
  Link link;  ///< as it is now
};

/// The link, if `path` leads to its namespace and it is still that one: index and MAC are the same,
/// or index, name and kind, as tuning or the container itself may give a link another MAC. nullopt:
/// something else is there, or nothing. `back`: the calling thread's namespace, if the caller has
/// it open. Throws Error: nobody can look now.
std::optional<LinkInNetns> find_kept_link(const std::string& path, const KeptLink& kept,
                                          const Netns* back = nullptr);

}  // namespace unicni::net
