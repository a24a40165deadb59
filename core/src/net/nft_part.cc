#include "net/nft_part.h"

#include <algorithm>
#include <array>
#include <string>

#include "net/nft_subnet_set.h"

namespace unicni::net {
namespace {

using nft_key::kIp4;
using nft_key::kIp6;
using nft_key::kL4Protocol;
using nft_key::kPort;

}  // namespace

std::span<const NftPart> nft_parts() {
  static const std::array kParts = {kNftMasquerade, kNftPorts,   kNftConditions,
                                    kNftMarks,      kNftForward, kNftPortCheck};
  return kParts;
}

NftPartBits nft_parts_of(const NftElement& element) {
  NftPartBits bits = 0;
  const auto parts = nft_parts();
  const auto subnet_set = find_subnet_set(element.set);
  const std::string name = subnet_set ? base_set_of(*subnet_set) : element.set;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto is_its = [&](const char* set) { return name == set; };
    const bool has = std::ranges::any_of(parts[i].sets, is_its) ||
                     std::ranges::any_of(parts[i].network_sets, is_its);
    if (has && parts[i].table == element.table) bits |= 1U << i;
  }
  return bits;
}

NftPartBits nft_parts_of(NftTable table) {
  NftPartBits bits = 0;
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].table == table) bits |= 1U << i;
  }
  return bits;
}

NftPartBits nft_condition_parts() {
  return nft_parts_of(
      NftElement{kNftConditions.sets.front(), {}, {}, {}, kNftConditions.table, {}});
}

std::vector<NftSet> sets_of_all_parts() {
  std::vector<NftSet> sets;
  for (const NftPart& part : nft_parts()) {
    for (const char* name : part.sets) {
      const NftSet set{name, part.table};
      if (std::ranges::find(sets, set) == sets.end()) sets.push_back(set);
    }
  }
  return sets;
}

void write_chains(NftBaseWriter& base, std::span<const NftBaseChain> chains) {
  for (const NftBaseChain& chain : chains) {
    if (chain.type == nullptr) {
      base.chain(chain.name);
    } else {
      base.base_chain(chain.name, chain.type, chain.hook, chain.priority);
    }
  }
}

void write_self_sets(NftBaseWriter& base) {
  base.set("self4", {kIp4, kIp4}, "address . the same: published, without a subnet");
  base.set("self6", {kIp6, kIp6}, "address . the same: published, without a subnet");
}

void write_published_sets(NftBaseWriter& base) {
  base.set("pub4", {kIp4, kL4Protocol, kPort}, "published ports of containers");
  base.set("pub6", {kIp6, kL4Protocol, kPort}, "published ports of containers");
}

void write_masq_all_sets(NftBaseWriter& base) {
  base.set("masqall4", {kIp4, kL4Protocol, kPort}, "masqAll: true");
  base.set("masqall6", {kIp6, kL4Protocol, kPort}, "masqAll: true");
}

}  // namespace unicni::net
