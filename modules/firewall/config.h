// What firewall can be told.
#pragma once

#include <optional>
#include <string>

#include "unicni/netfilter/nft.h"
#include "unicni/options.h"

namespace unicni::firewall {

struct FirewallOptions {
  std::string backend;
  std::string admin_chain;
  std::string zone;
  std::string ingress_policy;

  [[nodiscard]] bool does_nothing() const { return backend == "none"; }
  [[nodiscard]] bool uses_firewalld() const { return backend == "firewalld"; }
  /// Nomad's bridge network has a member for each family. Both have both, as with the reference, to
  /// which the second one's word means no backend.
  [[nodiscard]] bool uses_iptables() const {
    return backend == "iptables" || backend == "ip6tables";
  }
};

extern const OptionTable kFirewallOptions;

/// "ingressPolicy"; nullopt: open.
std::optional<net::IngressPolicy> ingress_policy(const FirewallOptions& options);

/// Throws Error.
void validate(const FirewallOptions& options);

}  // namespace unicni::firewall
