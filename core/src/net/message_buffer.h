// Netlink messages one after the other in one piece of memory.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace unicni::net {

class MessageBuffer {
 public:
  /// Starts a message with room for `space` bytes, header included. Fill it with the put_* of
  /// attribute.h before the next add(): that may move it. What doesn't fit is an Error.
  nlmsghdr* add(std::uint16_t type, std::uint16_t flags, std::size_t space);
  /// The message started last; there must be one.
  nlmsghdr* last() noexcept { return reinterpret_cast<nlmsghdr*>(bytes_.data() + last_); }
  /// Gives the messages sequence numbers, `first` and up.
  void number_from(std::uint32_t first);
  /// Everything so far, ready for send(2).
  std::span<const char> bytes();
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// Takes messages out, counted from 0 in order of add(); `indices` are in ascending order.
  void drop(std::span<const std::size_t> indices);
  void clear() noexcept;

 private:
  void close_last();
  std::string bytes_;     // grows by memset(3), a vector built for size by a loop
  std::size_t last_ = 0;  // where the last message starts
  std::size_t count_ = 0;
};

}  // namespace unicni::net
