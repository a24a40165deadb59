// Settings of bridge ports in the messages about links.
#pragma once

#include "net/attribute.h"

namespace unicni::net {

void put_port_settings(nl_msg* message, bool hairpin, bool isolated);

}  // namespace unicni::net
