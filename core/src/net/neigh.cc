#include "unicni/net/neigh.h"

#include <fmt/core.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/attribute.h"
#include "unicni/net/link.h"

namespace unicni::net {

/// STALE: the entry is used at once and confirmed by the first packets. REACHABLE would hide a
/// wrong MAC for half a minute.
void refresh_neigh(Batch& batch, const LinkRef& link, const IpAddress& address, const Mac& mac) {
  // ENOENT: no entry. Without NLM_F_CREATE the kernel makes none.
  nl_msg* message =
      batch.add(RTM_NEWNEIGH, NLM_F_REPLACE,
                fmt::format("refresh neighbour {} on {}", address.str(), link.name), {ENOENT});
  auto& header = put_header<ndmsg>(message);
  header.ndm_family = address.is_v4() ? AF_INET : AF_INET6;
  header.ndm_ifindex = link.index;
  header.ndm_state = NUD_STALE;
  put_address(message, NDA_DST, address);
  put_mac(message, NDA_LLADDR, mac);
}

/// A change of the MAC makes the kernel announce all addresses of a link (NETDEV_CHANGEADDR, with
/// arp_notify and ndisc_notify), also if the new MAC is the old one.
void announce_addrs(Batch& batch, const LinkRef& link, const Mac& mac) {
  LinkChange same;
  same.mac = mac;
  change_link(batch, link, same);
}

}  // namespace unicni::net
