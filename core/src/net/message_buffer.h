// Netlink messages one after the other in one piece of memory, as a batch goes to the kernel: libnl
// sends one message at a time, and sendmsg(2) takes no more than 1024 pieces (UIO_MAXIOV).
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "net/owned.h"

namespace unicni::net {

class MessageBuffer {
 public:
  /// Starts a message with room for `space` bytes, header included. Fill it with the put_* of
  /// attribute.h before anything else of this is called: that ends it. What doesn't fit is an
  /// Error.
  nl_msg* add(std::uint16_t type, std::uint16_t flags, std::size_t space);
  /// The header of the message started last; there must be one.
  nlmsghdr* last();
  /// Gives the messages sequence numbers, `first` and up.
  void number_from(std::uint32_t first);
  /// Everything so far, ready for send(2).
  std::span<const char> bytes();
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Takes messages out, counted from 0 in order of add(); `indices` are in ascending order.
  void drop(std::span<const std::size_t> indices);
  void clear() noexcept;

 private:
  void end_message();
  NlOwned<nl_msg> message_;  // the one that is being written; used again for the next
  bool is_open_ = false;     // it isn't among the bytes yet
  std::string bytes_;
  std::size_t last_ = 0;  // where the last message starts
  std::size_t count_ = 0;
};

}  // namespace unicni::net
