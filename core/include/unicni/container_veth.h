// A veth between host and container: what bridge and ptp make.
#pragma once

#include "unicni/link_module.h"
#include "unicni/net/veth.h"

namespace unicni {

/// Makes a veth whose end on this host is UP and takes no router advertisement (accept_ra=0); as a
/// bridge's port it has no IPv6 at all. Returns that end. Throws Error.
net::LinkRef make_veth(net::Netlink& host_links, net::VethSpec);

/// create_link() of a veth between host and container: gives it names, the attachment's alias and
/// what of MACs `veth` leaves zero, announces and makes it. Its end on the host has an entry in the
/// result from then on.
MadeLink create_veth(LinkAdd&, net::VethSpec veth);

/// CHECK: the end on this host of a veth in the container: there, UP, MAC and MTU as prevResult
/// says (if it has an interface of that name). Throws Error.
net::Link require_host_end(const Call&, Host&, const net::Link& container);

}  // namespace unicni
