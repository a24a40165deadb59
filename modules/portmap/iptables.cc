#include "iptables.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "config.h"
#include "unicni/error.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/published_port.h"
#include "unicni/netfilter/reference_ports.h"
#include "unicni/undo/iptables_ports.h"
#include "unicni/undo/localnet.h"

namespace unicni::portmap {

namespace {

net::IptablesPort port_of(const Mapping& mapping) {
  net::IptablesPort port{protocol_name(mapping.protocol), mapping.host_port, mapping.container_port,
                         mapping.host_ip};
  if (!port.host_ip && !mapping.v6) port.host_ip = IpAddress::parse("0.0.0.0");
  if (!port.host_ip && !mapping.v4) port.host_ip = IpAddress::parse("::");
  return port;
}

net::IptablesPorts ports_of(const Call& call, const Plan& plan) {
  const auto& options = call.options<PortmapOptions>();
  net::IptablesPorts ports;
  ports.key = call.key;
  // Also those that any address covers: the reference's own rules.
  for (const Mapping& mapping : mappings_of(options)) {
    if (mapping.unservable == nullptr) ports.ports.push_back(port_of(mapping));
  }
  ports.address4 = plan.known.v4;
  ports.address6 = plan.known.v6;
  ports.snat = options.snat;
  ports.masq_all = options.masq_all;
  if (options.mark_bit) ports.mark_bit = static_cast<unsigned>(*options.mark_bit);
  ports.set_mark_chain = options.set_mark_chain;
  ports.conditions4 = options.conditions_v4;
  ports.conditions6 = options.conditions_v6;
  return ports;
}

/// Of backend nftables: iptables' rules would come first, and shadow those of the other. Between
/// attachments of one container, dead or alive, that is as well.
void require_unclaimed(const Call& call, Host& host, const Plan& plan) {
  for (const net::PublishedPort& port : plan.ports) {
    for (const auto& holder : net::find_port_holders(host.nft(), net::place_of(port))) {
      if (net::is_of_container(holder.owner, call.key.container_id)) continue;
      if (!host.attachments().is_gone(holder.owner))
        throw net::port_is_taken(holder, call.key.owner());
    }
  }
}

/// By the journal's records first: the rules' comments don't tell a container's attachments apart,
/// of which one may be of an earlier life. A chain of this container without a record may be the
/// reference's.
net::IsVoid voids(const Call& call, Host& host) {
  return [&call, &host](const net::IptablesChainHolder& holder) {
    const auto known = is_iptables_ports_chain_void(host.attachments(), holder.chain);
    if (known) return *known;
    return !holder.container_id.empty() && holder.container_id != call.key.container_id &&
           host.attachments().is_container_gone(holder.network, holder.container_id);
  };
}

std::optional<net::IptablesChainHolder> find_namesake(const Call& call, Host& host) {
  return net::find_other_chain_holder(host.nft(), call.key.network, call.key.container_id,
                                      call.deadline);
}

/// With a chain of the interface's own.
net::IptablesPorts with_own_chain(net::IptablesPorts ports) {
  ports.own_chain = true;
  return ports;
}

/// The same under a name that no namesake has: with the network at its end, behind a mark that none
/// of the three can hold.
net::IptablesPorts set_apart(net::IptablesPorts ports) {
  ports.key.if_name += '/' + ports.key.network;
  return with_own_chain(std::move(ports));
}

std::optional<std::string> find_fault(const Call& call, Host& host,
                                      const net::IptablesPorts& ports) {
  return net::find_iptables_ports_fault(host.nft(), ports, voids(call, host), call.deadline);
}

/// What the journal says that the ADD made.
std::vector<Undo> own_records(const Call& call, Host& host) {
  return host.attachments().list_records_of(call.key, undo_iptables_ports({}).type);
}

bool has_announced(const std::vector<Undo>& own, const net::IptablesPorts& ports) {
  const Undo wanted = undo_iptables_ports(ports);
  return std::any_of(own.begin(), own.end(),
                     [&](const Undo& each) { return each.fields == wanted.fields; });
}

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

}  // namespace

void publish_by_iptables(const Call& call, Host& host, const Plan& plan) {
  net::IptablesPorts ports = ports_of(call, plan);
  const auto held = host.attachments().hold_shared_links(sys::LockMode::exclusive,
                                                         sys::lock_deadline(call.deadline));
  require_unclaimed(call, host, plan);
  if (find_namesake(call, host)) {
    // Also beside one that is gone: the undoing of its record would take the chain.
    ports = set_apart(std::move(ports));
  } else {
    ports.own_chain = has_iptables_ports_of_sibling(host.attachments(), call.key);
  }
  host.undo().announce(undo_iptables_ports(ports));
  net::add_iptables_ports(host.nft(), ports, voids(call, host), call.deadline);
}

void require_unclaimed_by_iptables(const Call& call, Host& host, const Plan& plan) {
  net::require_no_iptables_ports(host.nft(), ports_of(call, plan), voids(call, host),
                                 call.deadline);
}

void check_iptables(const Call& call, Host& host, const Plan& plan) {
  const net::IptablesPorts ports = ports_of(call, plan);
  // What was true at ADD needn't be any more: whichever chain has the rules will do.
  std::vector<std::pair<net::IptablesPorts, std::string>> faults;
  for (const net::IptablesPorts& each : {ports, with_own_chain(ports), set_apart(ports)}) {
    const auto fault = find_fault(call, host, each);
    if (!fault) return;
    faults.emplace_back(each, *fault);
  }
  const std::vector<Undo> own = own_records(call, host);
  const auto made = std::find_if(faults.begin(), faults.end(),
                                 [&](const auto& each) { return has_announced(own, each.first); });
  throw Error(Code::internal, (made == faults.end() ? faults.front() : *made).second, kAddAgain);
}

void check_no_void_iptables(const Call& call, Host& host, const Plan& plan) {
  const auto fault = net::find_void_iptables_ports(host.nft(), ports_of(call, plan),
                                                   voids(call, host), call.deadline);
  if (fault) throw Error(Code::internal, *fault, kAddAgain);
}

/// Backend iptables has the same rules as the reference's, and a journal. Of its backend nftables
/// we make none.
bool are_references(const Call& call, Host& host, const Plan& plan) {
  if (net::has_reference_nft_ports(host.nft(), call.key.container_id, plan.ports)) return true;
  return own_records(call, host).empty() && !find_fault(call, host, ports_of(call, plan));
}

void remove_reference_rules(const Call& call, Host& host) {
  net::ReferencePorts ports{call.key, {}, host.container_netns() == nullptr, [&] {
                              return has_iptables_ports_of_sibling(host.attachments(), call.key) ||
                                     find_namesake(call, host).has_value();
                            }};
  if (call.prev_result) {
    for (const IpConfig& ip : call.prev_result->ips) {
      ports.addresses.push_back(ip.address.address());
    }
  }
  // While the reference publishes ports no route_localnet is taken back, and these may have been
  // its last.
  if (net::remove_reference_ports(host.nft(), ports, call.deadline) > 0) {
    restore_idle_localnets(host);
  }
}

}  // namespace unicni::portmap
