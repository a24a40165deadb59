#include "netfilter/nft/part.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace unicni::net {
namespace {

using nft_key::kIp4;
using nft_key::kIp6;
using nft_key::kL4Protocol;
using nft_key::kPort;

}  // namespace

std::span<const NftPart> nft_parts() {
  static const std::array kParts = {kNftPorts,  kNftConditions, kNftMarks,
                                    kNftPolicy, kNftForward,    kNftPortCheck};
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

NftParts& NftParts::operator|=(const NftParts& more) {
  bits |= more.bits;
  prefixes.insert(more.prefixes.begin(), more.prefixes.end());
  return *this;
}

std::optional<NftFamilies> NftParts::families_of(std::size_t part) const {
  const unsigned own = bits >> part * kBitsOfPart;
  if ((own & 1U) == 0) return std::nullopt;
  return static_cast<NftFamilies>(own >> 1U & 3U);
}

void NftParts::add(std::size_t part, NftFamilies families) {
  bits |= (1U | static_cast<unsigned>(families) << 1U) << part * kBitsOfPart;
}

const char* nft_family_marker(const NftPart& part, Family family) {
  const auto found =
      std::ranges::find_if(part.sets, [&](const char* set) { return family_in(set) == family; });
  return found == part.sets.end() ? nullptr : *found;
}

NftParts nft_parts_of(const NftElement& element) {
  NftParts needed;
  std::string_view set = element.set;
  if (const auto prefix = find_nft_prefix_part(set); prefix && element.table == NftTable::inet) {
    needed.prefixes.insert(*prefix);
    if (prefix->use != NftPrefixPart::Use::hairpin_bit) return needed;
    set = nft_family_marker(kNftMarks, prefix->family);  // whose chains its elements go to
  }
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto is_its = [&](const char* its) { return set == its; };
    const bool has = std::ranges::any_of(parts[i].sets, is_its) ||
                     std::ranges::any_of(parts[i].network_sets, is_its);
    if (has && parts[i].table == element.table) needed.add(i, only(family_in(set)));
  }
  return needed;
}

NftParts nft_parts_of(NftTable table) {
  NftParts all;
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].table == table) all.add(i, NftFamilies::both);
  }
  return all;
}

NftParts nft_condition_parts(Family family) {
  return nft_parts_of(
      NftElement{nft_family_marker(kNftConditions, family), {}, {}, {}, kNftConditions.table, {}});
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

namespace {

/// Ports of containers' addresses.
void write_endpoints(NftBaseWriter& base, NftFamilies families, const char* set4, const char* set6,
                     const char* comment) {
  if (has(families, Family::v4)) base.set(set4, {kIp4, kL4Protocol, kPort}, comment);
  if (has(families, Family::v6)) base.set(set6, {kIp6, kL4Protocol, kPort}, comment);
}

}  // namespace

void write_published_sets(NftBaseWriter& base, NftFamilies families) {
  write_endpoints(base, families, "pub4", "pub6", "published ports of containers");
}

void write_masq_all_sets(NftBaseWriter& base, NftFamilies families) {
  write_endpoints(base, families, "masqall4", "masqall6", "masqAll: true");
}

}  // namespace unicni::net
