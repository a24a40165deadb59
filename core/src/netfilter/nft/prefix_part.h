// Whether two addresses are in one subnet depends on the length of its prefix alone: for each
// length in use there are sets whose keys end in an address cut to it, "10.22.0.5 . 10.22.0.0", and
// a base chain that looks them up. Each element belongs to one attachment, so nothing of a network
// is left when its last attachment goes, and a subnet inside of another means nothing to it.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "netfilter/nft/set.h"
#include "unicni/ip.h"

namespace unicni::net {

class NftBaseWriter;

/// The part of one length.
struct NftPrefixPart {
  /// masquerade: what leaves a container for outside its subnet gets the host's address.
  /// hairpin: so does what comes to its published ports from inside.
  /// hairpin_bit: and that has a bit of the mark as well (mark_bit.cc).
  using Use = NftSetKind;
  Use use = Use::masquerade;
  Family family = Family::v4;
  int prefix = 0;
  friend auto operator<=>(const NftPrefixPart&, const NftPrefixPart&) = default;
};

/// The set and the chain have one name: "masq4_16", "hairpin6_64", "bit4_24".
std::string nft_prefix_set(const NftPrefixPart& part);
/// nullopt: no such set.
std::optional<NftPrefixPart> find_nft_prefix_part(std::string_view set);

/// What the kernel says of the chain when nothing is wrong with it.
struct NftPrefixChain {
  const char* type;
  std::uint32_t hook;
  std::int32_t priority;
  std::uint32_t use;  ///< rules
};
NftPrefixChain nft_prefix_chain(const NftPrefixPart& part);
void write_nft_prefix_part(NftBaseWriter& base, const NftPrefixPart& part);

/// What the parts of one use have in common.
struct NftPrefixUse {
  NftSetKind kind;
  NftPrefixChain chain;
  /// Into the chain that has the set's name.
  void (*write_rules)(NftBaseWriter&, const NftSetRow& set);
};
extern const NftPrefixUse kNftMasquerade;  // masquerade.cc
extern const NftPrefixUse kNftHairpin;     // published_port.cc
extern const NftPrefixUse kNftHairpinBit;  // mark_bit.cc

}  // namespace unicni::net
