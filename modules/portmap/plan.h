// What the mappings of one attachment come to.
#pragma once

#include <optional>
#include <vector>

#include "config.h"
#include "unicni/host.h"
#include "unicni/net/published_port.h"

namespace unicni::portmap {

/// The container's addresses that ports lead to, with the prefix lengths of their subnets.
struct Targets {
  std::optional<IpNet> v4;
  std::optional<IpNet> v6;
};
/// The first of each family among attachment_addresses().
Targets targets_of(const Result& result, const std::string& if_name);

struct Plan {
  std::vector<net::PublishedPort> ports;
  std::vector<net::NftCondition> conditions;
  Targets targets;  ///< those that have ports
  /// The host's own 127.0.0.0/8 or ::1 leads to a port.
  bool loopback4 = false;
  bool loopback6 = false;
};
/// Throws Error if a mapping of one address has no container address of that family. `skipped`: how
/// many of any address have none.
Plan plan_of(const Call& call, const Result& result, std::size_t& skipped);

}  // namespace unicni::portmap
