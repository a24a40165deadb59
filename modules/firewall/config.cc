#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "unicni/error.h"

namespace unicni::firewall {

namespace {

constexpr const char* kBackends[] = {"nftables", "iptables", "firewalld", "none", "", nullptr};
constexpr const char* kPolicies[] = {"open", "same-bridge", "isolated", "", nullptr};

constexpr Option kRows[] = {
    option<&FirewallOptions::backend>("backend", "what holds the rules; \"\": nftables")
        .with_choices(kBackends)
        .with_default("nftables"),
    option<&FirewallOptions::admin_chain>("iptablesAdminChainName",
                                          "the administrator's own chain, which comes first")
        .with_default("CNI-ADMIN"),
    option<&FirewallOptions::zone>("firewalldZone", "zone of the addresses with backend firewalld")
        .with_default("trusted"),
    option<&FirewallOptions::ingress_policy>("ingressPolicy",
                                             "which other containers may begin connections")
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
                "letters, digits, '_', '-' and one '/' inside, as `firewall-cmd --get-zones` lists "
                "them");
  }
  const std::string& chain = options.admin_chain;
  const bool bad = chain.empty() || chain.size() > kLongestChain || chain.front() == '-' ||
                   chain.find_first_of(" \t\n!\"'/") != std::string::npos ||
                   chain == "CNI-FORWARD" || chain == "FORWARD";
  if (bad) {
    throw Error(Code::invalid_config,
                fmt::format("iptablesAdminChainName: \"{}\" is no name for a chain", chain),
                fmt::format("1 to {} bytes without blanks, quotes, '!' and '/', not beginning "
                            "with '-'",
                            kLongestChain));
  }
}

}  // namespace unicni::firewall
