// Published ports: DNAT for what is addressed to this host, and the host's own address for those
// whose answers would otherwise not come back this way: the host's own loopback, and the
// container's subnet (hairpin).
#include "unicni/netfilter/published_port.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include <algorithm>

#include "net/netlink_socket.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/mark_bit.h"
#include "netfilter/nft/part.h"
#include "netfilter/nft/port_handover.h"
#include "netfilter/nft/set.h"

namespace unicni::net {
namespace {

// 5 behind NF_IP_PRI_NAT_DST and 4 behind NF_IP_PRI_NAT_SRC: the first chain that sets up a NAT
// binding ends the matter (nf_nat_inet_fn), so foreign rules on the same port win (CVE-2019-9946),
// and a hairpin's address comes before what a masquerade would give it.
constexpr std::int32_t kRaw = -300;  // NF_IP_PRI_RAW: also what is no connection's
constexpr std::int32_t kDnatPriority = -100 + 5;
constexpr std::int32_t kSnatPriority = 100 + 4;

constexpr NftBaseChain kLocalnet{"localnet", {2}, "filter", NF_INET_PRE_ROUTING, kRaw};
constexpr NftBaseChain kDnatIn{"dnat_in", {0, 1, 1}, "nat", NF_INET_PRE_ROUTING, kDnatPriority};
constexpr NftBaseChain kDnatOut{"dnat_out", {0, 1, 1}, "nat", NF_INET_LOCAL_OUT, kDnatPriority};
constexpr NftBaseChain kToPorts4{"to_ports4", {0, 4, 0}};
constexpr NftBaseChain kToPorts6{"to_ports6", {0, 0, 4}};
constexpr NftBaseChain kSnatPorts{
    "snat_ports", {0, 1, 1}, "nat", NF_INET_POST_ROUTING, kSnatPriority};
constexpr NftBaseChain kSnatPorts4{"snat_ports4", {0, 4, 0}};
constexpr NftBaseChain kSnatPorts6{"snat_ports6", {0, 0, 4}};
constexpr NftBaseChain kChains[] = {kLocalnet, kDnatIn,    kDnatOut,    kToPorts4,
                                    kToPorts6, kSnatPorts, kSnatPorts4, kSnatPorts6};
constexpr NftSetKind kSets[] = {NftSetKind::localnet_if, NftSetKind::local,   NftSetKind::pub,
                                NftSetKind::masqall,     NftSetKind::port_at, NftSetKind::port_any,
                                NftSetKind::claim,       NftSetKind::nosnat};

/// route_localnet lets the world send to 127.0.0.0/8 through such an interface, and from there. It
/// is on for the answers of containers to the host's loopback, whose addresses conntrack puts in
/// after this hook: no packet of theirs has one here.
void write_localnet(NftBaseWriter& base) {
  using namespace nft_field;
  const IpNet localnet = IpNet::parse("127.0.0.0/8").value();
  for (const NftField& field : {ip_destination(Family::v4), ip_source(Family::v4)}) {
    base.rule(NftRule(kLocalnet.name)
                  .fields_in({input_name()}, nft_set(NftSetKind::localnet_if).name.c_str())
                  .family(Family::v4)
                  .field_within(field, localnet)
                  .drop());
  }
}

void write_dnat(NftBaseWriter& base, Family family) {
  using namespace nft_field;
  const char* to_ports = family == Family::v4 ? kToPorts4.name : kToPorts6.name;
  // What isn't addressed to the host itself only passes through: it isn't ours to redirect
  // (CVE-2025-67499). LOCAL_OUT is for the host's own connections, which PRE_ROUTING never sees.
  for (const char* chain : {kDnatIn.name, kDnatOut.name}) {
    base.rule(NftRule(chain, family).destination_is_local().go_to(to_ports));
  }
  const auto rule = [&] { return NftRule(to_ports, family); };
  // The map of single addresses first; no port is in both, as claims keep them apart.
  base.rule(
      rule().dnat_of(family, endpoint(family), nft_set(NftSetKind::port_at, family).name.c_str()));
  base.rule(rule().dnat_of(family, {l4_protocol(), destination_port()},
                           nft_set(NftSetKind::port_any, family).name.c_str()));
}

/// Behind the DNAT a packet's destination is the container's endpoint: that is what the sets hold.
void write_snat(NftBaseWriter& base, Family family) {
  using namespace nft_field;
  const bool v4 = family == Family::v4;
  const char* snat_ports = v4 ? kSnatPorts4.name : kSnatPorts6.name;
  base.rule(NftRule(kSnatPorts.name, family).ct_status_has(IPS_DST_NAT).go_to(snat_ports));
  const auto of = [&](NftSetKind kind) {
    NftRule rule(snat_ports, family);
    rule.fields_in(endpoint(family), nft_set(kind, family).name.c_str());
    return rule;
  };
  base.rule(of(NftSetKind::masqall).masquerade());
  base.rule(of(NftSetKind::nosnat).returns());
  // From the host's loopback: the container would answer its own.
  base.rule(
      of(NftSetKind::pub)
          .field_within(ip_source(family), IpNet::parse(v4 ? "127.0.0.0/8" : "::1/128").value())
          .masquerade());
}

void write_rules(NftBaseWriter& base, NftFamilies families) {
  write_localnet(base);
  for (const Family family : list(families)) {
    write_dnat(base, family);
    write_snat(base, family);
  }
}

/// A sender in the container's own subnet: the answers would go there directly, from an address
/// that it has never sent to.
void write_hairpin_rules(NftBaseWriter& base, const NftSetRow& set) {
  const Family family = set.address_family();
  const std::string name = set.name.c_str();
  base.rule(NftRule(name, family)
                .ct_status_has(IPS_DST_NAT)
                .fields_in(nft_field::endpoint_and_sender(family, set.prefix), name)
                .masquerade());
}

}  // namespace

constinit const NftPart kNftPorts{.table = NftTable::inet,
                                  .sets = kSets,
                                  .looked_up = {},
                                  .marker = NftSetKind::port_at,
                                  .chains = kChains,
                                  .write_rules = write_rules,
                                  .say = {find_idle_claims, find_heirs, drop_waiting_ports}};

constinit const NftPrefixUse kNftHairpin{
    NftSetKind::hairpin, {"nat", NF_INET_POST_ROUTING, kSnatPriority, 1}, write_hairpin_rules};

PortElements port_elements(const PublishedPort& port, const std::string& owner,
                           const std::string& network) {
  const std::string comment = nft_owner(owner);
  const IpAddress& container = port.container;
  const Family family = container.family();
  const PortPlace place = place_of(port);
  const std::string target = address_key(container) + port_key(port.container_port);
  const std::string endpoint =
      address_key(container) + protocol_key(port.protocol) + port_key(port.container_port);
  PortElements elements;
  const auto own = [&](const NftSetRow& set, const std::string& key, const std::string& data) {
    elements.own.push_back({set.name.c_str(), key, {}, comment, set.table, data});
  };
  const auto own_at_place = [&](NftSetKind at_one, NftSetKind at_any, const std::string& data) {
    own(nft_set(port.host_ip ? at_one : at_any, family), place.address + place.number, data);
  };
  if (port.condition.empty()) {
    own_at_place(NftSetKind::port_at, NftSetKind::port_any, target);
  } else {
    own_at_place(NftSetKind::cond_at, NftSetKind::cond_any, port.condition);
    own_at_place(NftSetKind::cport_at, NftSetKind::cport_any, target);
  }
  // Behind what leads to the container: journals have them in this order, and who died while he
  // announced them is known by the claim that is missing (drop_unsure_ports()).
  if (port.host_ip) {
    elements.shared.push_back(claim_element(place, network));
  } else {
    elements.own.push_back(claim_element(place, owner));
  }
  const auto own_of_endpoint = [&](NftSetKind kind, const std::string& data) {
    own(nft_set(kind, family), endpoint, data);
  };
  const auto own_with_hairpin = [&](NftSetKind kind, const std::string& data) {
    own_of_endpoint(kind, data);
    if (!port.prefix) return;
    elements.own.push_back(hairpin_element(elements.own.back(), IpNet(container, *port.prefix)));
  };
  // Who gets the host's address anyhow, or never, needs no element about a subnet.
  if (port.snat && !port.masq_all) {
    own_with_hairpin(NftSetKind::pub, {});
  } else {
    own_of_endpoint(NftSetKind::pub, {});
  }
  if (port.masq_all) {
    own_of_endpoint(NftSetKind::masqall, {});
  } else if (!port.snat) {
    own_of_endpoint(NftSetKind::nosnat, {});
  }
  if (port.mark_bit && (port.snat || port.masq_all)) {
    own_with_hairpin(NftSetKind::bit, nft_bit_chain(*port.mark_bit));
  }
  return elements;
}

NftElement hairpin_element(const NftElement& about_endpoint, const IpNet& container) {
  const auto about = find_nft_set(about_endpoint);
  const bool has_bit = about && about->kind == NftSetKind::bit;
  const NftSetRow set = nft_set(has_bit ? NftSetKind::hairpin_bit : NftSetKind::hairpin,
                                container.family(), container.prefix_length());
  NftElement element = about_endpoint;
  element.set = set.name.c_str();
  element.key += address_key(container.network());
  return element;
}

PortPlace place_of(const PublishedPort& port) {
  return {port.container.family(), protocol_key(port.protocol) + port_key(port.host_port),
          port.host_ip ? address_key(*port.host_ip) : std::string()};
}

bool has_published_ports(Nft& nft, Family family) {
  constexpr NftSetKind kWays[] = {NftSetKind::port_any, NftSetKind::port_at, NftSetKind::cond_any,
                                  NftSetKind::cond_at};
  return std::ranges::any_of(kWays, [&](NftSetKind kind) {
    return has_any_element(nft.socket().spare(), NftTable::inet,
                           nft_set(kind, family).name.c_str());
  });
}

}  // namespace unicni::net
