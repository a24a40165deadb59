// The parts of our tables. Each is made when an element of its sets is first added, so that packets
// of a host pass only the chains that its attachments use.
#pragma once

#include <cstdint>
#include <span>

#include "net/nft_base_writer.h"
#include "unicni/net/nft.h"

namespace unicni::net {

/// What the kernel says of a chain when nothing is wrong with it.
struct NftBaseChain {
  const char* name;
  std::uint32_t use;           ///< rules in it and jumps to it, at least
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
  void (*write)(NftBaseWriter&);  ///< sets, chains and rules
};

/// Several parts as bits, in the order of nft_parts().
using NftPartBits = unsigned;
std::span<const NftPart> nft_parts();
/// The parts that elements of this set need.
NftPartBits nft_parts_of(const NftElement& element);
/// All of one table.
NftPartBits nft_parts_of(NftTable table);

// A file each, nft_part_<name>.cc.
extern const NftPart kNftMasquerade;
extern const NftPart kNftPorts;
extern const NftPart kNftConditions;
extern const NftPart kNftMarks;
extern const NftPart kNftForward;
extern const NftPart kNftPortCheck;

/// Chains of a part, as write() makes them.
void write_chains(NftBaseWriter& base, std::span<const NftBaseChain> chains);
/// "net4" and "net6", which several parts look up.
void write_network_sets(NftBaseWriter& base);
/// "pub4" and "pub6", likewise; "masqall4" and "masqall6".
void write_published_sets(NftBaseWriter& base);
void write_masq_all_sets(NftBaseWriter& base);
/// The parts that conditions need.
NftPartBits nft_condition_parts();
/// The chain that a condition goes on to.
const char* nft_ports_behind_condition(Family family);

}  // namespace unicni::net
