#include "unicni/net/vrf.h"

#include <linux/if.h>
#include <linux/if_link.h>

#include "net/link_message.h"

namespace unicni::net {

void add_vrf(Batch& batch, const LinkSpec& spec, std::uint32_t table) {
  nl_msg* message =
      add_link(batch, spec, kVrf, [table](nl_msg* data) { put_u32(data, IFLA_VRF_TABLE, table); });
  // Interfaces of a VRF that is down get no routes into its table.
  put_link_flag(message, IFF_UP, true);
}

std::optional<std::uint32_t> find_vrf_table(Netlink& netlink, const std::string& name) {
  return find_kind_value<std::uint32_t>(netlink, name, kVrf, IFLA_VRF_TABLE);
}

}  // namespace unicni::net
