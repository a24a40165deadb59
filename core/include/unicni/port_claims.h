// An attachment's published ports as elements of our nftables sets. A container may have several
// attachments that want one port of the host: that is no conflict. One of them serves, the others
// wait, remembered by their journals, and take over when it goes (Nft::remove).
#pragma once

#include <vector>

#include "unicni/host.h"
#include "unicni/netfilter/published_port.h"

namespace unicni {

/// ADD: add_rules() for elements of port_elements() and others. Returns the places at which another
/// attachment of this container serves. The wider place serves the narrower one. Throws Error that
/// names the attachment which has a port.
std::vector<net::PortPlace> claim_ports(const Call& call, Host& host,
                                        const std::vector<net::NftElement>& own,
                                        const std::vector<net::NftElement>& shared);

/// CHECK: Nft::require_effective(); at each place this attachment serves, or another one of its
/// container, which isn't gone. Throws Error.
void require_ports(const Call& call, Host& host, const std::vector<net::NftElement>& own,
                   const std::vector<net::NftElement>& shared);

}  // namespace unicni
