// What the generator learned later. Each addition changes a scenario by draws of its own, so that a
// seed without it means what it meant before.
#pragma once

#include <string>
#include <vector>

#include "world/scenario.h"

namespace unicni::test::world {

/// All there are, in the order in which they are made:
///   macs      interfaces with another MAC than they were born with: macvlan on the uplink, tunings
///             behind bridges, also such as check senders
///   gateways  a bridge's gateway is a veth of the host, or a router, that is plugged into it
///   moves     programs of other makers, IPAM too, move between folders, or are away for a time
///   sysctls   networks change the same settings of their containers
inline const std::vector<std::string> kAdditions = {"macs", "gateways", "moves", "sysctls"};

/// `names` of kAdditions.
Scenario with_additions(Scenario scenario, const std::vector<std::string>& names);

}  // namespace unicni::test::world
