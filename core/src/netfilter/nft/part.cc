#include "netfilter/nft/part.h"

#include <algorithm>
#include <array>

namespace unicni::net {

std::span<const NftPart> nft_parts() {
  static const std::array kParts = {kNftPorts,  kNftConditions, kNftMarks,
                                    kNftPolicy, kNftForward,    kNftPortCheck};
  return kParts;
}

std::vector<Family> list(NftFamilies families) {
  std::vector<Family> some;
  for (const Family family : {Family::v4, Family::v6}) {
    if (has(families, family)) some.push_back(family);
  }
  return some;
}

namespace {

constexpr unsigned kBitsOfPart = 3;

/// A set without family (interfaces) needs neither family's rules by itself.
NftFamilies only(std::optional<Family> family) {
  if (!family) return NftFamilies::none;
  return *family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6;
}

bool is_in(NftSetKind kind, std::span<const NftSetKind> kinds) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

NftParts parts_of(const NftSetRow& row) {
  NftParts needed;
  if (row.prefix >= 0) {
    needed.prefixes.insert({row.kind, row.address_family(), row.prefix});
    // Its elements go to chains that mark_bit.cc makes.
    if (row.kind == NftSetKind::hairpin_bit) {
      needed |= parts_of(nft_set(NftSetKind::bit, row.address_family()));
    }
    return needed;
  }
  const auto parts = nft_parts();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_in(row.kind, parts[i].sets)) needed.add(i, only(row.family));
  }
  return needed;
}

}  // namespace

NftParts& NftParts::operator|=(const NftParts& more) {
  bits |= more.bits;
  prefixes.insert(more.prefixes.begin(), more.prefixes.end());
  return *this;
}

/// Three bits a part: wanted, IPv4, IPv6.
std::optional<NftFamilies> NftParts::families_of(std::size_t part) const {
  const unsigned own = bits >> part * kBitsOfPart;
  if ((own & 1U) == 0) return std::nullopt;
  return static_cast<NftFamilies>(own >> 1U & 3U);
}

void NftParts::add(std::size_t part, NftFamilies families) {
  bits |= (1U | static_cast<unsigned>(families) << 1U) << part * kBitsOfPart;
}

const char* nft_family_marker(const NftPart& part, Family family) {
  return part.marker ? nft_set(*part.marker, family).name.c_str() : nullptr;
}

// A set that two parts list, such as pub4, brings both: forwarding looks up what is published, with
// or without attachments of firewall.
NftParts nft_parts_of(const NftElement& element) {
  const auto row = find_nft_set(element);
  return row ? parts_of(*row) : NftParts();
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
  return parts_of(nft_set(NftSetKind::cond_at, family));
}

/// Sets before chains before rules: the kernel resolves names as it reads the messages.
void write_nft_part(NftBaseWriter& base, const NftPart& part, NftFamilies families) {
  // A set that two parts know is put twice into the batch: without NLM_F_EXCL the kernel takes the
  // second for the first one.
  for (const auto kinds : {part.sets, part.looked_up}) {
    for (const NftSetKind kind : kinds) {
      for (const NftSetRow& row : nft_sets(kind)) {
        if (!row.family || has(families, *row.family)) base.set(row);
      }
    }
  }
  for (const NftBaseChain& chain : part.chains) {
    if (chain.use.of(families) == 0) continue;
    if (chain.type == nullptr) {
      base.chain(chain.name);
    } else {
      base.base_chain(chain.name, chain.type, chain.hook, chain.priority);
    }
  }
  part.write_rules(base, families);
}

}  // namespace unicni::net
