// Devices: links that a container gets as they are and gives back, such as a network card. A device
// is never deleted: whatever happened to it inside, it comes home under its old name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/net/link.h"
#include "unicni/net/netns.h"

namespace unicni::net {

/// A device as it was on the host, and where it went.
struct Device {
  Link was;                ///< name, settings, and what makes it known again
  std::string if_name;     ///< its name in the container
  int inside_index = 0;    ///< its ifindex there; 0: not known yet
  std::string netns;       ///< Netlink::identity() of the container's namespace
  std::string netns_path;  ///< CNI_NETNS of ADD
};

/// Has a bus or a permanent MAC: the kernel gives it back to the initial namespace when the
/// container's ends (default_device_exit_net()). Other links end with it.
bool is_hardware(const Link&);

/// A link of a container, or one that the kernel gave back, of which nothing but the mark is known:
/// given away by the reference, or its journal was lost. Named by the mark, or `otherwise` if that
/// is none; down and without alias, as the reference leaves it, and else as it is now.
Device marked_device(const Link& link, const std::string& otherwise);
/// Whether it is hardware under a name that kernels give what they give back: that of the
/// container, or if it is taken "dev" and a number.
bool is_given_back(const Link& link, const std::string& if_name);

/// One message: into the container, named and marked. The mark is the alias: the name that the
/// device had on the host, as the reference leaves it, so that either can bring it home.
void give_device(Batch& host, const Device&, const Netns& container);

/// The device among the links of a container, also after a change of name, index, MAC or alias
/// there. Hardware is known by permanent MAC and bus; other links by their kind and one of index,
/// mark and MAC.
std::optional<Link> find_device(Netlink& container, const Device&);
/// The same on the host, where it may be because it never left, came home, or was given back by the
/// kernel. Only hardware, the index or the mark count there: the rest can be a later link's.
std::optional<Link> find_device_at_home(Netlink& host, const Device&);

/// Moves `link`, found behind `from`, to the host under its old name, or one made of it
/// ("eno1-2") if that is taken, with its old index if that is free, and puts its MAC, MTU,
/// promiscuity, alias and UP back. `from` and
/// `host` may be the same. Returns the name that it has now. Throws Error; repeated, it goes on
/// where it ended.
std::string bring_device_home(Netlink& from, const Link& link, Netlink& host,
                              const Netns& host_netns, const Device&);

/// What to tell people when bring_device_home() returned another name; nullopt: the old one.
std::optional<std::string> clash_of(const Device&, const std::string& name);

}  // namespace unicni::net
