#include "net/nft_base.h"

#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "net/attribute.h"
#include "net/forward_mark.h"
#include "net/nft_base_writer.h"
#include "net/nft_element.h"
#include "net/nft_query.h"
#include "net/nft_transaction.h"
#include "net/port_handover.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::string_view kVersion = "unicni base 1";
constexpr std::string_view kOtherMark = " mark ";

std::string base_comment(NftTable table) {
  std::string comment(kVersion);
  if (table != NftTable::inet) return comment;
  const std::uint32_t mark = forward_mark();
  if (mark != 1U << kDefaultForwardMarkBit) comment += fmt::format("{}{:#x}", kOtherMark, mark);
  return comment;
}

/// Our own of this version, whatever its mark.
bool is_this_version(const std::string& comment) {
  return comment == kVersion ||
         comment.starts_with(std::string(kVersion) + std::string(kOtherMark));
}

/// Calls `each(part, its number, families)`.
template <class Each>
void for_each_part(NftTable table, NftPartBits parts, const Each& each) {
  const auto all = nft_parts();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto families = families_of(parts, i);
    if (families && all[i].table == table) each(all[i], i, *families);
  }
}

/// A chain as it is to be.
struct WantedChain {
  NftBaseChain chain;
  std::uint32_t use = 0;
};

std::vector<WantedChain> chains_of(NftTable table, NftPartBits parts) {
  std::vector<WantedChain> chains;
  for_each_part(table, parts, [&](const NftPart& part, std::size_t, NftFamilies families) {
    for (const NftBaseChain& chain : part.chains) {
      if (const std::uint32_t use = chain.use.of(families)) chains.push_back({chain, use});
    }
  });
  return chains;
}

NftBaseWriter write_base(NftTable table, NftPartBits parts, NftBaseWriter::Mode mode) {
  NftBaseWriter base(table, mode, base_comment(table).c_str());
  for_each_part(table, parts, [&](const NftPart& part, std::size_t, NftFamilies families) {
    part.write(base, families);
  });
  return base;
}

/// What there is of some parts, in one round trip.
struct FoundBase {
  std::optional<NftTableState> table;
  std::map<std::string, NftChainState> chains;
  NftPartBits parts = 0;  ///< those asked for, with the families that they were made for besides
};

/// `parts` may be asked for in one family: the other may be there as well, and has rules in the
/// same chains. `guess`: nothing says that they are there, so only what is found counts.
FoundBase find_base(NetlinkSocket& socket, NftTable table, NftPartBits parts, bool guess = false) {
  std::vector<NftChainName> names;
  NftPartBits all = 0;
  for_each_part(table, parts, [&](const NftPart&, std::size_t i, NftFamilies) {
    all |= nft_part_bits(i, NftFamilies::both);
  });
  for (const WantedChain& wanted : chains_of(table, all)) {
    names.push_back({nft_family(table), kNftTable, wanted.chain.name});
  }
  struct Marker {
    const char* set;
    NftPartBits bits;
  };
  std::vector<Marker> markers;
  std::vector<std::string> sets;
  for_each_part(table, parts, [&](const NftPart& part, std::size_t i, NftFamilies families) {
    for (const Family family : {Family::v4, Family::v6}) {
      const char* set = nft_family_marker(part, family);
      if (set == nullptr || (!guess && has(families, family))) continue;
      const auto only = family == Family::v4 ? NftFamilies::v4 : NftFamilies::v6;
      markers.push_back({set, nft_part_bits(i, only)});
      sets.emplace_back(set);
    }
  });
  NftFound found = find_table_and_chains(socket, nft_family(table), kNftTable, names, sets);
  FoundBase base{std::move(found.table), {}, guess ? 0 : parts};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (found.chains[i]) base.chains.emplace(names[i].chain, *found.chains[i]);
  }
  for (std::size_t i = 0; i < markers.size(); ++i) {
    if (found.sets[i]) base.parts |= markers[i].bits;
  }
  return base;
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
  nlmsghdr* message = batch.add(NFT_MSG_NEWTABLE, 0, nft_family(table));
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
  const auto size = key_size_of(element);
  if (!size || nft_parts_of(element) == 0 || element.key.size() != *size) return false;
  if (!element.key_end.empty() && element.key_end.size() != *size) return false;
  if (is_nft_goto(element) && !is_nft_name(element.data)) return false;
  return element.owner == nft_owner(element.owner);
}

/// Everything of a new table.
NftBaseWriter write_all(NftTable table, NftPartBits parts, const std::vector<NftElement>& elements,
                        NftBaseWriter::Mode mode) {
  std::vector<const NftElement*> wanted;
  for (const NftElement& element : elements) {
    if (element.table == table && fits_its_set(element)) wanted.push_back(&element);
  }
  // A key that two journals name is the one's that comes first, and waits for it if it is of the
  // same container; else the other's CHECK will tell.
  const auto place = [](const NftElement* element) { return std::tie(element->set, element->key); };
  std::ranges::stable_sort(wanted, {}, place);
  drop_waiting_ports(wanted);
  const auto same = [&](const auto* one, const auto* other) { return place(one) == place(other); };
  wanted.erase(std::unique(wanted.begin(), wanted.end(), same), wanted.end());
  for (const NftElement* element : wanted) parts |= nft_parts_of(*element);
  NftBaseWriter base = write_base(table, parts, mode);
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

bool has_other_forward_mark(NetlinkSocket& socket, NftTable table) {
  const FoundBase found = find_base(socket, table, 0);
  return found.table && is_this_version(found.table->comment) &&
         found.table->comment != base_comment(table);
}

void replace_nft_base(NetlinkSocket& socket, NftTable table, NftPartBits parts,
                      const std::vector<NftElement>& elements) {
  NftBaseWriter base = write_all(table, parts, elements, NftBaseWriter::Mode::replace);
  const auto failures = base.batch().commit(socket);
  if (failures.empty() || is_nft_race(failures.front().error)) return;
  throw system_error(failures.front().error, fmt::format("replace table {}", nft_table_name(table)))
      .advise(failures.front().text);
}

bool create_nft_base(NetlinkSocket& socket, NftTable table, NftPartBits parts,
                     const std::vector<NftElement>& elements) {
  NftBaseWriter base = write_all(table, parts, elements, NftBaseWriter::Mode::create);
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
const char* fault_of(const WantedChain& wanted, const NftChainState& found) {
  const NftBaseChain& chain = wanted.chain;
  const bool hooked = chain.type != nullptr;
  if (found.hooked != hooked ||
      (hooked && (found.hook != chain.hook || found.priority != chain.priority))) {
    return "is not hooked where it belongs";
  }
  return !chain.open && found.use < wanted.use ? "lacks rules" : nullptr;
}

}  // namespace

bool is_nft_stranger(NetlinkSocket& socket, NftTable table) {
  constexpr std::string_view kAnyVersion = "unicni base ";
  const FoundBase found = find_base(socket, table, 0);
  return found.table && !found.table->comment.starts_with(kAnyVersion);
}

bool is_nft_base_damaged(NetlinkSocket& socket, NftTable table) {
  const FoundBase found = find_base(socket, table, nft_parts_of(table), true);
  if (!found.table || found.table->dormant) return true;
  if (!is_this_version(found.table->comment)) return false;
  if (found.table->comment != base_comment(table)) return true;
  for (const WantedChain& wanted : chains_of(table, found.parts)) {
    const auto chain = found.chains.find(wanted.chain.name);
    if (chain != found.chains.end() && fault_of(wanted, chain->second) != nullptr) return true;
  }
  return false;
}

std::optional<std::string> find_nft_base_fault(NetlinkSocket& socket, NftTable table,
                                               NftPartBits parts) {
  const FoundBase found = find_base(socket, table, parts);
  const char* name = nft_table_name(table);
  if (!found.table) return fmt::format("table {} is missing", name);
  if (found.table->dormant) return fmt::format("table {} is dormant", name);
  if (!is_this_version(found.table->comment)) return std::nullopt;
  if (found.table->comment != base_comment(table)) {
    return fmt::format("table {} has another mark than {} says", name, kForwardMarkFile);
  }
  for (const WantedChain& wanted : chains_of(table, found.parts)) {
    const auto chain = found.chains.find(wanted.chain.name);
    if (chain == found.chains.end()) {
      return fmt::format("chain {} of table {} is missing", wanted.chain.name, name);
    }
    if (const char* fault = fault_of(wanted, chain->second)) {
      return fmt::format("chain {} of table {} {}", wanted.chain.name, name, fault);
    }
  }
  return std::nullopt;
}

void mend_nft_base(NetlinkSocket& socket, NftTable table, NftPartBits parts) {
  // What else was made is written anew as well: parts share chains.
  const FoundBase found = find_base(socket, table, nft_parts_of(table), true);
  if (!found.table) return;
  if (found.table->comment != base_comment(table)) {
    const char* name = nft_table_name(table);
    throw Error(Code::internal, fmt::format("table {} is there but not its sets", name),
                fmt::format("look at `nft list table {}`: it was not made by this version of "
                            "unicni, remove it",
                            name));
  }
  if (found.table->dormant) wake(socket, table);
  NftBaseWriter base = write_base(table, parts | found.parts, NftBaseWriter::Mode::mend);
  const auto failures = base.batch().commit(socket);
  for (const NftBatch::Failure& failure : failures) {
    if (!is_nft_race(failure.error)) throw cannot_mend(table, failure.error);
  }
}

}  // namespace unicni::net
