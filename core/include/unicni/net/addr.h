// Addresses of a link.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "unicni/ip.h"
#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni::net {

enum class Dad : bool {
  kernel,  ///< as the link's accept_dad says
  skip,    ///< IFA_F_NODAD: the address is unique by construction (IPAM gave it)
};

/// Scope global, IPv4 with broadcast address when the prefix is shorter than 31, as the reference.
/// An address that is there already is success if `exists_ok`, else an error.
void add_addr(Batch&, const LinkRef&, const IpNet&, Dad, bool exists_ok);
/// An IPv4 address with another broadcast address than the last of its subnet; success if it is
/// there already.
void add_addr(Batch&, const LinkRef&, const IpNet&, const IpAddress& broadcast);
void remove_addr(Batch&, const LinkRef&, const IpNet&, bool absent_ok);
/// How long an IPv6 address of a link is one that new connections are made from (RFC 4862,
/// preferred lifetime); nullopt: for ever. Then it is deprecated: it stays, for the connections
/// that it has, and for new ones if there is no other. False: the link has no such address.
bool set_preferred_time(Netlink&, const LinkRef&, const IpNet&,
                        std::optional<std::chrono::seconds> left);
/// fe80::/64 with the interface identifier of a MAC (RFC 4291, appendix A): the link-local address
/// that the kernel gives a link by itself.
IpNet link_local(const Mac& mac);
/// That one, at once and for good: packets would wait for seconds while the kernel's own is
/// tentative, as the host asks for IPv6 neighbours from it. Nothing if none of `ips` is IPv6.
void put_link_local(Batch&, const LinkRef&, const Mac& mac, const std::vector<IpConfig>& ips);
/// A link-local address of an UP link that packets can leave from now: one that it has, without the
/// seconds that its duplicate address detection would take yet; else `otherwise`. Throws Error.
IpNet ready_link_local(Netlink&, const LinkRef&, const IpNet& otherwise);
/// All addresses of one link, both families, IPv4 first. A link that is gone has none.
std::vector<IpNet> list_addrs(Netlink&, int index);
struct LinkAddr {
  int index = 0;  ///< of the link
  IpNet address;
};
/// Those of all links of the namespace but lo.
std::vector<LinkAddr> list_link_addrs(Netlink&);

/// Where duplicate address detection (RFC 4862 §5.4) of a link's IPv6 addresses stands.
struct DadState {
  bool running = false;         ///< an address is tentative yet
  std::optional<IpNet> failed;  ///< somebody else has this one (IFA_F_DADFAILED)
};
DadState get_dad_state(Netlink&, int index);

}  // namespace unicni::net
