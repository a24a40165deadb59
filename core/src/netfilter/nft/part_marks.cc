// "markMasqBit": new connections to a published port that get the host's address
// (nft_part_ports.cc) have a bit of the packet's mark when they come to the usual places of source
// NAT, so that somebody else's rules know them.
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>

#include "netfilter/nft/part.h"

namespace unicni::net {
namespace {

constexpr std::int32_t kBeforeSnat = 100 - 5;  // NF_IP_PRI_NAT_SRC

constexpr NftBaseChain kBits{"bits", {0, 1, 1}, "filter", NF_INET_POST_ROUTING, kBeforeSnat};
constexpr NftBaseChain kNeedBit4{"need_bit4", {0, 3, 0}};
constexpr NftBaseChain kNeedBit6{"need_bit6", {0, 0, 3}};
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
constexpr const char* kSets[] = {"bit4", "bit6"};

struct Names {
  Family family;
  const char* bits;
  const char* masq_all;
  const char* loopback;
  const char* need_bit;
};
constexpr Names kFamilies[] = {{Family::v4, "bit4", "masqall4", "127.0.0.0/8", kNeedBit4.name},
                               {Family::v6, "bit6", "masqall6", "::1/128", kNeedBit6.name}};

void write(NftBaseWriter& base, NftFamilies families) {
  using namespace nft_field;
  write_masq_all_sets(base, families);
  for (const Names& names : wanted(kFamilies, families)) {
    const NftKeyField ip = names.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6;
    base.verdict_map(names.bits, {ip, nft_key::kL4Protocol, nft_key::kPort}, "markMasqBit");
  }
  write_chains(base, kChains, families);
  for (unsigned bit = 0; bit < kAllBits; ++bit) {
    base.rule(NftRule(kChains[kFirstBit + bit].name).set_mark_bits(1U << bit));
  }
  for (const Names& names : wanted(kFamilies, families)) {
    const NftField source = ip_source(names.family);
    const NftField destination = ip_destination(names.family);
    const std::vector<NftField> endpoint = {destination, l4_protocol(), destination_port()};
    base.rule(NftRule(kBits.name)
                  .family(names.family)
                  .ct_state_has(NF_CT_STATE_BIT(IP_CT_NEW))
                  .ct_status_has(IPS_DST_NAT)
                  .jump(names.need_bit));
    const auto of = [&] {
      NftRule rule(names.need_bit);
      rule.family(names.family);
      return rule;
    };
    base.rule(of().field_within(source, IpNet::parse(names.loopback).value())
                  .verdict_of(endpoint, names.bits));
    base.rule(of().fields_in(endpoint, names.masq_all).verdict_of(endpoint, names.bits));
  }
}

}  // namespace

constinit const NftPart kNftMarks{NftTable::inet, kSets, {}, kChains, write};

}  // namespace unicni::net
