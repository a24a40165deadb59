// firewall: lets a container's packets through hosts whose FORWARD chain drops, and by
// ingressPolicy keeps other containers' packets from it.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "config.h"
#include "firewalld.h"
#include "unicni/attachment_rules.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/net/forward_gate.h"
#include "unicni/net/iptables.h"
#include "unicni/net/iptables_firewall.h"
#include "unicni/net/link.h"

namespace unicni::firewall {

namespace {

const FirewallOptions& options_of(const Call& call) { return call.options<FirewallOptions>(); }

/// Our own forward chain and the gate; with firewalld its zone lets packets pass.
bool opens_by_mark(const Call& call) { return !options_of(call).uses_firewalld(); }

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

/// Throws Error if a policy needs one.
const Interface* require_host_side(const Call& call, const Result& result) {
  const Interface* side = host_side(result);
  if (side == nullptr && ingress_policy(options_of(call))) {
    throw Error(Code::invalid_config,
                fmt::format("ingressPolicy \"{}\" needs an interface of the host in prevResult",
                            options_of(call).ingress_policy),
                "chain firewall with \"bridge\" or \"ptp\"");
  }
  return side;
}

void add_rules_of(const Call& call, const std::string& side, const IpAddress& address,
                  Rules& rules) {
  const auto policy = ingress_policy(options_of(call));
  if (opens_by_mark(call)) {
    rules.own.push_back(net::forward_element(side, address, call.owner()));
    rules.shared.push_back(net::forward_interface_element(side, call.network));
  }
  if (!policy) return;
  for (net::NftElement& each : net::ingress_elements(*policy, side, address, call.owner())) {
    rules.own.push_back(std::move(each));
  }
  rules.shared.push_back(net::policy_interface_element(side, call.network));
}

/// In a VLAN of the bridge routed packets come by its gateway's interface, and by the bridge those
/// that are bridged where bridge-nf-call-iptables is on.
Rules rules_of(const Call& call, Host& host, const Result& result) {
  const Interface* side = require_host_side(call, result);
  if (side == nullptr) return {};
  Rules rules;
  for (const IpConfig& ip : result.ips) {
    const IpAddress& address = ip.address.address();
    add_rules_of(call, side->name, address, rules);
    const Interface* routed = find_host_side(host, result, address);
    if (routed != side) add_rules_of(call, routed->name, address, rules);
  }
  return rules;
}

/// Backend iptables, and what the reference made: all addresses, wherever they are.
net::IptablesFirewall iptables_of(const Call& call, const Result& result) {
  const Interface* side = require_host_side(call, result);
  net::IptablesFirewall firewall{.network = call.network,
                                 .container_id = call.container_id,
                                 .if_name = call.if_name,
                                 .addresses = {},
                                 .admin_chain = options_of(call).admin_chain,
                                 .policy = ingress_policy(options_of(call)),
                                 .bridge = side == nullptr ? "" : side->name};
  for (const IpConfig& ip : result.ips) firewall.addresses.push_back(ip.address.address());
  return firewall;
}

void require_iptables_rules(const Call& call, Host& host) {
  const auto fault = net::find_iptables_firewall_fault(
      host.nft(), iptables_of(call, require_prev_result(call)), call.deadline);
  if (fault) {
    throw Error(Code::internal, *fault, "the attachment is broken: DEL and ADD it again");
  }
}

/// The elements are there and in force. On a node that was upgraded under running containers the
/// reference's rules do the same. False: it has none.
bool require_elements(const Call& call, Host& host, const Rules& rules) {
  try {
    host.nft().require_effective(rules.own, rules.shared);
    return true;
  } catch (const Error&) {
    const auto firewall = iptables_of(call, require_prev_result(call));
    if (net::find_iptables_firewall_fault(host.nft(), firewall, call.deadline)) throw;
    return false;
  }
}

/// Also what the reference made, which had the same names.
void remove_iptables_rules(const Call& call, Host& host) {
  if (!call.prev_result) return;
  std::vector<IpAddress> addresses;
  for (const IpConfig& ip : call.prev_result->ips) addresses.push_back(ip.address.address());
  net::remove_iptables_firewall(
      host.nft(), addresses, options_of(call).admin_chain,
      [&](const IpAddress& address) {
        return host.is_anothers({call.container_id, call.if_name}, address);
      },
      call.deadline);
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
  /// Core knows the elements by their owner, and the journal the gate and rules of iptables.
  void del(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    std::optional<Error> failure;
    const auto attempt = [&](const auto& work) {
      try {
        work();
      } catch (const Error& error) {
        if (!failure) failure = error;
      }
    };
    attempt([&] { remove_iptables_rules(call, host); });
    attempt([&] { sweep_sources(call, host); });
    net::remove_idle_forward_gate(host.nft(), options_of(call).admin_chain);
    if (failure) throw *std::move(failure);
  }

  void check(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    if (options_of(call).uses_iptables()) return require_iptables_rules(call, host);
    const Result& result = require_prev_result(call);
    if (options_of(call).uses_firewalld()) check_sources(call, result);
    const Rules rules = rules_of(call, host, result);
    if (rules.own.empty() || !require_elements(call, host, rules)) return;
    if (opens_by_mark(call)) {
      const auto fault = net::find_forward_gate_fault(host.nft(), options_of(call).admin_chain);
      if (fault) {
        throw Error(Code::internal, *fault, "the next ADD with firewall on this host mends it");
      }
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
    warn(host, net::repair_forward_gate(host.nft(), options_of(call).admin_chain));
    if (options_of(call).uses_firewalld()) restore_sources(call, host);
  }

  void status(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    if (options_of(call).uses_iptables()) return net::require_iptables();
    if (const auto stranger = host.nft().find_stranger()) {
      throw Error(Code::not_available, *stranger, "remove that table, or rename it");
    }
    warn(host, net::repair_forward_gate(host.nft(), options_of(call).admin_chain));
    if (options_of(call).uses_firewalld()) require_firewalld(call, host);
  }

 protected:
  void validate_options(const Call& call) override { firewall::validate(options_of(call)); }

  void apply(const Call& call, Host& host, Result& result) override {
    if (options_of(call).does_nothing() || result.ips.empty()) return;
    if (options_of(call).uses_iptables()) {
      const net::IptablesFirewall firewall = iptables_of(call, result);
      host.undo().will(undo_iptables_firewall(firewall));
      net::add_iptables_firewall(host.nft(), firewall, call.deadline);
    } else {
      const Rules rules = rules_of(call, host, result);
      if (options_of(call).uses_firewalld()) add_sources(call, host, result);
      if (!rules.own.empty()) open(call, host, rules);
    }
    isolate(call, host);
  }

 private:
  static void open(const Call& call, Host& host, const Rules& rules) {
    const std::string& admin_chain = options_of(call).admin_chain;
    if (opens_by_mark(call)) host.undo().will(undo_forward_gate(admin_chain));
    add_rules(call, host, rules.own, rules.shared);
    if (opens_by_mark(call)) warn(host, net::ensure_forward_gate(host.nft(), admin_chain));
  }

  static void isolate(const Call& call, Host& host) {
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
