// nftables: one static base, per attachment only elements of its sets. nft(8);
// core/ARCHITECTURE.md, "Netfilter".
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unicni/netfilter/condition.h"
#include "unicni/netfilter/element.h"
// What its elements are made by, but for those of published ports.
#include "unicni/netfilter/forwarding.h"
#include "unicni/netfilter/ingress_policy.h"
#include "unicni/netfilter/masquerade.h"
#include "unicni/netfilter/spoof_check.h"

namespace unicni {
struct Services;
}

namespace unicni::net {

class NetlinkSocket;

/// What a ruleset is made of again after somebody flushed it.
struct NftMemory {
  std::vector<NftElement> elements;
  std::vector<NftCondition> conditions;
  /// So many of `elements`, the last ones, are of ADDs that are at work: they may not be in yet.
  std::size_t announced = 0;
};

/// What attachments have in the ruleset, as somebody remembers it who may have to read a lot for an
/// answer: so it is asked only where one is needed. Throws Error.
class NftRecords {
 public:
  /// What all attachments of this host have.
  virtual NftMemory remembered() = 0;
  /// What the living attachments of an owner's container have besides the owner, each in a list of
  /// its own.
  virtual std::vector<std::vector<NftElement>> siblings(const std::string& owner) = 0;

 protected:
  ~NftRecords() = default;
};

/// A set or map of our tables.
struct NftSet {
  std::string name;
  NftTable table;
};

/// The ruleset of the namespace it was opened in. The socket opens on first use. After a deletion
/// the destructor waits for the kernel's grace period (8 to 15 ms), which a link deletion before it
/// hides: destroy it last. That holds for every deletion made through its socket, see
/// reference_rules.h.
class Nft {
 public:
  /// Whoever has to make a table puts in, in the same transaction, what `records` remember for it:
  /// a ruleset that was flushed comes back whole. Conditions follow in a second one, as their text
  /// takes nft's own parser; until then their ports are closed. They outlive this; nullptr: nothing
  /// is remembered, and nobody takes the place of what goes.
  explicit Nft(NftRecords* records = nullptr);
  /// The same with what a program around core owns, which outlives this.
  Nft(NftRecords* records, const Services& services);
  ~Nft();
  Nft(const Nft&) = delete;
  Nft& operator=(const Nft&) = delete;

  /// Adds elements, of both tables if need be, in one transaction; makes the base of a table first
  /// if it is absent. An element whose key is taken by the same owner is success; by another: Error
  /// naming that owner, and nothing was added. `shared` elements may exist already, whoever owns
  /// them; a map's with other data is an Error as well.
  /// Then makes sure that the base is in force: one that was flushed (`nft flush table`), made
  /// dormant or robbed of a set or chain is mended in place, and all elements stay. Error if a
  /// table of that name is there which isn't ours, or is a base of another version that lacks a
  /// set.
  void add(const std::vector<NftElement>& own, const std::vector<NftElement>& shared);
  /// Removes those of `elements` that exist and whose comment is their owner (read and deleted
  /// under one generation of the ruleset, retried if it moved), of both tables in one transaction.
  /// What nobody needs without them goes along: chains of conditions that nothing else leads to,
  /// elements that attachments share. Where a sibling of the owner waits for the place of one, it
  /// has it from then on, in the same transaction. Returns how many messages that took; a missing
  /// table is success.
  std::size_t remove(const std::vector<NftElement>& elements);
  struct Exchange {
    std::vector<NftElement> out;  ///< go if they are there and their owner's
    std::vector<NftElement> in;
  };
  /// What `decide` says after reading what it needs, in one transaction under one generation of the
  /// ruleset; asked again if that moved. The base is there already: add() makes it.
  void exchange(const std::function<Exchange()>& decide);
  /// Makes the chain of a condition, or gives it this text; its elements are added after that.
  /// Throws Error with nft's words if the text is none: see require_condition().
  void add_condition(const NftCondition& condition);
  /// Removes its chain; no element leads to it any more. One that is gone is success.
  void remove_condition(const NftCondition& condition);
  /// The element with that key; nullopt if there is none.
  std::optional<NftElement> find(const std::string& set, const std::string& key,
                                 NftTable table = NftTable::inet);
  /// The sets and maps that there are and may hold elements of attachments: those of networks
  /// alone aren't among them.
  std::vector<NftSet> sets();
  /// Every element of a set with its owner; empty if the table is absent.
  std::vector<NftElement> list(const std::string& set, NftTable table = NftTable::inet);

  /// CHECK: the elements are there and work. Throws Error (Code::internal) with what is wrong and
  /// what to do, unless
  /// - each of `own` exists with its owner and data, each of `shared` with whatever owner,
  /// - and the base of their tables is in force: not dormant, its chains hooked where they belong
  ///   and none of their rules missing. A base of another version is judged by the first only.
  /// One round trip for each element and one for each table, 5 to 10 us each.
  void require_effective(const std::vector<NftElement>& own,
                         const std::vector<NftElement>& shared = {});

  /// Makes what is missing of tables that remembered elements need, and mends what was damaged, as
  /// add() does; nothing if nothing is. True: something was that an ADD had put in and ended. A
  /// table that isn't there may be one that nobody needs, so this may read all journals.
  bool restore();
  /// The same of the tables that `own` elements must be in: reads journals only if one is damaged.
  bool restore(const std::vector<NftElement>& own);

  /// STATUS: what stands where a table of ours belongs, as a sentence; nullopt: nothing, or ours.
  std::optional<std::string> find_foreign_table();

  /// For core: what else is to be done on the same socket and in the same namespace.
  NetlinkSocket& socket();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unicni::net
