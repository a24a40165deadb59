// portmap: ports of this host lead to ports of the container.
#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config.h"
#include "iptables.h"
#include "plan.h"
#include "unicni/attachment_rules.h"
#include "unicni/chained_module.h"
#include "unicni/error.h"
#include "unicni/errors.h"
#include "unicni/host_side.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "unicni/netfilter/conntrack.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/netfilter/iptables.h"
#include "unicni/port_claims.h"
#include "unicni/undo/flows.h"
#include "unicni/undo/forward_gate.h"
#include "unicni/undo/localnet.h"
#include "unicni/undo/loopback_route.h"
#include "unicni/undo/nft_condition.h"

namespace unicni::portmap {

namespace {

const PortmapOptions& options_of(const Call& call) { return call.options<PortmapOptions>(); }

bool does_nothing(const Call& call) {
  return options_of(call).mappings.empty() || backend_of(options_of(call)) == Backend::none;
}

bool uses_iptables(const Call& call) { return backend_of(options_of(call)) == Backend::iptables; }

std::string localnet_key(const std::string& interface) {
  return "net/ipv4/conf/" + interface + "/route_localnet";
}

struct Rules {
  std::vector<net::NftElement> own;
  std::vector<net::NftElement> shared;
  std::optional<std::string> localnet;   ///< the host's link that 127.0.0.0/8 leads through
  std::optional<std::string> loopback6;  ///< the same for ::1
};

/// Whether the interface's route_localnet is ours to set back one day.
bool is_localnet_ours(Host& host, const std::string& interface) {
  if (const auto known = net::find_localnet(host.nft(), interface)) {
    return net::is_localnet_by_us(*known);
  }
  if (net::find_sysctl(localnet_key(interface), {.young = host.container_netns()}) != "1") {
    return true;
  }
  // An administrator set it, or it was us and somebody flushed the set.
  return is_localnet_by_us(host.attachments(), interface).value_or(false);
}

Rules rules_of(const Call& call, Host& host, const HostSide& side, const Plan& plan) {
  Rules rules;
  const std::string owner = call.key.owner();
  const bool by_elements = !uses_iptables(call);
  for (const net::PublishedPort& port : plan.ports) {
    if (!by_elements) break;
    net::PortElements elements = net::port_elements(port, owner, call.key.network);
    std::ranges::move(elements.own, std::back_inserter(rules.own));
    std::ranges::move(elements.shared, std::back_inserter(rules.shared));
  }
  if (plan.loopback4) {
    rules.localnet = side.link_to(plan.targets.v4->address());
  }
  if (rules.localnet) {
    rules.shared.push_back(net::localnet_element(*rules.localnet, call.key.network,
                                                 is_localnet_ours(host, *rules.localnet)));
  }
  if (plan.loopback6) rules.loopback6 = side.link_to(plan.targets.v6->address());
  return rules;
}

Plan plan_of(const Call& call, Host& host, const Result& result) {
  return plan_of(call, targets_of(attachment_addresses(call, host, result)));
}

std::set<Family> families_of(const Targets& targets) {
  std::set<Family> families;
  if (targets.v4) families.insert(Family::v4);
  if (targets.v6) families.insert(Family::v6);
  return families;
}

/// Throws Error if neither of the container's addresses is behind this host.
HostSide require_host_side(const Call& call, Host& host, const Result& result, const Plan& plan) {
  HostSide side = HostSide::find(call, host, result);
  for (const auto& target : {plan.targets.v4, plan.targets.v6}) {
    if (target && side.link_to(target->address())) return side;
  }
  throw Error(Code::invalid_config,
              fmt::format("portMappings: {}{} has no side on the host that ports could lead to",
                          call.key.if_name,
                          side.kind().empty() ? "" : fmt::format(", a {} link,", side.kind())),
              "list portmap after a plugin such as \"bridge\" or \"ptp\", or give the host a route "
              "to the container's address; a container behind macvlan or ipvlan is reached at its "
              "own address, without published ports");
}

/// The bridge port of this attachment: what a container sends to its own published port is bridged
/// back to the port that it came from where bridge-nf-call-iptables is on. A promiscuous bridge
/// does that itself.
const net::Link* hairpin_port(const HostSide& side) {
  return side.bridge() && !side.bridge()->promisc ? &*side.end() : nullptr;
}

/// What comes through a bridge is translated back to ::1 on it already, and ip6_rcv() takes nothing
/// for ::1 from a wire.
void warn_of_bridged_answers(Host& host, const net::Link& link) {
  constexpr const char* kKey = "net/bridge/bridge-nf-call-ip6tables";
  if (link.kind != "bridge" || net::find_sysctl(kKey, {.young = host.container_netns()}) != "1") {
    return;
  }
  host.log(LogLevel::warning,
           "[::1] leads to no port while net.bridge.bridge-nf-call-ip6tables is 1");
}

/// Ours are there and in force. On a node that was upgraded under running containers the
/// reference's rules do the same, and need neither our guard nor hairpin. False: it has those.
bool require_elements(const Call& call, Host& host, const Plan& plan, const Rules& rules) {
  if (rules.own.empty() && rules.shared.empty()) return true;
  try {
    require_ports(call, host, rules.own, rules.shared);
    return true;
  } catch (const Error&) {
    if (!are_references(call, host, plan)) throw;
    return false;
  }
}

std::vector<net::Flows> flows_of(const std::vector<net::PublishedPort>& ports) {
  std::vector<net::Flows> flows;
  for (const net::PublishedPort& port : ports) {
    if (port.protocol != IPPROTO_UDP) continue;
    flows.push_back({port.container.family(), port.protocol, port.host_ip, port.host_port});
  }
  return flows;
}

/// Where a sibling goes on serving nothing changes for anybody's flows.
std::vector<net::PublishedPort> served_by_us(std::vector<net::PublishedPort> ports,
                                             const std::vector<net::PortPlace>& waiting) {
  std::erase_if(ports, [&](const net::PublishedPort& port) {
    return std::ranges::find(waiting, net::place_of(port)) != waiting.end();
  });
  return ports;
}

class Portmap final : public ChainedModule {
 public:
  /// Core knows elements, conditions and flows by the journal, or the elements by their owner.
  void del(const Call& call, Host& host) override {
    if (backend_of(options_of(call)) == Backend::none) return;
    Errors errors;
    errors.attempt([&] { remove_reference_rules(call, host); });
    errors.attempt([&] { net::remove_idle_forward_gate(host.nft(), net::kDefaultAdminChain); });
    errors.finish();
  }

  void check(const Call& call, Host& host) override {
    if (does_nothing(call)) return;
    const Result& result = require_prev_result(call);
    const Plan plan = plan_of(call, host, result);
    if (plan.ports.empty()) return;
    const HostSide side = require_host_side(call, host, result, plan);
    const Rules rules = rules_of(call, host, side, plan);
    if (!require_elements(call, host, plan, rules)) return;
    if (uses_iptables(call)) {
      check_iptables(call, host, plan);
    } else {
      check_no_void_iptables(call, host, plan);
    }
    if (rules.localnet &&
        net::find_sysctl(localnet_key(*rules.localnet), {.young = host.container_netns()}) != "1") {
      throw Error(
          Code::internal,
          fmt::format("route_localnet of {} is off: 127.0.0.1 doesn't lead to the container",
                      *rules.localnet),
          fmt::format("sysctl -w net.ipv4.conf.{}.route_localnet=1", *rules.localnet));
    }
    const net::Link* port = hairpin_port(side);
    if (port != nullptr && !port->hairpin) {
      throw Error(
          Code::internal,
          fmt::format("hairpin of {} is off: the container can't reach its own ports", port->name),
          fmt::format("bridge link set dev {} hairpin on", port->name));
    }
    if (uses_iptables(call)) return;
    const auto fault =
        net::find_closed_forward(host.nft(), net::kDefaultAdminChain, families_of(plan.targets));
    if (fault) {
      throw Error(Code::internal, *fault,
                  "the next ADD with published ports on this host restores the rules");
    }
  }

  void gc(const Call& call, Host& host) override {
    if (backend_of(options_of(call)) == Backend::none) return;
    collect_elements(call, host);
    net::remove_idle_forward_gate(host.nft(), net::kDefaultAdminChain);
    warn(host, net::repair_forward_gate(host.nft(), net::kDefaultAdminChain));
  }

  void status(const Call& call, Host& host) override {
    if (backend_of(options_of(call)) == Backend::none) return;
    if (uses_iptables(call)) net::require_iptables();
    if (const auto foreign = host.nft().find_foreign_table()) {
      throw Error(Code::not_available, *foreign,
                  "another program made the table: rename or delete it with nft(8)");
    }
    warn(host, net::repair_forward_gate(host.nft(), net::kDefaultAdminChain));
  }

 protected:
  void validate_options(const Call& call) override {
    portmap::validate(options_of(call));
    if (call.command != Command::add || backend_of(options_of(call)) != Backend::nftables) return;
    for (const Family family : {Family::v4, Family::v6}) {
      const std::string text = condition_text(options_of(call), family);
      if (!text.empty())
        net::require_condition(net::port_condition(family, text, call.key.owner()));
    }
  }

  void apply(const Call& call, Host& host, Result& result) override {
    if (does_nothing(call)) return;
    const Plan plan = plan_of(call, host, result);
    for (const std::string& text : plan.warnings) host.log(LogLevel::warning, text);
    if (plan.ports.empty()) return;
    const HostSide side = require_host_side(call, host, result, plan);
    for (const net::Flows& flows : flows_of(plan.ports)) host.undo().announce(undo_flows(flows));
    std::vector<net::PortPlace> waiting;
    if (uses_iptables(call)) {
      publish_by_iptables(call, host, plan);
      if (plan.loopback4 || plan.loopback6) publish(call, host, side, plan);
    } else {
      for (const net::NftCondition& condition : plan.conditions) {
        host.undo().announce(undo_nft_condition(condition));
        host.nft().add_condition(condition);
      }
      host.undo().announce(undo_forward_gate(net::kDefaultAdminChain));
      waiting = publish(call, host, side, plan);
      warn(host, net::ensure_forward_gate(host.nft(), net::kDefaultAdminChain));
    }
    if (const net::Link* port = hairpin_port(side)) {
      set_port_flag(host, *port, net::PortFlag::hairpin);
    }
    for (const net::Flows& flows : flows_of(served_by_us(plan.ports, waiting))) {
      net::forget_flows(host.nft(), flows);
    }
  }

 private:
  /// Elements, and what lets the host's own loopback addresses through, which backend iptables has
  /// as well. Returns the places at which another attachment of the container serves.
  static std::vector<net::PortPlace> publish(const Call& call, Host& host, const HostSide& side,
                                             const Plan& plan) {
    // The last DEL of a host takes back what all ports share.
    const auto held = host.attachments().hold_shared_links(sys::LockMode::shared,
                                                           sys::lock_deadline(call.deadline));
    Rules rules = rules_of(call, host, side, plan);
    if (rules.localnet) {
      rules.own.push_back(net::localnet_user_element(*rules.localnet, plan.targets.v4->address(),
                                                     call.key.owner()));
      host.undo().announce(undo_localnet(*rules.localnet));
    }
    if (rules.loopback6) host.undo().announce(undo_loopback_route(*rules.loopback6));
    if (!uses_iptables(call)) require_unclaimed_by_iptables(call, host, plan);
    auto waiting = claim_ports(call, host, rules.own, rules.shared);
    // Behind the rules that keep the host's own 127.0.0.0/8 closed (CVE-2020-8558).
    if (rules.localnet)
      net::ensure_sysctl(localnet_key(*rules.localnet), "1", {.young = host.container_netns()});
    if (rules.loopback6) {
      const net::Link link = net::get_link(host.host_links(), *rules.loopback6);
      net::Batch batch(host.host_links());
      net::add_loopback_route(batch, link);
      batch.commit();
      warn_of_bridged_answers(host, link);
    }
    return waiting;
  }
};

constexpr const char* kCapabilities[] = {"portMappings", nullptr};

}  // namespace

}  // namespace unicni::portmap

UNICNI_MODULE(portmap, chained, unicni::portmap::Portmap,
              .options = &unicni::portmap::kPortmapOptions,
              .capabilities = unicni::portmap::kCapabilities);
