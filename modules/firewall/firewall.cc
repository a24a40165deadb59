// firewall: lets a container's packets through hosts whose FORWARD chain drops, and by
// ingressPolicy keeps other containers' packets from it.
#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "config.h"
#include "unicni/attachment_rules.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/net/forward_gate.h"
#include "unicni/net/link.h"

namespace unicni::firewall {

namespace {

const FirewallOptions& options_of(const Call& call) { return call.options<FirewallOptions>(); }

struct Rules {
  std::vector<net::NftElement> own;
  std::vector<net::NftElement> shared;
};

/// The host's side of the attachment: the bridge, or the host end of a ptp, which come first in
/// their results. Macvlan and its kind have none: their packets never meet the host's FORWARD.
const Interface* host_side(const Result& result) {
  const auto found = std::find_if(result.interfaces.begin(), result.interfaces.end(),
                                  [](const Interface& each) { return each.sandbox.empty(); });
  return found == result.interfaces.end() ? nullptr : &*found;
}

Rules rules_of(const Call& call, const Result& result) {
  const Interface* side = host_side(result);
  const auto policy = ingress_policy(options_of(call));
  if (side == nullptr) {
    if (!policy) return {};
    throw Error(Code::invalid_config,
                fmt::format("ingressPolicy \"{}\" needs an interface of the host in prevResult",
                            options_of(call).ingress_policy),
                "chain firewall with \"bridge\" or \"ptp\"");
  }
  Rules rules;
  const std::string owner = call.owner();
  for (const IpConfig& ip : result.ips) {
    const IpAddress& address = ip.address.address();
    rules.own.push_back(net::forward_element(side->name, address, owner));
    if (!policy) continue;
    for (net::NftElement& each : net::ingress_elements(*policy, side->name, address, owner)) {
      rules.own.push_back(std::move(each));
    }
  }
  if (rules.own.empty()) return rules;
  rules.shared.push_back(net::forward_interface_element(side->name, call.network));
  if (policy) rules.shared.push_back(net::policy_interface_element(side->name, call.network));
  return rules;
}

/// What is bridged passes no chain of ours unless bridge-nf-call-iptables is on: the bridge itself
/// keeps isolated ports from each other.
std::optional<net::Link> isolated_port(const Call& call, Host& host) {
  if (ingress_policy(options_of(call)) != net::IngressPolicy::isolated) return std::nullopt;
  auto port = find_host_veth(call, host);
  if (port && port->master == 0) port.reset();
  return port;
}

class Firewall final : public ChainedModule {
 public:
  /// Core knows the elements by their owner, and the journal the gate.
  void del(const Call& call, Host& host) override {
    if (!options_of(call).does_nothing()) {
      net::remove_idle_forward_gate(host.nft(), options_of(call).admin_chain);
    }
  }

  void check(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    const Rules rules = rules_of(call, require_prev_result(call));
    if (rules.own.empty()) return;
    host.nft().require_effective(rules.own, rules.shared);
    const auto fault = net::find_forward_gate_fault(host.nft(), options_of(call).admin_chain);
    if (fault) {
      throw Error(Code::internal, *fault, "the next ADD with firewall on this host mends it");
    }
    const auto port = isolated_port(call, host);
    if (port && !port->isolated) {
      throw Error(Code::internal, fmt::format("{} is not isolated", port->name),
                  fmt::format("bridge link set dev {} isolated on", port->name));
    }
  }

  void gc(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    collect_elements(call, host);
    net::remove_idle_forward_gate(host.nft(), options_of(call).admin_chain);
    net::repair_forward_gate(host.nft(), options_of(call).admin_chain);
  }

  void status(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    if (const auto stranger = host.nft().find_stranger()) {
      throw Error(Code::not_available, *stranger, "remove that table, or rename it");
    }
    net::repair_forward_gate(host.nft(), options_of(call).admin_chain);
  }

 protected:
  void validate_options(const Call& call) override { firewall::validate(options_of(call)); }

  void apply(const Call& call, Host& host, Result& result) override {
    if (options_of(call).does_nothing()) return;
    const Rules rules = rules_of(call, result);
    if (rules.own.empty()) return;
    const std::string& admin_chain = options_of(call).admin_chain;
    host.undo().will(undo_forward_gate(admin_chain));
    add_rules(call, host, rules.own, rules.shared);
    net::ensure_forward_gate(host.nft(), admin_chain);
    if (const auto port = isolated_port(call, host)) {
      set_port_flag(host, *port, net::PortFlag::isolated);
    }
  }
};

}  // namespace

}  // namespace unicni::firewall

UNICNI_MODULE(firewall, "firewall", 3,
              unicni::module_descriptor<unicni::firewall::Firewall>(
                  "firewall", unicni::ModuleKind::chained, &unicni::firewall::kFirewallOptions));
