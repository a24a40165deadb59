// One nftables transaction: all of its messages happen, or none.
#pragma once

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "net/message_buffer.h"
#include "net/netlink_socket.h"

namespace unicni::net {

/// Header of a message about nftables objects: `type` is NFT_MSG_*, `family` NFPROTO_INET or
/// NFPROTO_BRIDGE.
void put_nft_header(nl_msg* message, std::uint16_t type, std::uint8_t family);

class NftBatch {
 public:
  /// With `generation`: refused with ERESTART unless the ruleset is still that generation
  /// (NFNL_BATCH_GENID).
  explicit NftBatch(std::optional<std::uint32_t> generation = std::nullopt);

  /// A message with its header, to be filled with nftnl_*_build_payload() before the next add().
  nl_msg* add(std::uint16_t type, std::uint16_t flags, std::uint8_t family = NFPROTO_INET,
              std::size_t space = 1024);
  /// How many messages add() made that drop() left.
  [[nodiscard]] std::size_t size() const noexcept { return types_.size(); }

  struct Failure {
    std::optional<std::size_t>
        index;  ///< of the message, counted by add(); nullopt: the transaction as such
    int error = 0;
    std::string text;  ///< the kernel's words, may be empty
  };
  /// Sends it. Empty: everything was done. Else nothing was. After a deletion the socket lingers.
  /// May be called again after drop() only.
  std::vector<Failure> commit(NetlinkSocket& socket);
  /// After commit(): the messages that keep the rest from being done, in ascending order: deletions
  /// of what isn't there (ENOENT), and of chains that foreign rules lead to (EBUSY).
  [[nodiscard]] std::vector<std::size_t> hindrances(const std::vector<Failure>& failures,
                                                    int error) const;
  /// After commit(): takes messages out, as hindrances() tells them, so that the rest may be
  /// committed.
  void drop(const std::vector<std::size_t>& indices);

 private:
  MessageBuffer buffer_;
  std::vector<std::uint16_t> types_;  ///< of each message
};

}  // namespace unicni::net
