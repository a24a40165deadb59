// A netlink socket of any protocol and its conversation: send, acknowledgements, answers.
// netlink(7).
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <forward_list>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "unicni/sys/fd.h"

namespace unicni::net {

/// What the kernel answered to one message.
struct Acknowledgement {
  std::uint32_t sequence = 0;
  int error = 0;     ///< an errno, 0: done
  std::string text;  ///< the kernel's own words (NLMSGERR_ATTR_MSG), may be empty
};

class NetlinkSocket {
 public:
  enum class Expect {
    answer,           ///< one message, or an error
    acknowledgement,  ///< NLM_F_ACK; messages before it are answers
    dump,             ///< NLM_F_DUMP: messages until NLMSG_DONE
  };

  /// Opens in the calling thread's namespace. `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER.
  /// Throws Error.
  explicit NetlinkSocket(int protocol);
  NetlinkSocket(const NetlinkSocket&) = delete;
  NetlinkSocket& operator=(const NetlinkSocket&) = delete;
  ~NetlinkSocket();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The first of `count` sequence numbers in a row that nobody else gets.
  [[nodiscard]] std::uint32_t take_sequence(std::size_t count = 1) noexcept {
    return std::exchange(sequence_, sequence_ + static_cast<std::uint32_t>(count));
  }

  void send(std::span<const char> bytes);
  /// The next datagram from the kernel, valid until the next call. Throws Error, also after 10 s
  /// without one.
  std::span<const char> receive();
  /// The next acknowledgement of a message whose sequence number is between `first` and `last`.
  Acknowledgement receive_acknowledgement(std::uint32_t first, std::uint32_t last);

  /// Sends one request and hands the answers to `each` after the last one came. Returns the
  /// kernel's errno or 0; EINTR if a dump was interrupted by changes six times in a row.
  int ask(nlmsghdr* request, Expect expect, const std::function<void(const nlmsghdr*)>& each);

  /// Another one of the same protocol, for a dump that is left after its first answers. It is
  /// closed with this one: after a deletion from nftables the close of any socket waits for the
  /// kernel's grace period.
  NetlinkSocket& spare();

  /// Says that a deletion from nftables went through: whoever closes a netfilter socket before the
  /// kernel has freed what was deleted waits for that (10 ms and more; nft_rcv_nl_event), and keeps
  /// everybody else's transactions waiting. A child process then holds the socket open for as long.
  void linger() noexcept { lingers_ = true; }

  /// Lets the socket take `bytes` to the kernel at once and `answers` acknowledgements back.
  void make_room(std::size_t bytes, std::size_t answers);

 private:
  const char* name() const noexcept;

  sys::Fd fd_;
  int protocol_;
  std::uint32_t sequence_ = 1;  // 0 is what the kernel's own notifications carry
  std::unique_ptr<char[]> buffer_;
  std::forward_list<NetlinkSocket> spares_;
  bool lingers_ = false;
};

/// Calls `each(message)` for every message of a datagram.
template <class Each>
void for_each_message(std::span<const char> bytes, const Each& each) {
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
  int left = static_cast<int>(bytes.size());
  while (mnl_nlmsg_ok(message, left)) {
    each(message);
    message = mnl_nlmsg_next(message, &left);
  }
}

}  // namespace unicni::net
