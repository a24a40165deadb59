// New connections to a published port that get the host's address (published_port.cc) have a bit of
// the packet's mark when they come to the usual places of source NAT, so that foreign rules know
// them.
#include "netfilter/nft/mark_bit.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

// 5 before NF_IP_PRI_NAT_SRC: foreign source NAT asks for the mark at that place.
constexpr std::int32_t kBeforeSnat = 100 - 5;

constexpr NftBaseChain kBits{"bits", {0, 1, 1}, "filter", NF_INET_POST_ROUTING, kBeforeSnat};
constexpr NftBaseChain kNeedBit4{"need_bit4", {0, 3, 0}};
constexpr NftBaseChain kNeedBit6{"need_bit6", {0, 0, 3}};
// A verdict map holds chains and nothing to compute with, so there is one for each bit.
#define UNICNI_BIT_CHAIN(number) \
  { "bit_" #number, {1}, nullptr, 0, 0, true }
constexpr NftBaseChain kChains[] = {
    kBits,
    kNeedBit4,
    kNeedBit6,
    UNICNI_BIT_CHAIN(0),
    UNICNI_BIT_CHAIN(1),
    UNICNI_BIT_CHAIN(2),
    UNICNI_BIT_CHAIN(3),
    UNICNI_BIT_CHAIN(4),
    UNICNI_BIT_CHAIN(5),
    UNICNI_BIT_CHAIN(6),
    UNICNI_BIT_CHAIN(7),
    UNICNI_BIT_CHAIN(8),
    UNICNI_BIT_CHAIN(9),
    UNICNI_BIT_CHAIN(10),
    UNICNI_BIT_CHAIN(11),
    UNICNI_BIT_CHAIN(12),
    UNICNI_BIT_CHAIN(13),
    UNICNI_BIT_CHAIN(14),
    UNICNI_BIT_CHAIN(15),
    UNICNI_BIT_CHAIN(16),
    UNICNI_BIT_CHAIN(17),
    UNICNI_BIT_CHAIN(18),
    UNICNI_BIT_CHAIN(19),
    UNICNI_BIT_CHAIN(20),
    UNICNI_BIT_CHAIN(21),
    UNICNI_BIT_CHAIN(22),
    UNICNI_BIT_CHAIN(23),
    UNICNI_BIT_CHAIN(24),
    UNICNI_BIT_CHAIN(25),
    UNICNI_BIT_CHAIN(26),
    UNICNI_BIT_CHAIN(27),
    UNICNI_BIT_CHAIN(28),
    UNICNI_BIT_CHAIN(29),
    UNICNI_BIT_CHAIN(30),
    UNICNI_BIT_CHAIN(31),
};
#undef UNICNI_BIT_CHAIN
constexpr std::size_t kFirstBit = 3;
constexpr unsigned kAllBits = 32;
static_assert(std::size(kChains) == kFirstBit + kAllBits);
constexpr NftSetKind kSets[] = {NftSetKind::bit};
constexpr NftSetKind kLookedUp[] = {NftSetKind::masqall};

void write_rules(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  for (unsigned bit = 0; bit < kAllBits; ++bit) {
    base.rule(NftRule(kChains[kFirstBit + bit].name).set_mark_bits(1U << bit));
  }
  for (const Family family : list(families)) {
    const bool v4 = family == Family::v4;
    const char* need_bit = v4 ? kNeedBit4.name : kNeedBit6.name;
    const IpNet loopback = IpNet::parse(v4 ? "127.0.0.0/8" : "::1/128").value();
    // Only the first packet of a connection comes to the nat chains, whose rules this is for.
    base.rule(NftRule(kBits.name, family)
                  .ct_state_has(NF_CT_STATE_BIT(IP_CT_NEW))
                  .ct_status_has(IPS_DST_NAT)
                  .jump(need_bit));
    const auto of = [&] { return NftRule(need_bit, family); };
    const char* bits = nft_set(NftSetKind::bit, family).name.c_str();
    const char* masq_all = nft_set(NftSetKind::masqall, family).name.c_str();
    base.rule(of().field_within(ip_source(family), loopback).verdict_of(endpoint(family), bits));
    base.rule(of().fields_in(endpoint(family), masq_all).verdict_of(endpoint(family), bits));
  }
}

/// Senders in the container's own subnet: the packet's source is cut to the prefix and looked up
/// together with the port.
void write_hairpin_rules(NftBaseWriter& base, const NftSetRow& set) {
  const Family family = set.address_family();
  const std::string name = set.name.c_str();
  base.rule(NftRule(name, family)
                .ct_state_has(NF_CT_STATE_BIT(IP_CT_NEW))
                .ct_status_has(IPS_DST_NAT)
                .verdict_of(nft_field::endpoint_and_sender(family, set.prefix), name));
}

}  // namespace

constinit const NftPart kNftMarks{.table = NftTable::inet,
                                  .sets = kSets,
                                  .looked_up = kLookedUp,
                                  .marker = NftSetKind::bit,
                                  .chains = kChains,
                                  .write_rules = write_rules};

constinit const NftPrefixUse kNftHairpinBit{
    NftSetKind::hairpin_bit, {"filter", NF_INET_POST_ROUTING, kBeforeSnat, 1}, write_hairpin_rules};

std::string nft_bit_chain(unsigned bit) { return kChains[kFirstBit + bit].name; }

}  // namespace unicni::net
