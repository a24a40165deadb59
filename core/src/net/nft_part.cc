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
  static const std::array kParts = {kNftMasquerade, kNftPorts,   kNftConditions, kNftMarks,
                                    kNftPolicy,     kNftForward, kNftPortCheck};
  return kParts;
}

namespace {

constexpr unsigned kBitsOfPart = 3;

/// "masq4", "port6_any": the family that a set's name tells.
std::optional<Family> family_in(std::string_view set) {
  const std::size_t digit = set.find_first_of("46");
  if (digit == set.npos) return std::nullopt;
  return set[digit] == '4' ? Family::v4 : Family::v6;
}

NftFamilies only(std::optional<Family> family) {
  if (!family) return NftFamilies::none;
  return *family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6;
}

}  // namespace

std::optional<NftFamilies> families_of(NftPartBits bits, std::size_t part) {
  const NftPartBits own = bits >> part * kBitsOfPart;
  if ((own & 1U) == 0) return std::nullopt;
  return static_cast<NftFamilies>(own >> 1U & 3U);
}

NftPartBits nft_part_bits(std::size_t part, NftFamilies families) {
  return (1U | static_cast<unsigned>(families) << 1U) << part * kBitsOfPart;
}

const char* nft_family_marker(const NftPart& part, Family family) {
  const auto found =
      std::ranges::find_if(part.sets, [&](const char* set) { return family_in(set) == family; });
  return found == part.sets.end() ? nullptr : *found;
}

NftPartBits nft_parts_of(const NftElement& element) {
  NftPartBits bits = 0;
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto is_its = [&](const char* set) { return element.set == set; };
    const bool has = std::ranges::any_of(parts[i].sets, is_its) ||
                     std::ranges::any_of(parts[i].network_sets, is_its);
    if (has && parts[i].table == element.table) {
      bits |= nft_part_bits(i, only(family_in(element.set)));
    }
  }
  return bits;
}

NftPartBits nft_parts_of(NftTable table) {
  NftPartBits bits = 0;
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].table == table) bits |= nft_part_bits(i, NftFamilies::both);
  }
  return bits;
}

NftPartBits nft_condition_parts(Family family) {
  return nft_parts_of(
      NftElement{nft_family_marker(kNftConditions, family), {}, {}, {}, kNftConditions.table, {}});
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

void write_chains(NftBaseWriter& base, std::span<const NftBaseChain> chains, NftFamilies families) {
  for (const NftBaseChain& chain : chains) {
    if (chain.use.of(families) == 0) continue;
    if (chain.type == nullptr) {
      base.chain(chain.name);
    } else {
      base.base_chain(chain.name, chain.type, chain.hook, chain.priority);
    }
  }
}

void write_network_sets(NftBaseWriter& base, NftFamilies families) {
  constexpr const char* kComment = "subnet . subnet: on-link pairs";
  if (has(families, Family::v4)) base.set("net4", {kIp4, kIp4}, Kind::interval, kComment);
  if (has(families, Family::v6)) base.set("net6", {kIp6, kIp6}, Kind::interval, kComment);
}

namespace {

/// Ports of containers' addresses.
void write_endpoints(NftBaseWriter& base, NftFamilies families, const char* set4, const char* set6,
                     const char* comment) {
  if (has(families, Family::v4)) base.set(set4, {kIp4, kL4Protocol, kPort}, Kind::hash, comment);
  if (has(families, Family::v6)) base.set(set6, {kIp6, kL4Protocol, kPort}, Kind::hash, comment);
}

}  // namespace

void write_published_sets(NftBaseWriter& base, NftFamilies families) {
  write_endpoints(base, families, "pub4", "pub6", "published ports of containers");
}

void write_masq_all_sets(NftBaseWriter& base, NftFamilies families) {
  write_endpoints(base, families, "masqall4", "masqall6", "masqAll: true");
}

}  // namespace unicni::net
