// Elements of our nftables sets for "macspoofchk" of bridge.
#pragma once

#include <string>
#include <vector>

#include "unicni/mac.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// Table bridge: of the frames that come in through `port`, a bridge's port on the host (the veth's
/// host end), only those from `mac` pass; the sender of an ARP message counts as well. A port that
/// is checked has one MAC or more: call it again for a further one. Nothing else is affected: other
/// ports, frames towards the port, and IP addresses.
/// Two elements, which belong together: "is checked" and "this one may". Throws Error
/// (Code::invalid_config) if `port` is no interface name.
std::vector<NftElement> spoof_check_elements(const std::string& port, const Mac& mac,
                                             const std::string& owner);

}  // namespace unicni::net
