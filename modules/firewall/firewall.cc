// firewall: lets a container's packets through hosts whose FORWARD chain drops, and by
// ingressPolicy keeps other containers' packets from it.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config.h"
#include "firewalld.h"
#include "unicni/attachment_rules.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/errors.h"
#include "unicni/host_side.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/netfilter/iptables.h"
#include "unicni/netfilter/iptables_firewall.h"
#include "unicni/netfilter/iptables_firewall_removal.h"
#include "unicni/undo/forward_gate.h"
#include "unicni/undo/iptables_firewall.h"

namespace unicni::firewall {

namespace {

const FirewallOptions& options_of(const Call& call) { return call.options<FirewallOptions>(); }

/// Our own forward chain and the gate; with firewalld its zone lets packets pass.
bool opens_by_mark(const Call& call) { return !options_of(call).uses_firewalld(); }

struct Rules {
  std::vector<net::NftElement> own;
  std::vector<net::NftElement> shared;
};

void add_rules_of(const Call& call, const std::string& side, const IpAddress& address,
                  Rules& rules) {
  const auto policy = ingress_policy(options_of(call));
  if (opens_by_mark(call)) {
    rules.own.push_back(net::forward_element(side, address, call.key.owner()));
    rules.shared.push_back(net::forward_interface_element(side, call.key.network));
  }
  if (!policy) return;
  for (net::NftElement& each : net::ingress_elements(*policy, side, address, call.key.owner())) {
    rules.own.push_back(std::move(each));
  }
  rules.shared.push_back(net::policy_interface_element(side, call.key.network));
}

std::vector<IpAddress> addresses_of(const Call& call, Host& host, const Result& result) {
  std::vector<IpAddress> addresses;
  for (const IpNet& each : attachment_addresses(call, host, result)) {
    addresses.push_back(each.address());
  }
  return addresses;
}

std::set<Family> families_of(const std::vector<IpAddress>& addresses) {
  std::set<Family> families;
  for (const IpAddress& each : addresses) families.insert(each.family());
  return families;
}

/// No link of the host is known that the address is behind. Throws Error if a policy needs one;
/// macvlan and its kind have none, and need none to be let through.
void tell_of_no_side(const Call& call, Host& host, const HostSide& side, const IpAddress& address) {
  const std::string what =
      fmt::format("no link of this host leads to {}'s address {}", call.key.if_name, address.str());
  if (ingress_policy(options_of(call))) {
    throw Error(
        Code::invalid_config,
        fmt::format("{}, which ingressPolicy \"{}\" needs", what, options_of(call).ingress_policy),
        "list firewall in \"plugins\" after \"bridge\" or \"ptp\", or remove ingressPolicy");
  }
  if (side.is_passed_by()) return;
  host.log(LogLevel::warning,
           what +
               ": where FORWARD drops its packets are not let through; a veth whose other end is "
               "on this host, or a route of the host to the address, would tell the link");
}

/// Packets between the world and the address come in by the link of the route, whose sets may hold
/// another container with this address: nothing is let through there.
void tell_of_other_route(const Call& call, Host& host, const HostSide& side,
                         const IpAddress& address) {
  const auto link = side.other_route(address);
  if (!link) return;
  host.log(LogLevel::warning,
           fmt::format("this host's route to {}'s address {} is by {}, its bridge is {}: where "
                       "FORWARD drops, packets that come in by {} are not let through; backend "
                       "\"iptables\" lets them through",
                       call.key.if_name, address.str(), *link, side.bridge()->name, *link));
}

/// Layer 2 has no addresses, and needs none. A plugin that keeps them to itself leaves the
/// container cut off.
void tell_of_no_address(const Call& call, Host& host) {
  const auto link = net::find_link(host.container_links(), call.key.if_name);
  if (!link) return;
  for (const IpNet& each : net::list_addrs(host.container_links(), link->index)) {
    if (each.address().is_link_local()) continue;
    host.log(LogLevel::warning,
             fmt::format("{} has the address {}, but prevResult has none of it: where "
                         "FORWARD drops its packets are not let through",
                         call.key.if_name, each.address().str()));
    return;
  }
}

Rules rules_of(const Call& call, Host& host, const HostSide& side, const Result& result) {
  Rules rules;
  if (!opens_by_mark(call) && !ingress_policy(options_of(call))) return rules;
  for (const IpAddress& address : addresses_of(call, host, result)) {
    const auto links = side.links_of(address);
    if (links.empty()) tell_of_no_side(call, host, side, address);
    for (const std::string& link : links) add_rules_of(call, link, address, rules);
  }
  return rules;
}

/// What a policy keeps packets from and to; the reference's word for it is the bridge.
std::string policy_link(const Call& call, Host& host, const HostSide& side,
                        const std::vector<IpAddress>& addresses) {
  if (!ingress_policy(options_of(call)) || addresses.empty()) return "";
  if (side.bridge()) return side.bridge()->name;
  const auto link = side.link_to(addresses.front());
  if (!link) tell_of_no_side(call, host, side, addresses.front());
  return link.value_or("");
}

/// Backend iptables, and what the reference made: addresses, by whatever link they come.
net::IptablesFirewall iptables_of(const Call& call, Host& host, const HostSide& side,
                                  const Result& result) {
  net::IptablesFirewall firewall{.key = call.key,
                                 .addresses = addresses_of(call, host, result),
                                 .admin_chain = options_of(call).admin_chain,
                                 .policy = ingress_policy(options_of(call)),
                                 .bridge = ""};
  firewall.bridge = policy_link(call, host, side, firewall.addresses);
  return firewall;
}

void require_iptables_rules(const Call& call, Host& host, const HostSide& side) {
  const auto fault = net::find_iptables_firewall_fault(
      host.nft(), iptables_of(call, host, side, require_prev_result(call)), call.deadline);
  if (fault) {
    throw Error(Code::internal, *fault, "the attachment is broken: DEL and ADD it again");
  }
}

/// The elements are there and in force. On a node that was upgraded under running containers the
/// reference's rules do the same. False: it has none.
bool require_elements(const Call& call, Host& host, const HostSide& side, const Rules& rules) {
  try {
    host.nft().require_effective(rules.own, rules.shared);
    return true;
  } catch (const Error&) {
    const auto firewall = iptables_of(call, host, side, require_prev_result(call));
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
        return is_anothers(host.attachments(), call.key.of_network(), address);
      },
      call.deadline);
}

/// What is bridged passes no chain of ours unless bridge-nf-call-iptables is on: the bridge itself
/// keeps isolated ports from each other.
const net::Link* isolated_port(const Call& call, const HostSide& side) {
  const bool wanted = ingress_policy(options_of(call)) == net::IngressPolicy::isolated;
  return wanted && side.bridge() ? &*side.end() : nullptr;
}

class Firewall final : public ChainedModule {
 public:
  /// Core knows the elements by their owner, and the journal the gate and rules of iptables.
  void del(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    warn_of_impossible_names(call, host);
    Errors errors;
    errors.attempt([&] { remove_iptables_rules(call, host); });
    errors.attempt([&] { sweep_sources(call, host); });
    errors.attempt(
        [&] { net::remove_idle_forward_gate(host.nft(), options_of(call).admin_chain); });
    errors.finish();
  }

  void check(const Call& call, Host& host) override {
    if (options_of(call).does_nothing()) return;
    const Result& result = require_prev_result(call);
    if (addresses_of(call, host, result).empty()) return tell_of_no_address(call, host);
    const HostSide side = HostSide::find(call, host, result);
    if (options_of(call).uses_iptables()) return require_iptables_rules(call, host, side);
    if (options_of(call).uses_firewalld()) check_sources(call, host, result);
    const Rules rules = rules_of(call, host, side, result);
    if (rules.own.empty() || !require_elements(call, host, side, rules)) return;
    if (opens_by_mark(call)) {
      const auto fault = net::find_closed_forward(host.nft(), options_of(call).admin_chain,
                                                  families_of(addresses_of(call, host, result)));
      if (fault) {
        throw Error(Code::internal, *fault,
                    "the next ADD with the plugin firewall on this host restores the rules");
      }
    }
    const net::Link* port = isolated_port(call, side);
    if (port != nullptr && !port->isolated) {
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
    if (const auto foreign = host.nft().find_foreign_table()) {
      throw Error(Code::not_available, *foreign,
                  "another program made the table: rename or delete it with nft(8)");
    }
    warn(host, net::repair_forward_gate(host.nft(), options_of(call).admin_chain));
    if (options_of(call).uses_firewalld()) require_firewalld(call, host);
  }

 protected:
  void validate_options(const Call& call) override { firewall::validate(options_of(call)); }

  void apply(const Call& call, Host& host, Result& result) override {
    if (options_of(call).does_nothing()) return;
    if (addresses_of(call, host, result).empty()) return tell_of_no_address(call, host);
    const HostSide side = HostSide::find(call, host, result);
    if (options_of(call).uses_iptables()) {
      const net::IptablesFirewall firewall = iptables_of(call, host, side, result);
      host.undo().announce(undo_iptables_firewall(firewall));
      net::add_iptables_firewall(host.nft(), firewall, call.deadline);
    } else {
      const Rules rules = rules_of(call, host, side, result);
      for (const IpAddress& address : addresses_of(call, host, result)) {
        if (opens_by_mark(call)) tell_of_other_route(call, host, side, address);
      }
      if (options_of(call).uses_firewalld()) add_sources(call, host, result);
      if (!rules.own.empty()) open(call, host, rules);
    }
    if (const net::Link* port = isolated_port(call, side)) {
      set_port_flag(host, *port, net::PortFlag::isolated);
    }
  }

 private:
  static void open(const Call& call, Host& host, const Rules& rules) {
    const std::string& admin_chain = options_of(call).admin_chain;
    if (opens_by_mark(call)) host.undo().announce(undo_forward_gate(admin_chain));
    add_rules(call, host, rules.own, rules.shared);
    if (opens_by_mark(call)) warn(host, net::ensure_forward_gate(host.nft(), admin_chain));
  }

  /// What has such a name isn't there, so the rest is all that there is to do.
  static void warn_of_impossible_names(const Call& call, Host& host) {
    try {
      firewall::validate(options_of(call));
    } catch (const Error& error) {
      host.log(LogLevel::warning, error.msg() + ": nothing of that name is looked for");
    }
  }
};

}  // namespace

}  // namespace unicni::firewall

UNICNI_MODULE(firewall, chained, unicni::firewall::Firewall,
              .options = &unicni::firewall::kFirewallOptions);
