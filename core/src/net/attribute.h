// Netlink messages and their attributes: libnl's functions for our types, which throw where those
// return a code that is easily overlooked. Libnl's own headers are left to the source file: they
// include netinet/in.h, which can't follow linux/netfilter.h.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "net/owned.h"
#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::net {

/// A message that may have `room` bytes, its header included: what doesn't fit is refused, whatever
/// its length. At most 64 KiB, so that the length of every attribute can be told in its header.
NlOwned<nl_msg> make_message(std::uint16_t type, std::uint16_t flags, std::size_t room);
/// Makes it one without content again.
void restart_message(nl_msg* message, std::uint16_t type, std::uint16_t flags);

nlmsghdr* header_of(nl_msg* message);

/// `size` more bytes of the message and their padding, zeroed. Throws Error (Code::internal) if
/// they don't fit, as all of this file does that writes.
void* take_room(nl_msg* message, std::size_t size);

/// The family's own header (ifinfomsg, nfgenmsg …) behind the netlink header, zeroed.
template <class Header>
Header& put_header(nl_msg* message) {
  static_assert(std::is_trivially_copyable_v<Header>);
  return *static_cast<Header*>(take_room(message, sizeof(Header)));
}

/// The one that was put.
template <class Header>
Header& family_header(nl_msg* message) {
  return *static_cast<Header*>(NLMSG_DATA(header_of(message)));
}
template <class Header>
const Header& family_header(const nlmsghdr* message) {
  return *static_cast<const Header*>(NLMSG_DATA(message));
}

void put_bytes(nl_msg* message, std::uint16_t type, std::size_t size, const void* bytes);
/// With a NUL at its end.
void put_text(nl_msg* message, std::uint16_t type, std::string_view text);
void put_u8(nl_msg* message, std::uint16_t type, std::uint8_t value);
void put_u16(nl_msg* message, std::uint16_t type, std::uint16_t value);
void put_u32(nl_msg* message, std::uint16_t type, std::uint32_t value);
void put_u64(nl_msg* message, std::uint16_t type, std::uint64_t value);
/// A link's name. Throws Error (Code::invalid_config) if the kernel could not hold it.
void put_name(nl_msg* message, std::uint16_t type, const std::string& name);
void put_address(nl_msg* message, std::uint16_t type, const IpAddress& address);
void put_mac(nl_msg* message, std::uint16_t type, const Mac& mac);

/// Whether a link could have this name: 1 to 15 bytes, no NUL.
bool is_link_name(std::string_view name) noexcept;

/// An attribute that holds attributes: everything put while it lives. One without content stays, as
/// the kernel tells it from one that isn't there.
class Nest {
 public:
  Nest(nl_msg* message, std::uint16_t type);
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;
  ~Nest();

 private:
  nl_msg* message_;
  nlattr* start_;
};

/// Attributes behind each other, to be read one by one.
class AttributeRow {
 public:
  /// Behind a header of `header_size` bytes.
  AttributeRow(const nlmsghdr* message, std::size_t header_size) noexcept;
  /// Inside another one.
  explicit AttributeRow(const nlattr* nest) noexcept;
  /// In `size` bytes.
  AttributeRow(const nlattr* first, int size) noexcept : next_(first), left_(size) {}

  /// nullptr: there are no more, or the next one would be longer than what is left.
  const nlattr* take() noexcept;

 private:
  const nlattr* next_;
  int left_;
};

/// Calls `each(type, attribute)` for every attribute.
template <class Each>
void for_each_attribute(AttributeRow row, const Each& each) {
  while (const nlattr* attribute = row.take()) {
    each(static_cast<std::uint16_t>(attribute->nla_type & NLA_TYPE_MASK), attribute);
  }
}
template <class Each>
void for_each_attribute(const nlmsghdr* message, std::size_t header_size, const Each& each) {
  for_each_attribute(AttributeRow(message, header_size), each);
}
template <class Each>
void for_each_attribute(const nlattr* nest, const Each& each) {
  for_each_attribute(AttributeRow(nest), each);
}

/// All of an attribute, valid as long as its message.
std::string_view bytes_of(const nlattr* attribute) noexcept;
/// The value of an attribute as T; zero if it is shorter than T.
template <class T>
T value_of(const nlattr* attribute) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  const std::string_view bytes = bytes_of(attribute);
  if (bytes.size() >= sizeof(T)) std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}
/// Text up to the first NUL, or all bytes.
std::string text_of(const nlattr* attribute);
/// 4 or 16 bytes; anything else is 0.0.0.0. The kernel's mapped addresses become IPv4, as IpAddress
/// holds them.
IpAddress address_of(const nlattr* attribute);
Mac mac_of(const nlattr* attribute);

}  // namespace unicni::net
