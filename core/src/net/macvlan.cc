#include "unicni/net/macvlan.h"

#include <linux/if_link.h>

#include "net/link_message.h"

namespace unicni::net {

void add_macvlan(Batch& batch, const LinkSpec& spec, MacvlanMode mode, std::uint32_t bc_queue_len) {
  add_link(batch, spec, kMacvlan, [&](nl_msg* message) {
    put_u32(message, IFLA_MACVLAN_MODE, static_cast<std::uint32_t>(mode));
    if (bc_queue_len != 0) put_u32(message, IFLA_MACVLAN_BC_QUEUE_LEN, bc_queue_len);
  });
}

std::optional<MacvlanMode> find_macvlan_mode(Netlink& netlink, const std::string& name) {
  return find_kind_value<MacvlanMode>(netlink, name, kMacvlan, IFLA_MACVLAN_MODE);
}

}  // namespace unicni::net
