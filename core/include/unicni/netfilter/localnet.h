// Interfaces of this host on which packets may have addresses of 127.0.0.0/8 (sysctl
// route_localnet), as connections from the host's own loopback to published ports need it. Elements
// of our nftables table say on which, and who needs it there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// On `interface` packets may have addresses of 127.0.0.0/8 (sysctl route_localnet), which then is
/// for answers only; of the network. `by_us`: it was us who set it, so we set it back.
NftElement localnet_element(const std::string& interface, const std::string& network, bool by_us);
/// The element of an interface, whoever set its sysctl.
std::optional<NftElement> find_localnet(Nft& nft, const std::string& interface);
/// Whether it was us.
bool is_localnet_by_us(const NftElement& element);
/// Whether it is such an element.
bool is_localnet(const NftElement& element);
/// All such elements, and the interface that one is about.
std::vector<NftElement> list_localnets(Nft& nft);
std::string interface_of_localnet(const NftElement& element);
/// An attachment that needs it on `interface`, whatever backend its ports have; and whether any
/// does.
NftElement localnet_user_element(const std::string& interface, const IpAddress& container,
                                 const std::string& owner);
bool is_localnet_used(Nft& nft, const std::string& interface);

}  // namespace unicni::net
