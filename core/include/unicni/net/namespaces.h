// The two network namespaces that a verb works in.
#pragma once

#include <string>

#include "unicni/net/netlink.h"
#include "unicni/net/netns.h"

namespace unicni::net {

/// Handles are opened on first use and shared by all that is done during the verb.
class Namespaces {
 public:
  virtual ~Namespaces();
  virtual Netlink& host_links() = 0;      ///< rtnetlink of the runtime's namespace
  virtual const Netns& host_netns() = 0;  ///< the runtime's
  /// The container's namespace; nullptr if CNI_NETNS is empty, gone, or (DEL only) not the one that
  /// ADD saw. On ADD and CHECK it is never nullptr: those fail before a module is called.
  virtual const Netns* container_netns() = 0;
  /// rtnetlink there; Error if container_netns() is nullptr.
  virtual Netlink& container_links() = 0;
  /// Netlink::identity() of the container's namespace; empty: there is none, or CNI_NETNS leads to
  /// no namespace. Throws Error for anything else.
  virtual std::string find_container_identity();
};

}  // namespace unicni::net
