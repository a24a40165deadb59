#include "iptables.h"

#include <netinet/in.h>

#include <string>
#include <vector>

#include "config.h"
#include "unicni/error.h"
#include "unicni/net/iptables_ports.h"
#include "unicni/net/published_port.h"
#include "unicni/net/reference_rules.h"

namespace unicni::portmap {

namespace {

const char* protocol_name(std::uint8_t protocol) {
  if (protocol == IPPROTO_UDP) return "udp";
  return protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

net::IptablesPort port_of(const Mapping& mapping) {
  net::IptablesPort port{protocol_name(mapping.protocol), mapping.host_port, mapping.container_port,
                         mapping.host_ip};
  if (!port.host_ip && !mapping.v6) port.host_ip = IpAddress::parse("0.0.0.0");
  if (!port.host_ip && !mapping.v4) port.host_ip = IpAddress::parse("::");
  return port;
}

net::IptablesPorts ports_of(const Call& call, const Result& result) {
  const auto& options = call.options<PortmapOptions>();
  const Targets targets = targets_of(result, call.if_name);
  net::IptablesPorts ports;
  ports.network = call.network;
  ports.container_id = call.container_id;
  ports.if_name = call.if_name;
  for (const Mapping& mapping : mappings_of(options)) ports.ports.push_back(port_of(mapping));
  ports.address4 = targets.v4;
  ports.address6 = targets.v6;
  ports.snat = options.snat;
  ports.masq_all = options.masq_all;
  if (options.mark_bit) ports.mark_bit = static_cast<unsigned>(*options.mark_bit);
  ports.set_mark_chain = options.set_mark_chain;
  ports.conditions4 = options.conditions_v4;
  ports.conditions6 = options.conditions_v6;
  return ports;
}

/// Throws Error if backend nftables of another attachment has `element`'s port.
void require_unclaimed(const Call& call, Host& host, const net::NftElement& element) {
  if (!net::is_about_host_port(element)) return;
  const auto holder = host.nft().find(element.set, element.key, element.table);
  if (!holder || holder->owner == element.owner) return;
  std::vector<net::NftElement> holders{*holder};
  if (net::claims_single_addresses(*holder)) {
    if (net::claims_single_addresses(element)) return;  // of other addresses
    holders = net::find_single_ports(host.nft(), *holder);
  }
  for (const net::NftElement& each : holders) {
    if (!host.is_gone(each.owner)) throw net::port_is_taken(each, call.owner());
  }
}

/// iptables' rules would come first, and shadow those of the other.
void require_unclaimed(const Call& call, Host& host, const Plan& plan) {
  for (net::PublishedPort port : plan.ports) {
    port.condition.clear();
    const auto elements = net::port_elements(port, call.owner(), call.network);
    for (const auto& each : elements.own) require_unclaimed(call, host, each);
    for (const auto& each : elements.shared) require_unclaimed(call, host, each);
  }
}

}  // namespace

void publish_by_iptables(const Call& call, Host& host, const Result& result, const Plan& plan) {
  require_unclaimed(call, host, plan);
  const net::IptablesPorts ports = ports_of(call, result);
  const auto is_void = [&](const std::string& network, const std::string& container) {
    return host.is_container_gone(network, container);
  };
  host.undo().will(undo_iptables_ports(ports));
  const auto held = host.hold_host_ports();
  net::add_iptables_ports(host.nft(), ports, is_void, call.deadline);
}

void check_iptables(const Call& call, Host& host, const Result& result) {
  const auto fault =
      net::find_iptables_ports_fault(host.nft(), ports_of(call, result), call.deadline);
  if (fault) {
    throw Error(Code::internal, *fault, "the attachment is broken: DEL and ADD it again");
  }
}

void remove_reference_rules(const Call& call, Host& host) {
  net::ReferencePorts ports{call.network, call.container_id, {}, host.container_netns() == nullptr};
  if (call.prev_result) {
    for (const IpConfig& ip : call.prev_result->ips) {
      ports.addresses.push_back(ip.address.address());
    }
  }
  net::remove_reference_ports(host.nft(), ports, call.deadline);
}

}  // namespace unicni::portmap
