// Elements of our nftables sets for "ipMasq".
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// What comes from the container's `address` gets the host's address, but for what goes to the
/// subnet of it that the prefix tells, and to multicast. Sets "masq4_<prefix>", "masq6_<prefix>".
NftElement masquerade_element(const IpNet& address, const std::string& owner);

}  // namespace unicni::net
