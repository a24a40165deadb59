#include "unicni/netfilter/nft.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <iterator>
#include <map>
#include <span>

#include "net/netlink_socket.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/condition.h"
#include "netfilter/nft/describe.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/former.h"
#include "netfilter/nft/idle.h"
#include "netfilter/nft/part.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/set.h"
#include "netfilter/nft/transaction.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr int kTries = 20;  // each loses only to a foreign transaction that went through
constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";
constexpr int kMends = 3;  // of which two may have met somebody who was at it as well

std::string where(const NftElement& element) {
  return fmt::format("{} in set {} of table {}", describe_key(element), element.set,
                     nft_table_name(element.table));
}

std::string quoted_owner(const std::string& owner) {
  return owner.empty() ? "somebody who left no comment" : '"' + owner + '"';
}

Error taken(const NftElement& wanted, const std::string& owner) {
  return {
      Code::internal, fmt::format("{} belongs to {}", where(wanted), quoted_owner(owner)),
      fmt::format("{} wants it; end the other attachment with DEL, or run GC if it is gone already",
                  wanted.owner)};
}

/// Each once, in the order of table, set and key. The kernel takes a key once a transaction: the
/// second addition would look taken, and the second deletion finds nothing.
std::vector<NftElement> distinct(std::vector<NftElement> elements) {
  std::ranges::sort(elements, {}, content_of);
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

/// What elements need of the base.
struct Need {
  NftTable table;
  NftParts parts;
};

std::vector<Need> needs_of(const std::vector<NftElement>& own,
                           const std::vector<NftElement>& shared) {
  std::vector<Need> needs;
  for (const auto* elements : {&own, &shared}) {
    for (const NftElement& element : *elements) {
      const NftParts parts = nft_parts_of(element);
      const auto known = std::ranges::find(needs, element.table, &Need::table);
      if (known == needs.end()) {
        needs.push_back({element.table, parts});
      } else {
        known->parts |= parts;
      }
    }
  }
  return needs;
}

}  // namespace

struct Nft::Impl {
  const Services* services = nullptr;
  std::optional<NetlinkSocket> opened;
  NftRecords* records = nullptr;  ///< nullptr: nothing is remembered

  NetlinkSocket& socket() {
    if (!opened) opened.emplace(NETLINK_NETFILTER, services);
    return *opened;
  }

  [[nodiscard]] NftMemory memory() const {
    return records != nullptr ? records->remembered() : NftMemory();
  }

  std::optional<NftElement> read(const NftElement& element) {
    return read_element(socket(), element.table, element.set, element.key);
  }

  /// Refuses one whose key leads elsewhere already.
  void require_free(const NftElement& shared) {
    if (shared.data.empty()) return;
    const auto found = read(shared);
    if (found && found->data != shared.data) throw taken(shared, found->owner);
  }

  struct Addition {
    std::vector<NftElement> own;  ///< what is still to add
    std::vector<NftElement> shared;
    std::vector<Need> needs;  ///< of `own` and `shared`
    int mends = 0;            ///< how often a base had to be mended
    bool base_found = false;  ///< a set was missing though the table was there
  };
  /// Makes or mends what remembered elements need of the tables that `find_damaged` says. True:
  /// what an ADD had put in was gone.
  bool restore(const std::function<std::vector<NftTable>()>& find_damaged);
  /// False: the table isn't outdated, or not any more.
  bool replace_outdated(const Need& need);
  /// One try. False: something changed on the way, try again.
  bool try_add(Addition& addition);
  void make_base(Addition& addition, const Need& need);
  /// False: it wasn't, and was mended or has gone; look again.
  bool is_in_force(Addition& addition, const Need& need);
  /// The same of the chains that elements lead to, whose rules the base's uses don't count.
  bool lead_on(Addition& addition, const std::vector<NftElement>& elements);
  void mend(Addition& addition, const Need& need, const std::string& fault);

  /// Those that are there and their owner's.
  std::vector<NftElement> present(const std::vector<NftElement>& wanted);
};

std::vector<NftElement> Nft::Impl::present(const std::vector<NftElement>& wanted) {
  std::vector<NftElement> found;
  for (const NftElement& element : wanted) {
    if (read(element) == element) found.push_back(element);
  }
  return found;
}

/// The rest of a table that was made or mended.
void write_conditions_of(NftTable table, const NftMemory& memory) {
  if (table == NftTable::inet) write_conditions(memory.conditions);
}

bool Nft::Impl::replace_outdated(const Need& need) {
  for (int tries = 0; is_nft_base_outdated(socket(), need.table); ++tries) {
    if (tries == kTries) {
      throw Error(Code::try_again, fmt::format("replace table {}: the ruleset changes all the time",
                                               nft_table_name(need.table)));
    }
    wait_before_nft_retry(tries);
    // Who changes the ruleset before that is seen announced it in a journal that is read now.
    const std::uint32_t generation = nft_generation(socket());
    const NftMemory known = memory();
    if (!replace_nft_base(socket(), need.table, need.parts, known.elements, generation)) continue;
    write_conditions_of(need.table, known);
    return true;
  }
  return false;
}

/// Sets, chains and rules of all families that are there are written anew in one transaction, the
/// elements stay: packets meet the old rules or the new ones.
void Nft::Impl::mend(Addition& addition, const Need& need, const std::string& fault) {
  if (++addition.mends > kMends) {
    throw Error(
        Code::internal, fault,
        fmt::format("another program undoes each of {} repairs: look at `nft list table {}`",
                    kMends, nft_table_name(need.table)));
  }
  if (replace_outdated(need)) return;
  mend_nft_base(socket(), need.table, need.parts);
  NftParts conditions = nft_condition_parts(Family::v4);
  conditions |= nft_condition_parts(Family::v6);
  if (need.parts.has_any(conditions)) write_conditions_of(need.table, memory());
}

/// Rules and the elements that are remembered come in one transaction, so there is no moment in
/// which packets meet rules without them: a checked port would be open, and nobody masqueraded.
void Nft::Impl::make_base(Addition& addition, const Need& need) {
  const NftMemory known = memory();
  if (create_nft_base(socket(), need.table, need.parts, known.elements)) {
    write_conditions_of(need.table, known);
    return;
  }
  // There already: another process was faster. But once is enough for that.
  if (addition.base_found) {
    mend(addition, need, fmt::format("table {} lacks sets", nft_table_name(need.table)));
  }
  addition.base_found = true;
}

/// A flush (`nft flush ruleset`, a firewall's restart) leaves sets or takes the whole table; who
/// adds elements to a set doesn't learn of it.
bool Nft::Impl::is_in_force(Addition& addition, const Need& need) {
  const auto fault = find_nft_base_fault(socket(), need.table, need.parts);
  if (fault) mend(addition, need, *fault);
  return !fault;
}

bool Nft::Impl::lead_on(Addition& addition, const std::vector<NftElement>& elements) {
  for (const NftElement& element : elements) {
    const auto fault = is_nft_goto(element) ? find_goto_fault(socket(), element) : std::nullopt;
    if (!fault) continue;
    mend(addition, *std::ranges::find(addition.needs, element.table, &Need::table), *fault);
    return false;
  }
  return true;
}

/// Elements first, and questions only if they are refused: where the base is there, which is nearly
/// always, they are one transaction. A transaction happens as a whole or not at all
/// (nfnetlink_rcv_batch undoes it), and the errors of its messages say what is missing: ENOENT a
/// set or the table, EEXIST that a key is taken.
bool Nft::Impl::try_add(Addition& addition) {
  std::vector<NftElement>& own = addition.own;
  NftBatch batch;  // messages: `own`, shared elements
  const auto put = [&](std::uint16_t flags, const NftElement& element) {
    put_new_element(batch.add(NFT_MSG_NEWSETELEM, flags, nft_family(element.table)), element);
  };
  // Without NLM_F_EXCL the kernel takes a second element with the key of the first for the first
  // one (nft_add_set_elem), whoever's it is: the comment isn't compared.
  for (const NftElement& element : own) put(NLM_F_CREATE | NLM_F_EXCL, element);
  for (const NftElement& element : addition.shared) {
    require_free(element);
    // Also if it is there: whoever removes the last one that needs it may be at it.
    put(NLM_F_CREATE, element);
  }
  const auto table_of = [&](std::size_t message) {
    return message < own.size() ? own[message].table : addition.shared[message - own.size()].table;
  };
  const auto failures = batch.commit(socket());
  if (failures.empty()) return true;

  std::vector<NftTable> without_base;
  std::vector<std::size_t> present;
  for (const NftBatch::Failure& failure : failures) {
    // The kernel goes on to the next message after a failure, so that all that is missing is known
    // at once.
    const bool is_own = failure.index && *failure.index < own.size();
    // Somebody else has put it there since require_free().
    const bool is_shared_and_there =
        failure.index && !is_own && (failure.error == EEXIST || failure.error == EBUSY);
    if (failure.error == ENOENT && failure.index) {
      without_base.push_back(table_of(*failure.index));
    } else if (failure.error == EEXIST && is_own) {
      present.push_back(*failure.index);
    } else if (!is_shared_and_there && !is_nft_race(failure.error)) {
      const std::string what =
          is_own ? where(own[*failure.index]) : "elements to our nftables sets";
      throw system_error(failure.error, fmt::format("add {}", what)).advise(failure.text);
    }
  }
  if (!without_base.empty()) {
    for (const Need& need : addition.needs) {
      if (std::ranges::find(without_base, need.table) != without_base.end()) {
        make_base(addition, need);
      }
    }
    return false;
  }
  for (const std::size_t index : present) {
    const auto holder = read(own[index]);
    if (holder && (holder->owner != own[index].owner || holder->data != own[index].data)) {
      throw taken(own[index], holder->owner);
    }
    if (!holder) return false;  // it went meanwhile
  }
  // What is there with our owner and data is done; from behind, so that indices stay.
  std::ranges::sort(present, std::greater<>());
  for (const std::size_t index : present) {
    own.erase(own.begin() + static_cast<std::ptrdiff_t>(index));
  }
  return false;
}

Nft::Nft(NftRecords* records) : impl_(std::make_unique<Impl>()) { impl_->records = records; }
Nft::Nft(NftRecords* records, const Services& services) : Nft(records) {
  impl_->services = &services;
}
Nft::~Nft() = default;

NetlinkSocket& Nft::socket() { return impl_->socket(); }

void Nft::add(const std::vector<NftElement>& own, const std::vector<NftElement>& shared) {
  const std::vector<NftElement> wanted = distinct(own);
  Impl::Addition addition{wanted, distinct(shared), needs_of(wanted, shared)};
  for (int tries = 0; tries < kTries; ++tries) {
    wait_before_nft_retry(tries);
    if (!impl_->try_add(addition)) continue;
    // Behind the elements: whoever flushed the rules before is seen. Who does it from here on, GC,
    // STATUS or the next ADD mends.
    const bool effective = std::ranges::all_of(
        addition.needs, [&](const Need& need) { return impl_->is_in_force(addition, need); });
    if (effective && impl_->lead_on(addition, wanted)) return;
    addition.own = wanted;  // if the table was deleted or replaced, they went with it
  }
  throw Error(
      Code::try_again, "add elements to our nftables sets: the ruleset changes all the time",
      fmt::format("try again: each of {} attempts was overtaken by another program's change",
                  kTries));
}

/// Looked at again when the records are read: the first ADD of a host announces its elements, makes
/// the table and ends in between. Whose ADD had ended then has its elements in a table that is
/// whole, unless somebody damaged it.
bool Nft::Impl::restore(const std::function<std::vector<NftTable>()>& find_damaged) {
  if (records == nullptr || find_damaged().empty()) return false;
  const NftMemory known = memory();
  const std::vector<NftTable> damaged = find_damaged();
  const auto sure = std::span(known.elements).first(known.elements.size() - known.announced);
  bool restored = false;
  for (const Need& need : needs_of(known.elements, {})) {
    if (std::ranges::find(damaged, need.table) == damaged.end()) continue;
    restored = restored || std::ranges::find(sure, need.table, &NftElement::table) != sure.end();
    if (replace_outdated(need)) continue;
    if (!create_nft_base(socket(), need.table, need.parts, known.elements)) {
      mend_nft_base(socket(), need.table, need.parts);
    }
    write_conditions_of(need.table, known);
  }
  return restored;
}

/// Elements of a table that is gone are known from the journals alone.
bool Nft::restore() {
  return impl_->restore([&] {
    std::vector<NftTable> damaged;
    for (const NftTable table : {NftTable::inet, NftTable::bridge}) {
      if (is_nft_base_damaged(impl_->socket(), table)) damaged.push_back(table);
    }
    return damaged;
  });
}

bool Nft::restore(const std::vector<NftElement>& own) {
  return impl_->restore([&] {
    std::vector<NftTable> damaged;
    for (const Need& need : needs_of(own, {})) {
      if (find_nft_base_fault(impl_->socket(), need.table, need.parts)) {
        damaged.push_back(need.table);
      }
    }
    return damaged;
  });
}

std::optional<std::string> Nft::find_foreign_table() {
  for (const NftTable table : {NftTable::inet, NftTable::bridge}) {
    if (is_nft_foreign(impl_->socket(), table)) {
      return fmt::format("nftables has a table {} that unicni did not make", nft_table_name(table));
    }
  }
  return std::nullopt;
}

std::size_t Nft::remove(const std::vector<NftElement>& elements) {
  if (elements.empty()) return 0;
  std::vector<NftElement> heirs;
  const auto remove_for = [&](NftRecords* records) {
    return commit_as_read(
        impl_->socket(), "delete elements of our nftables sets", [&](NftBatch& batch) {
          // How many elements that go lead to each chain: what else does keeps it.
          std::map<std::string, std::size_t> conditions;
          auto wanted = elements;
          for (const NftPart& part : nft_parts()) {
            if (part.say.find_idle == nullptr) continue;
            std::ranges::move(part.say.find_idle(*this, elements), std::back_inserter(wanted));
          }
          const auto leaving = impl_->present(distinct(std::move(wanted)));
          for (const NftElement& element : leaving) {
            put_old_element(batch.add(NFT_MSG_DELSETELEM, 0, nft_family(element.table)), element);
            if (is_nft_condition(element)) ++conditions[element.data];
          }
          // The order matters, as the kernel prepares one message behind the other: the key of an
          // heir may be that of who leaves, and a chain is free when the elements that lead to it
          // are taken away (nft_setelem_data_deactivate).
          put_idle_removals(impl_->socket(), batch, leaving);
          heirs.clear();
          for (const NftPart& part : nft_parts()) {
            if (part.say.find_heirs == nullptr || records == nullptr) continue;
            std::ranges::move(part.say.find_heirs(*this, leaving, *records),
                              std::back_inserter(heirs));
          }
          for (const NftElement& heir : heirs) {
            put_new_element(batch.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE, nft_family(heir.table)),
                            heir);
          }
          for (const auto& [chain, leading_there] : conditions) {
            if (is_condition_idle(impl_->socket(), chain, leading_there)) {
              put_condition_removal(batch, chain);
            }
          }
        });
  };
  try {
    return remove_for(impl_->records);
  } catch (const Error&) {
    // What a sibling would get may lack its chain or set: no reason to stay.
    if (heirs.empty()) throw;
  }
  return remove_for(nullptr);
}

void Nft::exchange(const std::function<Exchange()>& decide) {
  commit_as_read(impl_->socket(), "exchange elements of our nftables sets", [&](NftBatch& batch) {
    const Exchange what = decide();
    for (const NftElement& element : impl_->present(distinct(what.out))) {
      put_old_element(batch.add(NFT_MSG_DELSETELEM, 0, nft_family(element.table)), element);
    }
    for (const NftElement& element : distinct(what.in)) {
      put_new_element(batch.add(NFT_MSG_NEWSETELEM, NLM_F_CREATE, nft_family(element.table)),
                      element);
    }
  });
}

void Nft::add_condition(const NftCondition& condition) {
  const Need need{NftTable::inet, nft_condition_parts(condition.family)};
  Impl::Addition addition{{}, {}, {need}};
  for (int tries = 0; tries <= kMends; ++tries) {
    if (!find_nft_base_fault(impl_->socket(), need.table, need.parts)) break;
    impl_->make_base(addition, need);
  }
  write_conditions({condition});
}

void Nft::remove_condition(const NftCondition& condition) {
  commit_as_read(impl_->socket(), fmt::format("delete chain {}", condition.chain),
                 [&](NftBatch& batch) {
                   if (is_condition_idle(impl_->socket(), condition.chain, 0)) {
                     put_condition_removal(batch, condition.chain);
                   }
                 });
}

std::vector<NftSet> Nft::sets() {
  std::vector<NftSet> sets;
  for (const NftTable table : {NftTable::inet, NftTable::bridge}) {
    for (std::string& name : list_set_names(impl_->socket(), nft_family(table), kNftTable)) {
      const auto row = find_nft_set(table, name);
      const bool of_networks = row && row->owner == NftSetOwner::network;
      if (!of_networks) sets.push_back({std::move(name), table});
    }
  }
  return sets;
}

std::optional<NftElement> Nft::find(const std::string& set, const std::string& key,
                                    NftTable table) {
  return read_element(impl_->socket(), table, set, key);
}

std::vector<NftElement> Nft::list(const std::string& set, NftTable table) {
  return read_elements(impl_->socket(), table, set);
}

void Nft::require_effective(const std::vector<NftElement>& own,
                            const std::vector<NftElement>& shared) {
  const auto missing = [](const NftElement& element) {
    return Error(Code::internal, where(element) + " is missing", kAddAgain);
  };
  // Asked only where something isn't as this version has it.
  const auto is_former = [this] { return is_former_nft_base(impl_->socket()); };
  for (const NftElement& now : own) {
    NftElement element = now;
    auto found = impl_->read(element);
    if (!found && is_former()) {
      auto former = in_former_base(now);
      if (!former) continue;
      element = *std::move(former);
      found = impl_->read(element);
    }
    if (!found) throw missing(element);
    if (found->owner != element.owner) {
      throw Error(Code::internal,
                  fmt::format("{} belongs to {}", where(element), quoted_owner(found->owner)),
                  kAddAgain);
    }
    if (found->data != element.data) {
      throw Error(Code::internal, fmt::format("{} leads elsewhere", where(element)), kAddAgain);
    }
    const auto fault =
        is_nft_goto(element) ? find_goto_fault(impl_->socket(), element) : std::nullopt;
    if (fault) throw Error(Code::internal, *fault, kAddAgain);
  }
  for (const NftElement& element : shared) {
    if (!impl_->read(element)) throw missing(element);
  }
  for (const Need& need : needs_of(own, shared)) {
    const auto fault = find_nft_base_fault(impl_->socket(), need.table, need.parts);
    if (fault && !(need.table == NftTable::inet && is_former())) {
      throw Error(Code::internal, *fault,
                  "the next ADD that uses this table on this host restores it");
    }
  }
}

}  // namespace unicni::net
