// The parts of our tables. Each is made when an element of its sets is first added, so that packets
// of a host pass only the chains that its attachments use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "netfilter/nft/base_writer.h"
#include "netfilter/nft/prefix_part.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// The families of addresses that a part is made for.
enum class NftFamilies : std::uint8_t { none = 0, v4 = 1, v6 = 2, both = 3 };
constexpr bool has(NftFamilies families, Family family) {
  const auto bit = family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6;
  return (static_cast<unsigned>(families) & static_cast<unsigned>(bit)) != 0;
}

/// Rules in a chain and jumps to it: those that are there always, and those of each family.
struct NftChainUse {
  std::uint32_t always = 0;
  std::uint32_t v4 = 0;
  std::uint32_t v6 = 0;
  [[nodiscard]] constexpr std::uint32_t of(NftFamilies families) const {
    return always + (has(families, Family::v4) ? v4 : 0) + (has(families, Family::v6) ? v6 : 0);
  }
};

/// What the kernel says of a chain when nothing is wrong with it. A chain without any use in the
/// families that a part is made for isn't made.
struct NftBaseChain {
  const char* name;
  NftChainUse use;             ///< at least
  const char* type = nullptr;  ///< nullptr: a regular chain
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  /// Elements lead to it as well, so that `use` says nothing: who has such an element looks at its
  /// rules (Nft::require_effective).
  bool open = false;
};

struct NftPart {
  NftTable table;
  std::span<const char* const> sets;          ///< of attachments, whose elements need this part
  std::span<const char* const> network_sets;  ///< the same of networks
  std::span<const NftBaseChain> chains;
  void (*write)(NftBaseWriter&, NftFamilies);  ///< sets, chains and rules
};

std::span<const NftPart> nft_parts();

/// Several parts: of nft_parts() those of `bits`, each with the families that it is wanted for, and
/// those of prefix lengths.
struct NftParts {
  unsigned bits = 0;  ///< three bits a part, in the order of nft_parts(): itself, IPv4, IPv6
  std::set<NftPrefixPart> prefixes;
  NftParts& operator|=(const NftParts& more);
  [[nodiscard]] bool empty() const { return bits == 0 && prefixes.empty(); }
  [[nodiscard]] bool has_any(const NftParts& of) const { return (bits & of.bits) != 0; }
  /// nullopt: the part isn't among them.
  [[nodiscard]] std::optional<NftFamilies> families_of(std::size_t part) const;
  void add(std::size_t part, NftFamilies families);
};
/// The set that tells whether the part was made for a family; nullptr: it doesn't know families.
const char* nft_family_marker(const NftPart& part, Family family);
/// The parts that elements of this set need.
NftParts nft_parts_of(const NftElement& element);
/// All of one table, for all families, but for those of prefix lengths.
NftParts nft_parts_of(NftTable table);

// A file each, nft_part_<name>.cc.
extern const NftPart kNftPorts;
extern const NftPart kNftConditions;
extern const NftPart kNftMarks;
extern const NftPart kNftPolicy;
extern const NftPart kNftForward;
extern const NftPart kNftPortCheck;

/// Those of a part's two lists of names, an entry a family, that are wanted.
template <class Names, std::size_t kCount>
std::vector<Names> wanted(const Names (&all)[kCount], NftFamilies families) {
  std::vector<Names> some;
  for (const Names& names : all) {
    if (has(families, names.family)) some.push_back(names);
  }
  return some;
}

/// Chains of a part, as write() makes them.
void write_chains(NftBaseWriter& base, std::span<const NftBaseChain> chains, NftFamilies families);
/// "pub4" and "pub6", which several parts look up; "masqall4" and "masqall6".
void write_published_sets(NftBaseWriter& base, NftFamilies families);
void write_masq_all_sets(NftBaseWriter& base, NftFamilies families);
/// The parts that a condition needs.
NftParts nft_condition_parts(Family family);
/// The chain that a condition goes on to.
const char* nft_ports_behind_condition(Family family);

}  // namespace unicni::net
