// What sbr will do, worked out before anything is done.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "config.h"
#include "unicni/call.h"
#include "unicni/net/route.h"
#include "unicni/net/rule.h"

namespace unicni::sbr {

inline constexpr std::uint32_t kFirstTable = 100;

/// The addresses of prevResult that are CNI_IFNAME's, as far as it says. Throws Error: it has none
/// at all.
std::vector<IpConfig> addresses_of(const Call& call);

/// What the namespace has.
struct Present {
  std::set<std::uint32_t> tables;       ///< that a rule leads to or a route is in
  std::vector<net::RouteEntry> routes;  ///< of the interface in the main table
};

struct Plan {
  std::vector<net::Rule> rules;
  std::vector<net::RouteEntry> added;
  /// In an order in which they can be put back from the last to the first: gateways before the
  /// subnets that they are in.
  std::vector<net::RouteEntry> removed;
};

/// A table for each address, or the fixed one. Only families that have an address are touched, and
/// link-local routes never.
Plan make_plan(const SbrOptions& options, const std::vector<IpConfig>& addresses, int link,
               const Present& present);

}  // namespace unicni::sbr
