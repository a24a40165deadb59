// Sets of the containers of one subnet, "masq_10.22.0.0/16", each with the one rule that looks it
// up. They say of an address which subnet is its own; a rule of the base can't, as subnets of
// living networks may contain each other. Made when the first element comes, in the same
// transaction, and deleted with the last: nothing of a network outlives its attachments.
//
// One set with intervals ("address . subnet") would need no rules of its own, but each change of
// such a set copies all of it, and maps that lead to chains have all their elements checked by each
// transaction: both cost more with each attachment (core/DECISIONS.md).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unicni/net/nft.h"

namespace unicni::net {

class NftBaseWriter;
class NftBatch;

struct NftSubnetSet {
  enum class Use : std::uint8_t {
    masquerade,  ///< "masq_…": what they send out of the subnet is masqueraded
    hairpin,     ///< "hairpin_…": what comes to their published ports from inside is masqueraded
    mark,        ///< "mark_…": the same gets a bit of the packet's mark before
  };
  Use use;
  IpNet subnet;  ///< without host bits; neither a single address nor everything
  friend bool operator==(const NftSubnetSet&, const NftSubnetSet&) = default;
};

/// Whether `subnet` can have such sets.
bool has_subnet_sets(const IpNet& subnet);

/// nft(8) takes no ':' in a name: "masq_fd00--/64".
std::string name_of(const NftSubnetSet& set);
/// nullopt: `set` is the name of another set.
std::optional<NftSubnetSet> find_subnet_set(const std::string& set);
/// Those that elements are in, each once.
std::vector<NftSubnetSet> subnet_sets_of(const std::vector<NftElement>& elements);
/// A set of the base that needs the same part of it.
const char* base_set_of(const NftSubnetSet& set);

/// The set and its rule, in a chain that has such rules only.
void write_subnet_set(NftBaseWriter& base, const NftSubnetSet& set);

/// Those of `sets` whose rule is missing, or is another.
std::vector<NftSubnetSet> without_rule(NetlinkSocket& socket, std::vector<NftSubnetSet> sets);
/// Makes what is missing of `sets`, and takes other rules that look them up away. The generation of
/// the ruleset guards the batch.
void put_subnet_sets(NetlinkSocket& socket, NftBatch& batch, std::span<const NftSubnetSet> sets);
/// Deletes set and rule; the batch deletes its last element before, and is guarded likewise.
void put_subnet_set_removal(NetlinkSocket& socket, NftBatch& batch, const NftSubnetSet& set);

/// All that the kernel has.
std::vector<NftSubnetSet> list_subnet_sets(NetlinkSocket& socket);

}  // namespace unicni::net
