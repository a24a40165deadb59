#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "unicni/error.h"

namespace unicni::firewall {

namespace {

constexpr const char* kBackends[] = {"nftables", "iptables", "ip6tables", "firewalld",
                                     "none",     "",         nullptr};
constexpr const char* kPolicies[] = {"open", "same-bridge", "isolated", "", nullptr};

constexpr Option kRows[] = {
    option<&FirewallOptions::backend>("backend",
                                      "where the rules are kept; \"ip6tables\": as iptables, which "
                                      "has both families, \"none\": nowhere, \"\": nftables")
        .with_choices(kBackends)
        .with_default("nftables"),
    option<&FirewallOptions::admin_chain>("iptablesAdminChainName",
                                          "iptables chain for the administrator's own rules, "
                                          "evaluated before container traffic is accepted")
        .with_default("CNI-ADMIN"),
    option<&FirewallOptions::zone>(
        "firewalldZone",
        "firewalld zone that container addresses join as sources, with backend firewalld")
        .with_default("trusted"),
    option<&FirewallOptions::ingress_policy>(
        "ingressPolicy",
        "which containers of this host may connect to the container: all (open), those not behind "
        "another bridge with a policy (same-bridge), or none (isolated)")
        .with_choices(kPolicies)
        .with_default("open"),
};

/// XT_EXTENSION_MAXNAMELEN - 1 of linux/netfilter/x_tables.h.
constexpr std::size_t kLongestChain = 28;

/// As firewalld has it, which knows how long a name may be (a zone that isn't there is refused by
/// itself): letters, digits, "_-", and "/" once inside, where a policy set is loaded from folders.
bool is_zone_name(const std::string& name) {
  const bool letters = std::all_of(name.begin(), name.end(), [](unsigned char each) {
    return std::isalnum(each) != 0 || each == '_' || each == '-' || each == '/';
  });
  return letters && !name.empty() && std::count(name.begin(), name.end(), '/') <= 1 &&
         name.front() != '/' && name.back() != '/';
}

}  // namespace

constinit const OptionTable kFirewallOptions = option_table<FirewallOptions>(kRows);

std::optional<net::IngressPolicy> ingress_policy(const FirewallOptions& options) {
  if (options.ingress_policy == "same-bridge") return net::IngressPolicy::same_bridge;
  if (options.ingress_policy == "isolated") return net::IngressPolicy::isolated;
  return std::nullopt;
}

void validate(const FirewallOptions& options) {
  if (options.uses_firewalld() && !is_zone_name(options.zone)) {
    throw Error(Code::invalid_config,
                fmt::format("firewalldZone: \"{}\" is no name for a zone", options.zone),
                "set firewalldZone to a zone that `firewall-cmd --get-zones` lists; names have "
                "letters, digits, '_', '-' and at most one '/' inside");
  }
  const std::string& chain = options.admin_chain;
  const bool bad = chain.empty() || chain.size() > kLongestChain || chain.front() == '-' ||
                   chain.find_first_of(" \t\n!\"'/") != std::string::npos ||
                   chain == "CNI-FORWARD" || chain == "FORWARD";
  if (bad) {
    throw Error(Code::invalid_config,
                fmt::format("iptablesAdminChainName: \"{}\" is no name for a chain", chain),
                fmt::format("set a name of 1 to {} bytes other than FORWARD and CNI-FORWARD, "
                            "without blanks, quotes, '!' and '/', not beginning with '-'",
                            kLongestChain));
  }
}

}  // namespace unicni::firewall
