#include "netfilter/nft/base.h"

#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "net/attribute.h"
#include "netfilter/gate/forward_mark.h"
#include "netfilter/nft/base_writer.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/transaction.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::string_view kOurs = "unicni base ";
constexpr std::string_view kOtherMark = " mark ";

/// Counted up when rules, sets or fields change such that an older base can't do what a newer one
/// does.
unsigned version_of(NftTable table) { return table == NftTable::inet ? 2 : 1; }

/// In the table itself (NFTA_TABLE_USERDATA, since Linux 5.10), so that it comes and goes with the
/// table in one transaction and everybody sees it in `nft list`. The mark is part of it, as rules
/// hold it.
std::string base_comment(NftTable table, const Folders& folders) {
  std::string comment = fmt::format("{}{}", kOurs, version_of(table));
  if (table != NftTable::inet) return comment;
  const std::uint32_t mark = forward_mark(folders);
  if (mark != 1U << kDefaultForwardMarkBit) comment += fmt::format("{}{:#x}", kOtherMark, mark);
  return comment;
}

/// The version of a base of ours, whatever its mark; 0: it isn't ours.
unsigned version_of(const std::string& comment) {
  unsigned version = 0;
  if (!comment.starts_with(kOurs)) return version;
  std::from_chars(comment.data() + kOurs.size(), comment.data() + comment.size(), version);
  return version;
}

bool is_older(const NftTableState& state, NftTable table) {
  const unsigned version = version_of(state.comment);
  return version != 0 && version < version_of(table);
}

bool is_newer(const NftTableState& state, NftTable table) {
  return version_of(state.comment) > version_of(table);
}

/// A newer version knows of this one, this one nothing of a newer: its tables are left to it.
bool is_outdated(const NftTableState& state, NftTable table, const Folders& folders) {
  return version_of(state.comment) != 0 && !is_newer(state, table) &&
         state.comment != base_comment(table, folders);
}

/// Calls `each(part, its number, families)`.
template <class Each>
void for_each_part(NftTable table, const NftParts& parts, const Each& each) {
  const auto all = nft_parts();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto families = parts.families_of(i);
    if (families && all[i].table == table) each(all[i], i, *families);
  }
}

/// A chain as it is to be.
struct WantedChain {
  std::string name;
  const char* type;  ///< nullptr: a regular chain
  std::uint32_t hook;
  std::int32_t priority;
  bool open;
  std::uint32_t use;
};

/// With the use count that each chain has at least if all of its rules and jumps are there.
std::vector<WantedChain> chains_of(NftTable table, const NftParts& parts) {
  std::vector<WantedChain> chains;
  for_each_part(table, parts, [&](const NftPart& part, std::size_t, NftFamilies families) {
    for (const NftBaseChain& chain : part.chains) {
      const std::uint32_t use = chain.use.of(families);
      if (use == 0) continue;
      chains.push_back({chain.name, chain.type, chain.hook, chain.priority, chain.open, use});
    }
  });
  if (table != NftTable::inet) return chains;
  for (const NftPrefixPart& part : parts.prefixes) {
    const NftPrefixChain chain = nft_prefix_chain(part);
    chains.push_back(
        {nft_prefix_set(part), chain.type, chain.hook, chain.priority, false, chain.use});
  }
  return chains;
}

NftBaseWriter write_base(const NetlinkSocket& socket, NftTable table, const NftParts& parts,
                         NftBaseWriter::Mode mode, std::optional<std::uint32_t> generation) {
  const Folders& folders = socket.folders();
  NftBaseWriter base(table, mode, base_comment(table, folders).c_str(), folders, generation);
  for_each_part(table, parts, [&](const NftPart& part, std::size_t, NftFamilies families) {
    write_nft_part(base, part, families);
  });
  if (table != NftTable::inet) return base;
  for (const NftPrefixPart& part : parts.prefixes) write_nft_prefix_part(base, part);
  return base;
}

/// What there is of some parts.
struct FoundBase {
  std::optional<NftTableState> table;
  std::map<std::string, NftChainState> chains;
  NftParts parts;  ///< those asked for, with the families that they were made for besides
};

/// In one round trip. `parts` may be asked for in one family: the other may be there as well, and
/// has rules in the same chains. `guess`: nothing says that they are there, so only what is found
/// counts.
FoundBase find_base(NetlinkSocket& socket, NftTable table, const NftParts& parts,
                    bool guess = false) {
  NftParts all;
  all.prefixes = parts.prefixes;
  for_each_part(table, parts,
                [&](const NftPart&, std::size_t i, NftFamilies) { all.add(i, NftFamilies::both); });
  // By name, all in one send: a dump of the table would cost what all attachments have in it.
  std::vector<NftChainName> names;
  for (const WantedChain& wanted : chains_of(table, all)) {
    names.push_back({nft_family(table), kNftTable, wanted.name});
  }
  struct Marker {
    std::size_t part;
    NftFamilies family;
  };
  std::vector<Marker> markers;
  std::vector<std::string> sets;
  for_each_part(table, parts, [&](const NftPart& part, std::size_t i, NftFamilies families) {
    for (const Family family : {Family::v4, Family::v6}) {
      const char* set = nft_family_marker(part, family);
      if (set == nullptr || (!guess && has(families, family))) continue;
      markers.push_back({i, family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6});
      sets.emplace_back(set);
    }
  });
  NftFound found = find_table_and_chains(socket, nft_family(table), kNftTable, names, sets);
  FoundBase base{std::move(found.table), {}, guess ? NftParts{} : parts};
  base.parts.prefixes = parts.prefixes;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found.chains[i]) base.chains.emplace(names[i].chain, *found.chains[i]);
  }
  for (std::size_t i = 0; i < markers.size(); ++i) {
    if (found.sets[i]) base.parts.add(markers[i].part, markers[i].family);
  }
  return base;
}

/// Whatever of a table there is, in two.
/// Sets are listed only here, for repair and for GC. ADD asks by name for what it needs.
FoundBase find_whole_base(NetlinkSocket& socket, NftTable table) {
  NftParts all = nft_parts_of(table);
  for (const std::string& set : list_set_names(socket, nft_family(table), kNftTable)) {
    if (const auto prefix = find_nft_prefix_part(set)) all.prefixes.insert(*prefix);
  }
  return find_base(socket, table, all, true);
}

Error cannot_mend(NftTable table, int error) {
  return system_error(error, fmt::format("mend table {}", nft_table_name(table)))
      .advise(fmt::format("look at `nft list table {}`: its sets or chains are not those of this "
                          "version of unicni",
                          nft_table_name(table)));
}

/// The kernel takes no new base chain in the transaction that wakes the table.
void wake(NetlinkSocket& socket, NftTable table) {
  NftBatch batch;
  nl_msg* message = batch.add(NFT_MSG_NEWTABLE, 0, nft_family(table));
  put_text(message, NFTA_TABLE_NAME, kNftTable);
  put_u32(message, NFTA_TABLE_FLAGS, 0);
  const auto failures = batch.commit(socket);
  if (!failures.empty()) throw cannot_mend(table, failures.front().error);
}

}  // namespace

std::uint8_t nft_family(NftTable table) {
  return table == NftTable::bridge ? NFPROTO_BRIDGE : NFPROTO_INET;
}

const char* nft_table_name(NftTable table) {
  return table == NftTable::bridge ? "bridge unicni" : "inet unicni";
}

namespace {

/// Whether the kernel will take it: a journal may be damaged, or of a version with other sets, and
/// one element must not keep all others out.
bool fits_its_set(const NftElement& element) {
  const auto set = find_nft_set(element);
  if (!set || element.key.size() != set->key_size()) return false;
  if (set->leads_to_chains() && !is_nft_name(element.data)) return false;
  return element.owner == nft_owner(element.owner);
}

/// Everything of a new table.
NftBaseWriter write_all(const NetlinkSocket& socket, NftTable table, NftParts parts,
                        const std::vector<NftElement>& elements, NftBaseWriter::Mode mode,
                        std::optional<std::uint32_t> generation = std::nullopt) {
  std::vector<const NftElement*> wanted;
  for (const NftElement& element : elements) {
    if (element.table == table && fits_its_set(element)) wanted.push_back(&element);
  }
  // A key that two journals name is the one's that comes first, and waits for it if it is of the
  // same container; else the other's CHECK will tell.
  const auto place = [](const NftElement* element) { return std::tie(element->set, element->key); };
  std::ranges::stable_sort(wanted, {}, place);
  for (const NftPart& part : nft_parts()) {
    if (part.table == table && part.say.drop_waiting != nullptr) part.say.drop_waiting(wanted);
  }
  const auto same = [&](const auto* one, const auto* other) { return place(one) == place(other); };
  wanted.erase(std::unique(wanted.begin(), wanted.end(), same), wanted.end());
  for (const NftElement* element : wanted) parts |= nft_parts_of(*element);
  NftBaseWriter base = write_base(socket, table, parts, mode, generation);
  // An element that goes to a chain which isn't there is refused with all others
  // (nft_verdict_init). Empty ones will do: they end without a verdict, and write_conditions()
  // fills them.
  std::set<std::string> conditions;
  for (const NftElement* element : wanted) {
    if (is_nft_condition(*element)) conditions.insert(element->data);
  }
  for (const std::string& chain : conditions) base.chain(chain.c_str());
  for (const NftElement* element : wanted) {
    put_new_element(base.batch().add(NFT_MSG_NEWSETELEM, NLM_F_CREATE, nft_family(table)),
                    *element);
  }
  return base;
}

}  // namespace

bool is_nft_base_outdated(NetlinkSocket& socket, NftTable table) {
  const FoundBase found = find_base(socket, table, {});
  return found.table && is_outdated(*found.table, table, socket.folders());
}

bool is_former_nft_base(NetlinkSocket& socket) {
  const FoundBase found = find_base(socket, NftTable::inet, {});
  return found.table && is_older(*found.table, NftTable::inet);
}

/// Table deleted and made again with all elements in one transaction: no packet meets a host
/// without rules in between.
bool replace_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts,
                      const std::vector<NftElement>& elements, std::uint32_t generation) {
  NftBaseWriter base =
      write_all(socket, table, parts, elements, NftBaseWriter::Mode::replace, generation);
  const auto failures = base.batch().commit(socket);
  if (failures.empty()) return true;
  if (is_nft_race(failures.front().error)) return false;
  throw system_error(failures.front().error, fmt::format("replace table {}", nft_table_name(table)))
      .advise(failures.front().text);
}

/// Two processes may come at the same time; the kernel lets one of them make the table, and the
/// other finds it.
bool create_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts,
                     const std::vector<NftElement>& elements) {
  NftBaseWriter base = write_all(socket, table, parts, elements, NftBaseWriter::Mode::create);
  const auto failures = base.batch().commit(socket);
  if (failures.empty()) return true;
  // Message 0 is the table. Whoever made it made all of it in one transaction as well.
  const bool exists = std::ranges::any_of(failures, [](const NftBatch::Failure& failure) {
    return failure.index == 0U && failure.error == EEXIST;
  });
  if (exists) return false;
  throw system_error(failures.front().error,
                     fmt::format("create the base of table {}", nft_table_name(table)))
      .advise(failures.front().text);
}

namespace {

/// What is wrong with a chain that is there.
enum class ChainFault : unsigned char { none, misplaced, lacks_rules };

/// NFTA_CHAIN_USE is how many rules a chain has and how many rules and elements lead to it: the
/// kernel counts both (nf_tables_newrule, nft_verdict_init), so that a missing rule shows without a
/// list.
ChainFault fault_of(const WantedChain& wanted, const NftChainState& found) {
  const bool hooked = wanted.type != nullptr;
  if (found.hooked != hooked ||
      (hooked && (found.hook != wanted.hook || found.priority != wanted.priority))) {
    return ChainFault::misplaced;
  }
  return !wanted.open && found.use < wanted.use ? ChainFault::lacks_rules : ChainFault::none;
}

}  // namespace

bool is_nft_foreign(NetlinkSocket& socket, NftTable table) {
  const FoundBase found = find_base(socket, table, {});
  return found.table && version_of(found.table->comment) == 0;
}

/// For GC and STATUS, which look at everything that was ever made. A table of a newer version is
/// none of our business.
bool is_nft_base_damaged(NetlinkSocket& socket, NftTable table) {
  const FoundBase found = find_whole_base(socket, table);
  if (!found.table || found.table->dormant) return true;
  if (is_outdated(*found.table, table, socket.folders())) return true;
  if (found.table->comment != base_comment(table, socket.folders())) return false;
  for (const WantedChain& wanted : chains_of(table, found.parts)) {
    const auto chain = found.chains.find(wanted.name);
    if (chain == found.chains.end()) continue;
    if (fault_of(wanted, chain->second) != ChainFault::none) return true;
  }
  return false;
}

namespace {

struct BaseFault {
  std::string text;
  /// The kernel counts uses while a transaction is put together: one that writes rules anew makes
  /// them look missing for a moment.
  bool may_pass = false;
};

std::optional<BaseFault> look_for_fault(NetlinkSocket& socket, NftTable table,
                                        const NftParts& parts) {
  const FoundBase found = find_base(socket, table, parts);
  const char* name = nft_table_name(table);
  if (!found.table) return BaseFault{fmt::format("table {} is missing", name)};
  if (found.table->dormant) return BaseFault{fmt::format("table {} is dormant", name)};
  if (is_older(*found.table, table)) {
    return BaseFault{fmt::format("table {} is of an older version of unicni", name)};
  }
  if (is_outdated(*found.table, table, socket.folders())) {
    return BaseFault{fmt::format("table {} has another mark than {} says", name,
                                 forward_mark_file(socket.folders()))};
  }
  if (found.table->comment != base_comment(table, socket.folders())) return std::nullopt;
  for (const WantedChain& wanted : chains_of(table, found.parts)) {
    const auto chain = found.chains.find(wanted.name);
    if (chain == found.chains.end()) {
      return BaseFault{fmt::format("chain {} of table {} is missing", wanted.name, name)};
    }
    switch (fault_of(wanted, chain->second)) {
      case ChainFault::none:
        break;
      case ChainFault::misplaced:
        return BaseFault{
            fmt::format("chain {} of table {} is not hooked where it belongs", wanted.name, name)};
      case ChainFault::lacks_rules:
        return BaseFault{fmt::format("chain {} of table {} lacks rules", wanted.name, name), true};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_nft_base_fault(NetlinkSocket& socket, NftTable table,
                                               const NftParts& parts) {
  constexpr int kLooks = 6;
  for (int looks = 1;; ++looks) {
    auto fault = look_for_fault(socket, table, parts);
    if (!fault) return std::nullopt;
    if (!fault->may_pass || looks == kLooks) return std::move(fault->text);
    wait_before_nft_retry(looks + 4);
  }
}

void mend_nft_base(NetlinkSocket& socket, NftTable table, const NftParts& parts) {
  constexpr int kTries = 20;
  for (int tries = 0; tries < kTries; ++tries) {
    wait_before_nft_retry(tries);
    // What else was made is written anew as well: parts share chains. Guarded, as another process
    // may add a part meanwhile.
    const std::uint32_t generation = nft_generation(socket);
    const FoundBase found = find_whole_base(socket, table);
    if (!found.table) return;
    if (found.table->comment != base_comment(table, socket.folders())) {
      const char* name = nft_table_name(table);
      throw Error(Code::internal, fmt::format("table {} is there but not its sets", name),
                  fmt::format("look at `nft list table {}` and delete the table: it was not made "
                              "by this version of unicni",
                              name));
    }
    if (found.table->dormant) {
      wake(socket, table);
      continue;
    }
    // What the table has and what is wanted: a rule that another part's chain needs may be gone
    // too.
    NftParts all = parts;
    all |= found.parts;
    NftBaseWriter base = write_base(socket, table, all, NftBaseWriter::Mode::mend, generation);
    const auto failures = base.batch().commit(socket);
    if (failures.empty()) return;
    for (const NftBatch::Failure& failure : failures) {
      if (!is_nft_race(failure.error)) throw cannot_mend(table, failure.error);
    }
  }
}

}  // namespace unicni::net
