// What leaves a container for outside its own networks gets the host's address.
#include <linux/netfilter.h>

#include "net/nft_part.h"

namespace unicni::net {
namespace {

// 5 behind the usual place, so that a rule of the user's own wins.
constexpr std::int32_t kSourceNatPriority = 100 + 5;  // NF_IP_PRI_NAT_SRC

constexpr NftBaseChain kSourceNat{
    "source_nat", {0, 1, 1}, "nat", NF_INET_POST_ROUTING, kSourceNatPriority};
constexpr NftBaseChain kMasqNet4{"masq_net4", {0, 4, 0}};
constexpr NftBaseChain kMasqNet6{"masq_net6", {0, 0, 4}};
constexpr NftBaseChain kChains[] = {kSourceNat, kMasqNet4, kMasqNet6};
constexpr const char* kSets[] = {"masq4", "masq6"};
constexpr const char* kNetworkSets[] = {"net4", "net6"};

void write(NftBaseWriter& base, NftFamilies families) {
  using Kind = NftBaseWriter::Kind;
  write_network_sets(base, families);

  struct Parts {
    Family family;
    const char* sources;
    const char* pairs;
    const char* chain;
    const char* multicast;
  };
  constexpr Parts kParts[] = {{Family::v4, "masq4", "net4", kMasqNet4.name, "224.0.0.0/4"},
                              {Family::v6, "masq6", "net6", kMasqNet6.name, "ff00::/8"}};
  for (const Parts& part : wanted(kParts, families)) {
    base.set(part.sources, {part.family == Family::v4 ? nft_key::kIp4 : nft_key::kIp6}, Kind::hash,
             "container addresses to masquerade");
  }
  write_chains(base, kChains, families);
  for (const Parts& part : wanted(kParts, families)) {
    const NftField source = nft_field::ip_source(part.family);
    const NftField destination = nft_field::ip_destination(part.family);
    const IpNet multicast = IpNet::parse(part.multicast).value();
    base.rule(NftRule(kSourceNat.name)
                  .family(part.family)
                  .fields_in({source}, part.sources)
                  .go_to(part.chain));
    base.rule(
        NftRule(part.chain).family(part.family).field_within(destination, multicast).returns());
    base.rule(NftRule(part.chain)
                  .family(part.family)
                  .fields_in({source, destination}, part.pairs)
                  .returns());
    base.rule(NftRule(part.chain).masquerade());
  }
}

}  // namespace

constinit const NftPart kNftMasquerade{NftTable::inet, kSets, kNetworkSets, kChains, write};

}  // namespace unicni::net
