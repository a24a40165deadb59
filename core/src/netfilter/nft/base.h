// The static rulesets that all networks share; attachments only add elements to their sets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/netlink_socket.h"
#include "netfilter/nft/part.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

inline constexpr const char* kNftTable = "unicni";  ///< of each of our families

std::uint8_t nft_family(NftTable table);     ///< NFPROTO_*
const char* nft_table_name(NftTable table);  ///< "inet unicni", for messages

/// Makes the table with these parts, sets, chains and rules, and what of `elements` belongs to it
/// and fits its set, with the parts and empty chains of conditions that they need, in one
/// transaction. False: the table is there already (another process may just have made it), and
/// nothing was done. Throws Error.
bool create_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts,
                     const std::vector<NftElement>& elements = {});
/// The same where a table is there: it goes, with all that is in it, in the same transaction.
/// False: the ruleset wasn't of that generation any more, and nothing was done.
bool replace_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts,
                      const std::vector<NftElement>& elements, std::uint32_t generation);
/// Our table, but of an older version or for another forward_mark().
bool is_nft_base_outdated(NetlinkSocket& socket, NftTable table);
/// Table inet of an older version (former.h).
bool is_former_nft_base(NetlinkSocket& socket);

/// Why a packet doesn't meet the rules of these parts of the base although its sets have their
/// elements: the table or a chain is absent, dormant, not hooked where it belongs, or a rule is
/// missing (the kernel counts what is in a chain and what leads to it), or it is outdated. nullopt:
/// all is well, or the base is of a newer version, whose chains this one doesn't know.
std::optional<std::string> find_nft_base_fault(NetlinkSocket& socket, NftTable table,
                                               const NftParts& parts);

/// A quick look without knowing which parts are in use: the table is missing or dormant, or a chain
/// that is there isn't what it was.
bool is_nft_base_damaged(NetlinkSocket& socket, NftTable table);

/// A table of that name is there, without our comment: a foreign one.
bool is_nft_foreign(NetlinkSocket& socket, NftTable table);

/// Makes these parts of the base whole, also those that the table never had: wakes the table, adds
/// the sets and chains that are missing and writes all of the parts' rules anew. Elements stay, and
/// packets never see a half of it. Error if the table isn't a base of this version: then nothing
/// was done. Nothing either if there is no table.
void mend_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts);

}  // namespace unicni::net
