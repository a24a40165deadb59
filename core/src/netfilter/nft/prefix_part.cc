#include "netfilter/nft/prefix_part.h"

#include "netfilter/nft/base_writer.h"

namespace unicni::net {
namespace {

const NftPrefixUse& use_of(const NftPrefixPart& part) {
  for (const NftPrefixUse* use : {&kNftHairpin, &kNftHairpinBit}) {
    if (use->kind == part.use) return *use;
  }
  return kNftMasquerade;
}

NftSetRow row_of(const NftPrefixPart& part) { return nft_set(part.use, part.family, part.prefix); }

}  // namespace

std::string nft_prefix_set(const NftPrefixPart& part) { return row_of(part).name.c_str(); }

std::optional<NftPrefixPart> find_nft_prefix_part(std::string_view set) {
  const auto row = find_nft_set(NftTable::inet, set);
  if (!row || row->prefix < 0) return std::nullopt;
  return NftPrefixPart{row->kind, row->address_family(), row->prefix};
}

NftPrefixChain nft_prefix_chain(const NftPrefixPart& part) { return use_of(part).chain; }

void write_nft_prefix_part(NftBaseWriter& base, const NftPrefixPart& part) {
  const NftSetRow set = row_of(part);
  const NftPrefixUse& use = use_of(part);
  base.set(set);
  base.base_chain(set.name.c_str(), use.chain.type, use.chain.hook, use.chain.priority);
  use.write_rules(base, set);
}

}  // namespace unicni::net
