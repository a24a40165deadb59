// The options of ipvlan and what they mean together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/ipvlan.h"
#include "unicni/options.h"
#include "unicni/parent_link.h"

namespace unicni::ipvlan {

struct IpvlanOptions {
  std::string master;
  std::string mode;
  std::int64_t mtu = 0;
  bool link_in_container = false;
  DnsOptions dns;
};

extern const OptionTable kIpvlanOptions;

/// "mode" as the kernel has it; empty: l2.
net::IpvlanMode mode_of(const IpvlanOptions&);

/// The parent that the configuration names, or behind another plugin that one's only interface.
/// Throws Error(invalid_config) if prevResult has not exactly one that has a name.
ParentChoice parent_of(const IpvlanOptions&, const std::optional<Result>& prev_result);

/// Addresses, routes and DNS of prevResult, if it has addresses: what a chained ipvlan without IPAM
/// takes.
std::optional<Result> addresses_of(const std::optional<Result>& prev_result);

}  // namespace unicni::ipvlan
