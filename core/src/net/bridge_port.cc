#include "net/bridge_port.h"

#include <linux/if_link.h>

namespace unicni::net {

void put_port_settings(nl_msg* message, bool hairpin, bool isolated) {
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_SLAVE_KIND, "bridge");
  const Nest port(message, IFLA_INFO_SLAVE_DATA);
  put_u8(message, IFLA_BRPORT_MODE, hairpin ? 1 : 0);
  put_u8(message, IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
}

}  // namespace unicni::net
