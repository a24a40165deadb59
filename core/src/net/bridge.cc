#include "unicni/net/bridge.h"

#include <fmt/core.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <functional>

#include "net/link_message.h"

namespace unicni::net {

/// With a MAC from the start: without one a bridge takes the smallest MAC of its ports and changes
/// it as they come and go, and with it what neighbours remember.
void add_bridge(Batch& batch, const BridgeSpec& spec) {
  require_alias(spec.name, spec.alias);
  std::function<void(nl_msg*)> put_data;
  if (spec.vlan_filtering) {
    put_data = [](nl_msg* message) { put_u8(message, IFLA_BR_VLAN_FILTERING, 1); };
  }
  const LinkSpec link{.name = spec.name, .mac = spec.mac, .mtu = spec.mtu};
  put_link_flag(add_link(batch, link, kBridge, put_data), IFF_UP, true);
  if (spec.alias.empty()) return;
  put_alias(change_by_name(batch, spec.name, fmt::format("set alias of {}", spec.name)),
            spec.alias);
}

/// A flag that is on already isn't ours, and DEL leaves it on.
void set_port_flag(Batch& batch, const LinkRef& link, PortFlag flag, bool on) {
  const bool isolated = flag == PortFlag::isolated;
  nl_msg* message = batch.add(RTM_NEWLINK, 0,
                              fmt::format("set port {} {} {}", link.name,
                                          isolated ? "isolated" : "hairpin", on ? "on" : "off"),
                              // What is switched off may be on its way out with its namespace.
                              on ? std::vector<int>() : std::vector<int>{ENODEV});
  put_header<ifinfomsg>(message).ifi_index = link.index;
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_SLAVE_KIND, "bridge");
  const Nest port(message, IFLA_INFO_SLAVE_DATA);
  put_u8(message, isolated ? IFLA_BRPORT_ISOLATED : IFLA_BRPORT_MODE, on ? 1 : 0);
}

}  // namespace unicni::net
