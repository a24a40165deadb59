#include "net/nft_part.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace unicni::net {
namespace {

using nft_key::kIp4;
using nft_key::kIp6;
using nft_key::kL4Protocol;
using nft_key::kPort;
using Kind = NftBaseWriter::Kind;

}  // namespace

std::span<const NftPart> nft_parts() {
  static const std::array kParts = {kNftMasquerade, kNftPorts,   kNftConditions,
                                    kNftMarks,      kNftForward, kNftPortCheck};
  return kParts;
}

NftPartBits nft_parts_of(const NftElement& element) {
  NftPartBits bits = 0;
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto is_its = [&](const char* set) { return element.set == set; };
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

std::vector<NftSet> attachment_sets() {
  std::vector<NftSet> sets;
  for (const NftPart& part : nft_parts()) {
    for (const char* name : part.sets) {
      const auto is_known = [&](const NftSet& set) {
        return set.table == part.table && std::string_view(set.name) == name;
      };
      if (std::ranges::none_of(sets, is_known)) sets.push_back({name, part.table});
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

void write_network_sets(NftBaseWriter& base) {
  base.set("net4", {kIp4, kIp4}, Kind::interval, "subnet . subnet: on-link pairs");
  base.set("net6", {kIp6, kIp6}, Kind::interval, "subnet . subnet: on-link pairs");
}

void write_published_sets(NftBaseWriter& base) {
  base.set("pub4", {kIp4, kL4Protocol, kPort}, Kind::hash, "published ports of containers");
  base.set("pub6", {kIp6, kL4Protocol, kPort}, Kind::hash, "published ports of containers");
}

void write_masq_all_sets(NftBaseWriter& base) {
  base.set("masqall4", {kIp4, kL4Protocol, kPort}, Kind::hash, "masqAll: true");
  base.set("masqall6", {kIp6, kL4Protocol, kPort}, Kind::hash, "masqAll: true");
}

}  // namespace unicni::net
