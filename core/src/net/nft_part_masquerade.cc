// What leaves a container for outside its own networks gets the host's address.
#include <linux/netfilter.h>

#include "net/nft_part.h"

namespace unicni::net {
namespace {

// 5 behind the usual place, so that a rule of the user's own wins.
constexpr std::int32_t kSourceNatPriority = 100 + 5;  // NF_IP_PRI_NAT_SRC

constexpr NftBaseChain kSourceNat{"source_nat", 5, "nat", NF_INET_POST_ROUTING, kSourceNatPriority};
constexpr NftBaseChain kSubnets{"masq_subnets", 1};
constexpr NftBaseChain kChains[] = {kSourceNat, kSubnets};
constexpr const char* kSets[] = {"masq4", "masq6"};

struct Names {
  Family family;
  const char* sources;
  const char* multicast;
};
constexpr Names kFamilies[] = {{Family::v4, "masq4", "224.0.0.0/4"},
                               {Family::v6, "masq6", "ff00::/8"}};

/// What stays inside of a subnet is left alone: chain masq_subnets has a rule for each
/// (nft_subnet_set.h).
void write(NftBaseWriter& base) {
  base.set("masq4", {nft_key::kIp4}, "container addresses without a subnet");
  base.set("masq6", {nft_key::kIp6}, "container addresses without a subnet");
  write_chains(base, kChains);
  for (const Names& names : kFamilies) {
    base.rule(NftRule(kSourceNat.name)
                  .family(names.family)
                  .field_within(nft_field::ip_destination(names.family),
                                IpNet::parse(names.multicast).value())
                  .returns());
  }
  for (const Names& names : kFamilies) {
    base.rule(NftRule(kSourceNat.name)
                  .family(names.family)
                  .fields_in({nft_field::ip_source(names.family)}, names.sources)
                  .masquerade());
  }
  base.rule(NftRule(kSourceNat.name).jump(kSubnets.name));
}

}  // namespace

constinit const NftPart kNftMasquerade{NftTable::inet, kSets, {}, kChains, write};

}  // namespace unicni::net
