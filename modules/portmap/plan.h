// What the mappings of one attachment come to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "unicni/host.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::portmap {

/// The container's addresses that ports lead to, with the prefix lengths of their subnets.
struct Targets {
  std::optional<IpNet> v4;
  std::optional<IpNet> v6;
};
/// The first of each family among attachment_addresses().
Targets targets_of(const std::vector<IpNet>& addresses);

struct Plan {
  std::vector<net::PublishedPort> ports;
  std::vector<net::NftCondition> conditions;
  Targets known;    ///< those of the container
  Targets targets;  ///< of them those that have ports
  /// Mappings that lead nowhere, and why: a sentence for each reason.
  std::vector<std::string> warnings;
  /// The host's own 127.0.0.0/8 or ::1 leads to a port.
  bool loopback4 = false;
  bool loopback6 = false;
};
Plan plan_of(const Call& call, const Targets& known);

}  // namespace unicni::portmap
