// The interface after ADD: what a renewal, the loss of an address or a new one changes there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lease.h"
#include "unicni/net/kept_link.h"

namespace unicni::dhcp {

/// Puts the address of a grant on the interface, with the broadcast address (option 28) of the
/// server if it has another one than the last of the subnet. Success if it is there.
void put_address(net::Batch& batch, const net::LinkRef& link, const GrantV4& grant);
/// Option 28, if it is one that an interface in this subnet can have: an address of it that is
/// neither the interface's nor the gateway's, or 255.255.255.255. Any other would take a foreign
/// address away from the container.
std::optional<IpAddress> broadcast_of(const GrantV4& grant);
/// Below it the kernel takes IPv6 off a link. RFC 8200 §5.
inline constexpr std::uint32_t kLeastMtuV6 = 1280;
struct FittingMtu {
  std::uint32_t mtu;
  std::string problem;  ///< for people: why it is more than the server says; "": it isn't
};
/// What the interface is to have: option 26, but never above what it had when the lease began, and
/// not below what DHCP itself, and with it IPv6 on an interface that has it, needs.
FittingMtu fitting_mtu(const GrantV4& grant, std::uint32_t link_mtu, bool has_ipv6);
/// Whether the interface has an IPv6 address besides the link-local one: of a DHCP lease, of
/// another IPAM, or by a router.
bool has_ipv6(net::Netlink& links, const net::LinkRef& link, const Lease& lease);

/// Makes the interface what `lease.grant` says in place of `was` (nullopt: it had no address):
/// address, routes, MTU. What others have changed since stays as it is. Sets lease.renewed_routes,
/// lease.mtu and lease.renewed_mtu. Returns a line for each thing that could not be applied, or
/// that only a result could tell. Throws Error for an address that can't be put there.
std::vector<std::string> apply_renewal(const net::LinkInNetns& place, Lease& lease,
                                       const std::optional<GrantV4>& was);

/// Its routes whose gateway is in no subnet of the interface, which the kernel would refuse: what
/// the server has to mend, for people.
std::vector<std::string> far_gateways(const GrantV4& grant);

/// All that is reported of a grant and is no address, one text each: "host name db-0", "NTP
/// 10.1.2.3", "DNS 10.1.2.3 10.1.2.4", "domain example.org", "search a.example.org".
std::vector<std::string> reported(const GrantV4& grant);

}  // namespace unicni::dhcp
