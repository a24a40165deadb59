// Where a lease's interface is, and how the daemon gets there again.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "unicni/mac.h"
#include "unicni/net/kept_link.h"

namespace unicni::dhcp {

/// The interface that has the address. The path alone could lead to another namespace by now, and a
/// name or number to another link.
struct Place {
  std::string netns_path;
  std::string netns;  ///< Netlink::identity()
  std::string if_name;
  int index = 0;
  /// The mount namespace in which the path leads there, as view_of() says it; "": the daemon's own,
  /// whichever that is.
  std::string view = {};
  std::string kind = {};  ///< net::KeptLink::kind
  /// A verb's descriptor of that namespace, as long as its request is served; -1: there is none.
  int given = -1;
  /// Whether they are one interface, by whatever path.
  friend bool operator==(const Place& one, const Place& other) {
    return one.netns == other.netns && one.if_name == other.if_name && one.index == other.index;
  }
};

/// The mount namespace of a process, "mnt:[4026531841]"; "": it can't be known. 0: our own.
std::string view_of(pid_t pid);

/// The namespace of `place` with its link, if both are still what the lease says
/// (net::find_kept_link()); `mac` is what the link had when the lease began. nullopt: they are gone
/// for good. `prefix` is before the path as the daemon sees it. Where the path is another mount
/// namespace's, that is looked into through a process that lives there. Where no path leads there
/// (that of a process that has ended), any process of the container or any file that its namespace
/// is mounted on shows the way. Throws Error: nobody can look now.
std::optional<net::LinkInNetns> find_place(const std::string& prefix, const Place& place,
                                           const Mac& mac);
/// By the place's own path alone, as the daemon sees it.
std::optional<net::LinkInNetns> find_by_path(const std::string& prefix, const Place& place,
                                             const Mac& mac);

}  // namespace unicni::dhcp
