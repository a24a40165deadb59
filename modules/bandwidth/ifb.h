// The ifb of an attachment: the link on the host through which what the container sends goes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/net/link.h"

namespace unicni::bandwidth {

/// The reference's name, "bwp" and 12 hex digits of the network and container, without the
/// interface: so it is for one attachment of a container only.
std::string shared_name(const Call& call);
/// The same with the interface in it: what the container's other attachments get.
std::string own_name(const Call& call);

/// Makes it, not UP yet and announced first: under the shared name, or if another attachment has
/// that, the own one. What an ADD of this attachment left under either name goes. Throws Error.
net::Link make_ifb(const Call& call, Host& host, std::uint32_t mtu);

/// DEL without a journal, or after the reference: removes the ifbs of this attachment. One without
/// alias is the reference's, and ours unless prevResult or the container's link says otherwise.
/// Throws Error.
void sweep_ifbs(const Call& call, Host& host);

}  // namespace unicni::bandwidth
