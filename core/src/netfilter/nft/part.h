// The parts of our tables. Each is made when an element of its sets is first added, so that packets
// of a host pass only the chains that its attachments use. What a part is stands in one file, with
// what makes its elements: published_port.cc, condition.cc, mark_bit.cc, ingress_policy.cc,
// forwarding.cc, spoof_check.cc. ruleset.nft shows all of them.
//
// A new one: rows in set.cc, a file with the part and what makes its elements (its header in
// unicni/netfilter), a place in nft_parts(), and its sets and chains in ruleset.nft.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "netfilter/nft/base_writer.h"
#include "netfilter/nft/prefix_part.h"
#include "netfilter/nft/set.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// The families of addresses that a part is made for.
enum class NftFamilies : std::uint8_t { none = 0, v4 = 1, v6 = 2, both = 3 };
constexpr bool has(NftFamilies families, Family family) {
  const auto bit = family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6;
  return (static_cast<unsigned>(families) & static_cast<unsigned>(bit)) != 0;
}
/// Those of `families`, in order.
std::vector<Family> list(NftFamilies families);

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

/// What Nft asks a part when elements come and go, as it knows none of them itself. nullptr: the
/// part has nothing to say.
struct NftPartSay {
  /// Elements that nobody needs any more without `leaving`, which may be there or not.
  std::vector<NftElement> (*find_idle)(Nft&, const std::vector<NftElement>& leaving) = nullptr;
  /// What takes the places of `leaving`, which are there: of the siblings of their owners.
  std::vector<NftElement> (*find_heirs)(Nft&, const std::vector<NftElement>& leaving,
                                        NftRecords& records) = nullptr;
  /// Of all elements that journals name, in their order: takes out those that wait for the place of
  /// another.
  void (*drop_waiting)(std::vector<const NftElement*>& elements) = nullptr;
};

struct NftPart {
  NftTable table;
  std::span<const NftSetKind> sets;       ///< whose elements need this part; made in this order
  std::span<const NftSetKind> looked_up;  ///< of other parts, that its rules need as well
  /// The sets by which to see for which families the part was made: nobody else makes them.
  /// nullopt: it doesn't know families.
  std::optional<NftSetKind> marker;
  std::span<const NftBaseChain> chains;
  void (*write_rules)(NftBaseWriter&, NftFamilies);  ///< into its chains, which are there
  NftPartSay say = {};
};

/// In the order in which they are made. A part's rules go to its own chains only.
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
/// The parts that elements of this set need; none: this version has no such set.
NftParts nft_parts_of(const NftElement& element);
/// All of one table, for all families, but for those of prefix lengths.
NftParts nft_parts_of(NftTable table);
/// The parts that a condition needs.
NftParts nft_condition_parts(Family family);

/// Sets, chains and rules.
void write_nft_part(NftBaseWriter& base, const NftPart& part, NftFamilies families);

extern const NftPart kNftPorts;
extern const NftPart kNftConditions;
extern const NftPart kNftMarks;
extern const NftPart kNftPolicy;
extern const NftPart kNftForward;
extern const NftPart kNftPortCheck;

}  // namespace unicni::net
