// What may be forwarded on a host whose FORWARD chain drops. An accept of ours can't stop another
// table's drop, so a mark says what to accept to a rule of ours in that table (forward_gate.h).
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "netfilter/gate/forward_mark.h"
#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kBefore = 0 - 10;  // NF_IP_PRI_FILTER
constexpr std::int32_t kBehind = 0 + 50;

constexpr NftBaseChain kForward{"forward", {2, 2, 4}, "filter", NF_INET_FORWARD, kBefore};
constexpr NftBaseChain kPublished{"published", {1, 2, 2}};
constexpr NftBaseChain kPass{"pass", {1, 4, 6}};
constexpr NftBaseChain kUnmark{"unmark", {1}, "filter", NF_INET_FORWARD, kBehind};
constexpr NftBaseChain kChains[] = {kForward, kPublished, kPass, kUnmark};
constexpr const char* kSets[] = {"att4", "att6", "pub4", "pub6"};
constexpr const char* kNetworkSets[] = {"net_if"};
constexpr std::uint8_t kIcmp6 = 58;      // linux/in6.h
constexpr std::uint8_t kHopLimit = 255;  // RFC 4861: not from beyond the link
constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

struct Names {
  Family family;
  const char* attachments;
  const char* published;
};
constexpr Names kFamilies[] = {{Family::v4, "att4", "pub4"}, {Family::v6, "att6", "pub6"}};

void write_sets(NftBaseWriter& base, NftFamilies families) {
  using nft_key::kInterface;
  write_published_sets(base, families);
  base.set("net_if", {kInterface}, "bridges and ptp host ends of our attachments");
  for (const Names& names : wanted(kFamilies, families)) {
    const NftKeyField ip = names.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
    base.set(names.attachments, {kInterface, ip}, "host side interface . container address");
  }
}

void write_attachments(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  constexpr std::uint32_t kKnown =
      NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED);
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kForward.name)
                  .family(names.family)
                  .fields_in({input_name(), ip_source(names.family)}, names.attachments)
                  .go_to(kPass.name));
  }
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kForward.name)
                  .family(names.family)
                  .ct_state_has(kKnown)
                  .fields_in({output_name(), ip_destination(names.family)}, names.attachments)
                  .go_to(kPass.name));
  }
}

void write_published(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  base.rule(NftRule(kForward.name).ct_status_has(IPS_DST_NAT).jump(kPublished.name));
  for (const Names& names : wanted(kFamilies, families)) {
    base.rule(NftRule(kPublished.name)
                  .family(names.family)
                  .ct_original_direction(true)
                  .fields_in({ip_destination(names.family), l4_protocol(), destination_port()},
                             names.published)
                  .go_to(kPass.name));
    base.rule(
        NftRule(kPublished.name)
            .family(names.family)
            .ct_original_direction(false)
            .fields_in({ip_source(names.family), l4_protocol(), source_port()}, names.published)
            .go_to(kPass.name));
  }
}

/// Bridged neighbour discovery comes here where bridge-nf-call-ip6tables is on; from link-local
/// addresses no set knows it.
void write_neighbours(NftBaseWriter& base) {
  using namespace nft_field;
  for (const std::uint8_t type : {kNeighbourSolicitation, kNeighbourAdvertisement}) {
    base.rule(NftRule(kForward.name)
                  .family(Family::v6)
                  .field_is(l4_protocol(), kIcmp6)
                  .field_is(icmp6_type(), type)
                  .field_is(hop_limit(), kHopLimit)
                  .fields_in({input_name()}, "net_if")
                  .fields_in({output_name()}, "net_if")
                  .go_to(kPass.name));
  }
}

void write(NftBaseWriter& base, NftFamilies families) {
  write_sets(base, families);
  write_chains(base, kChains, families);
  const std::uint32_t mark = forward_mark();
  // One that arrives already set is nobody's permission.
  base.rule(NftRule(kForward.name).mark_has(mark).clear_mark_bits(mark));
  write_attachments(base, families);
  write_published(base, families);
  if (has(families, Family::v6)) write_neighbours(base);
  base.rule(NftRule(kPass.name).set_mark_bits(mark));
  base.rule(NftRule(kUnmark.name).mark_has(mark).clear_mark_bits(mark));
}

}  // namespace

constinit const NftPart kNftForward{NftTable::inet, kSets, kNetworkSets, kChains, write};

}  // namespace unicni::net
