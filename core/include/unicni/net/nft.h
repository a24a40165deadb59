// nftables: one static base, per attachment only elements of its sets. nft(8);
// core/ARCHITECTURE.md, "Netfilter".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"

namespace unicni::net {

/// One element of a set of table `inet unicni`. Its comment is its owner
/// ("network/container/ifname", or the network's name for elements that a network shares).
struct NftElement {
  std::string set;  ///< "masq4", "net4" …
  std::string
      key;  ///< bytes as the kernel wants them: fields in network order, each padded to 4 bytes
  std::string key_end;  ///< interval sets: the last key of the range; else empty
  std::string owner;    ///< at most 128 bytes of printable ASCII without quotes, see nft_owner()
  friend bool operator==(const NftElement&, const NftElement&) = default;
};

/// `owner` shortened to what a comment can hold: 128 bytes; longer ones keep their end and get a
/// hash in front.
std::string nft_owner(const std::string& owner);

NftElement masquerade_element(const IpAddress& source,
                              const std::string& owner);  ///< set masq4 or masq6
/// net4 or net6: traffic inside `subnet` is never masqueraded.
NftElement subnet_element(const IpNet& subnet, const std::string& network);

/// The ruleset of the namespace it was opened in. The socket opens on first use. After a deletion
/// the destructor waits for the kernel's grace period (8 to 15 ms), which a link deletion before it
/// hides: destroy it last.
class Nft {
 public:
  Nft();
  ~Nft();
  Nft(const Nft&) = delete;
  Nft& operator=(const Nft&) = delete;

  /// Adds elements in one transaction; makes the base first if the table is absent. An element
  /// whose key is taken by the same owner is success; by another: Error naming that owner, and
  /// nothing was added. `shared` elements may exist already, whoever owns them.
  void add(const std::vector<NftElement>& own, const std::vector<NftElement>& shared);
  /// Removes those of `elements` that exist and whose comment is their owner (read and deleted
  /// under one generation of the ruleset, retried if it moved). Returns how many went. A missing
  /// table is success.
  std::size_t remove(const std::vector<NftElement>& elements);
  /// The owner of the element with that key; nullopt if it doesn't exist.
  std::optional<std::string> find_owner(const std::string& set, const std::string& key);
  /// Every element of a set with its owner; empty if the table is absent.
  std::vector<NftElement> list(const std::string& set);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace unicni::net
