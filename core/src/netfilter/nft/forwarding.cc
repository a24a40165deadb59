// What may be forwarded on a host whose FORWARD chain drops. A drop is final in the kernel, an
// accept ends only its own chain (nf_hook_slow goes on to the next hook): an accept of ours can't
// stop a foreign table's drop, so a mark says what to accept to a rule of ours in that table
// (forward_gate.h).
#include "unicni/netfilter/forwarding.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "netfilter/gate/forward_mark.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

// Around NF_IP_PRI_FILTER, where the chains are that look at the mark: it is set before and taken
// away behind, so that nobody else ever sees it.
constexpr std::int32_t kBefore = 0 - 10;
constexpr std::int32_t kBehind = 0 + 50;

constexpr NftBaseChain kForward{"forward", {2, 2, 4}, "filter", NF_INET_FORWARD, kBefore};
constexpr NftBaseChain kPublished{"published", {1, 2, 2}};
constexpr NftBaseChain kPass{"pass", {1, 4, 6}};
constexpr NftBaseChain kUnmark{"unmark", {1}, "filter", NF_INET_FORWARD, kBehind};
constexpr NftBaseChain kChains[] = {kForward, kPublished, kPass, kUnmark};
constexpr NftSetKind kSets[] = {NftSetKind::pub, NftSetKind::net_if, NftSetKind::att};
constexpr std::uint8_t kIcmp6 = 58;      // linux/in6.h
constexpr std::uint8_t kHopLimit = 255;  // RFC 4861: not from beyond the link
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

void write_attachments(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  constexpr std::uint32_t kKnown =
      NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
  for (const Family family : list(families)) {
    base.rule(NftRule(kForward.name)
                  .family(family)
                  .fields_in({input_name(), ip_source(family)},
                             nft_set(NftSetKind::att, family).name.c_str())
                  .go_to(kPass.name));
  }
  // Towards a container only answers: whether one may start a connection to it, the host's own
  // rules say.
  for (const Family family : list(families)) {
    base.rule(NftRule(kForward.name)
                  .family(family)
                  .ct_state_has(kKnown)
                  .fields_in({output_name(), ip_destination(family)},
                             nft_set(NftSetKind::att, family).name.c_str())
                  .go_to(kPass.name));
  }
}

void write_published(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  // One test of the connection keeps all others from four look-ups.
  base.rule(NftRule(kForward.name).ct_status_has(IPS_DST_NAT).jump(kPublished.name));
  for (const Family family : list(families)) {
    const char* published = nft_set(NftSetKind::pub, family).name.c_str();
    base.rule(NftRule(kPublished.name)
                  .family(family)
                  .ct_original_direction(true)
                  .fields_in(endpoint(family), published)
                  .go_to(kPass.name));
    base.rule(NftRule(kPublished.name)
                  .family(family)
                  .ct_original_direction(false)
                  .fields_in({ip_source(family), l4_protocol(), source_port()}, published)
                  .go_to(kPass.name));
  }
}

/// Bridged neighbour discovery comes here where bridge-nf-call-ip6tables is on; from link-local
/// addresses no set knows it.
void write_neighbours(NftBaseWriter& base) {
  using namespace nft_field;
  const char* interfaces = nft_set(NftSetKind::net_if).name.c_str();
  for (const std::uint8_t type : {kNeighbourSolicitation, kNeighbourAdvertisement}) {
    base.rule(NftRule(kForward.name)
                  .family(Family::v6)
                  .field_is(l4_protocol(), kIcmp6)
                  .field_is(icmp6_type(), type)
                  .field_is(hop_limit(), kHopLimit)
                  .fields_in({input_name()}, interfaces)
                  .fields_in({output_name()}, interfaces)
                  .go_to(kPass.name));
  }
}

void write_rules(NftBaseWriter& base, NftFamilies families) {
  const std::uint32_t mark = forward_mark(base.folders());
  // One that arrives already set is nobody's permission.
  base.rule(NftRule(kForward.name).mark_has(mark).clear_mark_bits(mark));
  write_attachments(base, families);
  write_published(base, families);
  if (has(families, Family::v6)) write_neighbours(base);
  base.rule(NftRule(kPass.name).set_mark_bits(mark));
  base.rule(NftRule(kUnmark.name).mark_has(mark).clear_mark_bits(mark));
}

}  // namespace

constinit const NftPart kNftForward{.table = NftTable::inet,
                                    .sets = kSets,
                                    .looked_up = {},
                                    .marker = NftSetKind::att,
                                    .chains = kChains,
                                    .write_rules = write_rules};

NftElement forward_element(const std::string& interface, const IpAddress& address,
                           const std::string& owner) {
  return interface_element(NftSetKind::att, interface, address, owner);
}

NftElement forward_interface_element(const std::string& interface, const std::string& network) {
  return interface_element(NftSetKind::net_if, interface, network);
}

}  // namespace unicni::net
