// nftables: one static base, per attachment only elements of its sets. nft(8);
// core/ARCHITECTURE.md, "Netfilter".
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::net {

class NetlinkSocket;

/// Our tables. They are independent of each other: a host whose attachments don't use
/// one never gets it.
enum class NftTable : std::uint8_t {
  inet,    ///< `inet unicni`: IP packets
  bridge,  ///< `bridge unicni`: frames between the ports of a bridge
};

/// One element of a set of our tables. Its comment is its owner ("network/container/ifname", or the
/// network's name for elements that a network shares).
struct NftElement {
  std::string set;  ///< "masq4_16", "net_if", "port_mac" …
  std::string
      key;  ///< bytes as the kernel wants them: fields in network order, each padded to 4 bytes
  std::string key_end;  ///< of sets of former versions: the last key of a range; else empty
  std::string owner;    ///< at most 128 bytes of printable ASCII without quotes, see nft_owner()
  NftTable table = NftTable::inet;
  /// Of a map: bytes, laid out as keys are, or the chain that a verdict map goes to. Else empty.
  std::string data = {};
  friend bool operator==(const NftElement&, const NftElement&) = default;
};

/// A chain of one attachment's own that decides by nft(8)'s words which new connections its
/// published ports of one family take (published_port.h). Elements of verdict maps lead to it.
struct NftCondition {
  Family family = Family::v4;
  std::string chain;  ///< of the attachment and family alone
  std::string text;   ///< "ip saddr 192.0.2.0/24"
  std::string owner;
  friend bool operator==(const NftCondition&, const NftCondition&) = default;
};

/// What a ruleset is made of again after somebody flushed it.
struct NftMemory {
  std::vector<NftElement> elements;
  std::vector<NftCondition> conditions;
};

/// What the living attachments of an owner's container have besides the owner, each in a list of
/// its own.
using NftSiblings = std::function<std::vector<std::vector<NftElement>>(const std::string& owner)>;

/// A set or map of our tables.
struct NftSet {
  std::string name;
  NftTable table;
};

/// `owner` shortened to what a comment can hold: 128 bytes; longer ones keep their end and get a
/// hash in front.
std::string nft_owner(const std::string& owner);

/// What comes from the container's `address` gets the host's address, but for what goes to the
/// subnet of it that the prefix tells, and to multicast. Sets "masq4_<prefix>", "masq6_<prefix>".
NftElement masquerade_element(const IpNet& address, const std::string& owner);

/// An attachment whose traffic may be forwarded also where another table's FORWARD chain drops:
/// what comes from `address` through `interface`, and the answers. `interface` is the host's side:
/// the bridge, or the host end of a ptp. Throws Error (Code::invalid_config) for a bad name, as do
/// the next ones.
NftElement forward_element(const std::string& interface, const IpAddress& address,
                           const std::string& owner);
/// Neighbour discovery passes between such interfaces; of the network: it goes
/// when no forward_element() is about that interface any more.
NftElement forward_interface_element(const std::string& interface, const std::string& network);
/// "ingressPolicy" of firewall for what would reach `address` through `bridge`.
enum class IngressPolicy : std::uint8_t {
  same_bridge,  ///< nothing from other bridges that have a policy
  isolated,     ///< nor from the same bridge, if it is routed (or bridge-nf-call-iptables is on)
};
std::vector<NftElement> ingress_elements(IngressPolicy policy, const std::string& bridge,
                                         const IpAddress& address, const std::string& owner);
/// `bridge` has attachments with a policy; of the network, until no ingress element is about it.
NftElement policy_interface_element(const std::string& bridge, const std::string& network);

/// Table bridge: of the frames that come in through `port`, a bridge's port on the host (the veth's
/// host end), only those from `mac` pass; the sender of an ARP message counts as well. A port that
/// is checked has one MAC or more: call it again for a further one. Nothing else is affected: other
/// ports, frames towards the port, and IP addresses.
/// Two elements, which belong together: "is checked" and "this one may". Throws Error
/// (Code::invalid_config) if `port` is no interface name.
std::vector<NftElement> spoof_check_elements(const std::string& port, const Mac& mac,
                                             const std::string& owner);

/// The ruleset of the namespace it was opened in. The socket opens on first use. After a deletion
/// the destructor waits for the kernel's grace period (8 to 15 ms), which a link deletion before it
/// hides: destroy it last. That holds for every deletion made through its socket, see
/// reference_rules.h.
class Nft {
 public:
  Nft();
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
  /// Chains of conditions that nothing else leads to, and claims of ports at single addresses that
  /// nobody has any more, go along. A port of the host that a sibling of its owner wants as well is
  /// the sibling's from then on, in the same transaction. Returns how many messages that took;
  /// a missing table is success.
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
  /// The sets and maps that there are.
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

  /// For core: `remembered` is what all attachments of this host have. Whoever has to make a table
  /// puts its elements in, in the same transaction: a ruleset that was flushed comes back whole.
  /// Conditions follow in a second one, as their text takes nft's own parser; until then their
  /// ports are closed.
  void remember(std::function<NftMemory()> remembered);
  /// For core: who inherits a port, see remove().
  void inherit(NftSiblings siblings);
  /// Makes what is missing of tables that remembered elements need, and mends what was damaged, as
  /// add() does; nothing if nothing is. True: something was. A table that isn't there may be one
  /// that nobody needs, so this may read all journals.
  bool restore();
  /// The same of the tables that `own` elements must be in: reads journals only if one is damaged.
  bool restore(const std::vector<NftElement>& own);

  /// STATUS: what stands where a table of ours belongs, as a sentence; nullopt: nothing, or ours.
  std::optional<std::string> find_stranger();

  /// For core: what else is to be done on the same socket and in the same namespace.
  NetlinkSocket& socket();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unicni::net
