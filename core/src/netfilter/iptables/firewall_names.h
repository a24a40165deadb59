// What firewall's backend "iptables" is made of, for those who make it and those who take it away.
#pragma once

#include <vector>

#include "netfilter/iptables/listing.h"
#include "unicni/ip.h"

namespace unicni::net {

inline constexpr const char* kFilterTable = "filter";
inline constexpr const char* kForwardBase = "FORWARD";
inline constexpr const char* kForwardShared = "CNI-FORWARD";
inline constexpr const char* kIsolationStage1 = "CNI-ISOLATION-STAGE-1";
inline constexpr const char* kIsolationStage2 = "CNI-ISOLATION-STAGE-2";

/// An address's two rules in CNI-FORWARD.
std::vector<IptablesWords> firewall_rules_of(const IpAddress& address);

}  // namespace unicni::net
