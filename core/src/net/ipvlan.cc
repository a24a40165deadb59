#include "unicni/net/ipvlan.h"

#include <linux/if_link.h>

#include "net/link_message.h"

namespace unicni::net {

void add_ipvlan(Batch& batch, const LinkSpec& spec, IpvlanMode mode) {
  add_link(batch, spec, kIpvlan, [mode](nl_msg* message) {
    put_u16(message, IFLA_IPVLAN_MODE, static_cast<std::uint16_t>(mode));
  });
}

std::optional<IpvlanMode> find_ipvlan_mode(Netlink& netlink, const std::string& name) {
  return find_kind_value<IpvlanMode>(netlink, name, kIpvlan, IFLA_IPVLAN_MODE);
}

}  // namespace unicni::net
