#include "netfilter/nft/batch.h"

#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "net/attribute.h"

namespace unicni::net {
namespace {

constexpr std::size_t kEnvelopeSpace = 64;

/// Begin and end of a transaction: what lies between is committed as a whole or not at all.
void put_envelope(nl_msg* message) {
  auto& header = put_header<nfgenmsg>(message);
  header.nfgen_family = AF_UNSPEC;
  header.version = NFNETLINK_V0;
  header.res_id = htobe16(NFNL_SUBSYS_NFTABLES);
}

bool is_deletion(std::uint16_t type) {
  constexpr std::uint16_t kDeletions[] = {NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE,
                                          NFT_MSG_DELSET, NFT_MSG_DELSETELEM};
  return std::ranges::find(kDeletions, type) != std::end(kDeletions);
}

}  // namespace

void put_nft_header(nl_msg* message, std::uint16_t type, std::uint8_t family) {
  header_of(message)->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8U | type);
  auto& header = put_header<nfgenmsg>(message);
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
}

/// With a generation the kernel refuses the transaction (ERESTART) if anybody has changed the
/// ruleset since it was read.
NftBatch::NftBatch(std::optional<std::uint32_t> generation) {
  nl_msg* begin = buffer_.add(NFNL_MSG_BATCH_BEGIN, NLM_F_REQUEST, kEnvelopeSpace);
  put_envelope(begin);
  if (generation) put_u32(begin, NFNL_BATCH_GENID, htobe32(*generation));
}

nl_msg* NftBatch::add(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                      std::size_t space) {
  nl_msg* message = buffer_.add(0, static_cast<std::uint16_t>(NLM_F_REQUEST | flags), space);
  put_nft_header(message, type, family);
  types_.push_back(type);
  return message;
}

/// A transaction that fails changes nothing, and the kernel goes on checking after the first error,
/// so all of them are returned.
std::vector<NftBatch::Failure> NftBatch::commit(NetlinkSocket& socket) {
  if (size() == 0) return {};
  // Errors come unasked, message by message; the last message's answer comes after the commit.
  buffer_.last()->nlmsg_flags |= NLM_F_ACK;
  const std::size_t messages = size();
  Stretch stretch =
      socket.observe([&] { return "transaction of " + std::to_string(messages) + " messages"; });
  put_envelope(buffer_.add(NFNL_MSG_BATCH_END, NLM_F_REQUEST, kEnvelopeSpace));
  const std::uint32_t first = socket.take_sequence(buffer_.count());
  const std::uint32_t last = first + static_cast<std::uint32_t>(messages);
  buffer_.number_from(first);
  socket.make_room(buffer_.bytes().size(), messages);
  socket.send(buffer_.bytes());

  std::vector<Failure> failures;
  for (;;) {
    Acknowledgement answer = socket.receive_acknowledgement(first, last);
    if (answer.sequence == first) {
      // About the transaction: a stale generation, or the commit failed. What else is queued has
      // sequence numbers that nobody waits for.
      stretch.set_error(answer.error);
      failures.push_back({std::nullopt, answer.error, std::move(answer.text)});
      return failures;
    }
    if (answer.error != 0) {
      stretch.set_error(answer.error);
      failures.push_back({answer.sequence - first - 1, answer.error, std::move(answer.text)});
    }
    if (answer.sequence == last) break;
  }
  // Closing a socket after deletions waits for the kernel to free them. linger() leaves that to a
  // child.
  const bool deletes = std::ranges::any_of(types_, is_deletion);
  if (deletes && failures.empty()) socket.linger();
  return failures;
}

/// Deletions that failed because the object is gone, or (EBUSY) because a chain is used again.
/// Without them the rest can be tried once more.
std::vector<std::size_t> NftBatch::hindrances(const std::vector<Failure>& failures,
                                              int error) const {
  std::vector<std::size_t> indices;
  for (const Failure& failure : failures) {
    if (!failure.index || failure.error != error) continue;
    const std::uint16_t type = types_.at(*failure.index);
    if (error == EBUSY ? type == NFT_MSG_DELCHAIN : is_deletion(type)) {
      indices.push_back(*failure.index);
    }
  }
  std::ranges::sort(indices);
  indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
  return indices;
}

void NftBatch::drop(const std::vector<std::size_t>& indices) {
  std::vector<std::size_t> messages;  // counted with the envelope, whose end goes as well
  for (const std::size_t index : indices) messages.push_back(index + 1);
  messages.push_back(types_.size() + 1);
  buffer_.drop(messages);
  for (auto index = indices.rbegin(); index != indices.rend(); ++index) {
    types_.erase(types_.begin() + static_cast<std::ptrdiff_t>(*index));
  }
}

}  // namespace unicni::net
