#include "unicni/net/vlan.h"

#include <linux/if_link.h>

#include "net/link_message.h"

namespace unicni::net {

void add_vlan(Batch& batch, const LinkSpec& spec, std::uint16_t vlan_id) {
  add_link(batch, spec, kVlan,
           [vlan_id](nl_msg* message) { put_u16(message, IFLA_VLAN_ID, vlan_id); });
}

std::optional<std::uint16_t> find_vlan_id(Netlink& netlink, const std::string& name) {
  return find_kind_value<std::uint16_t>(netlink, name, kVlan, IFLA_VLAN_ID);
}

}  // namespace unicni::net
