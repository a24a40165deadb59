#include "unicni/net/forwarding.h"

#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"
#include "unicni/net/sysctl.h"

namespace unicni::net {

/// By netlink and not by /proc/sys, whose files cost several system calls and depend on the mount.
bool is_forwarding(Netlink& netlink, Family family) {
  SingleRequest request(RTM_GETNETCONF);
  put_header<netconfmsg>(request).ncm_family = family == Family::v4 ? AF_INET : AF_INET6;
  put_u32(request, NETCONFA_IFINDEX, static_cast<std::uint32_t>(NETCONFA_IFINDEX_ALL));
  bool on = false;
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(netconfmsg), [&](std::uint16_t type, const nlattr* each) {
      if (type == NETCONFA_FORWARDING) on = value_of<std::uint32_t>(each) != 0;
    });
  });
  if (error == EOPNOTSUPP || error == EAFNOSUPPORT) return false;
  if (error != 0) throw system_error(error, "ask whether IP packets are forwarded");
  return on;
}

/// Written only where it is off: the write makes the kernel drop its routes' caches and tell every
/// link.
void ensure_forwarding(Netlink& netlink, Family family) {
  if (is_forwarding(netlink, family)) return;
  ensure_sysctl(family == Family::v4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", "1");
}

void ensure_forwarding(Netlink& netlink, const std::vector<IpNet>& networks) {
  for (const Family family : {Family::v4, Family::v6}) {
    const bool used = std::any_of(networks.begin(), networks.end(),
                                  [family](const IpNet& each) { return each.family() == family; });
    if (used) ensure_forwarding(netlink, family);
  }
}

}  // namespace unicni::net
