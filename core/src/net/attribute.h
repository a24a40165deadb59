// Attributes of netlink messages: the ones that libmnl has no words for.
#pragma once

#include <libmnl/libmnl.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::net {

/// Starts a message that may have `room` bytes, its header included; zeroes the header. The number
/// stands in nlmsg_pid, which the kernel doesn't want from us, until finish_message(): so nothing
/// that is put, whatever its length, can run over the end.
void start_message(nlmsghdr* message, std::size_t room);
/// Before it is sent.
void finish_message(nlmsghdr* message);

/// `size` more bytes of the message and their padding, zeroed. Throws Error (Code::internal) if
/// they don't fit. What else writes to a message takes its room from here, and so does all of this
/// file.
void* take_room(nlmsghdr* message, std::size_t size);

/// The family's own header (ifinfomsg, nfgenmsg …) behind the netlink header, zeroed.
template <class Header>
Header& put_header(nlmsghdr* message) {
  static_assert(std::is_trivially_copyable_v<Header>);
  return *static_cast<Header*>(take_room(message, sizeof(Header)));
}

void put_bytes(nlmsghdr* message, std::uint16_t type, std::size_t size, const void* bytes);
/// With a NUL at its end.
void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text);
void put_u8(nlmsghdr* message, std::uint16_t type, std::uint8_t value);
void put_u16(nlmsghdr* message, std::uint16_t type, std::uint16_t value);
void put_u32(nlmsghdr* message, std::uint16_t type, std::uint32_t value);
void put_u64(nlmsghdr* message, std::uint16_t type, std::uint64_t value);
/// A link's name. Throws Error (Code::invalid_config) if the kernel could not hold it.
void put_name(nlmsghdr* message, std::uint16_t type, const std::string& name);
void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address);
void put_mac(nlmsghdr* message, std::uint16_t type, const Mac& mac);

/// Whether a link could have this name: 1 to 15 bytes, no NUL.
bool is_link_name(std::string_view name) noexcept;

/// An attribute that holds attributes: everything put while it lives.
class Nest {
 public:
  Nest(nlmsghdr* message, std::uint16_t type)
      : message_(message), start_(static_cast<nlattr*>(take_room(message, sizeof(nlattr)))) {
    start_->nla_type = static_cast<std::uint16_t>(NLA_F_NESTED | type);
  }
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;
  ~Nest() { mnl_attr_nest_end(message_, start_); }

 private:
  nlmsghdr* message_;
  nlattr* start_;
};

/// Calls `each(type, attribute)` for every attribute behind a header of `header_size` bytes.
template <class Each>
void for_each_attribute(const nlmsghdr* message, std::size_t header_size, const Each& each) {
  const auto* attribute =
      static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(message, header_size));
  const char* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(message));
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    each(mnl_attr_get_type(attribute), attribute);
    attribute = mnl_attr_next(attribute);
  }
}

/// The same for the attributes inside `nest`.
template <class Each>
void for_each_attribute(const nlattr* nest, const Each& each) {
  const auto* attribute = static_cast<const nlattr*>(mnl_attr_get_payload(nest));
  const char* end =
      static_cast<const char*>(mnl_attr_get_payload(nest)) + mnl_attr_get_payload_len(nest);
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    each(mnl_attr_get_type(attribute), attribute);
    attribute = mnl_attr_next(attribute);
  }
}

/// The value of an attribute as T; zero if it is shorter than T.
template <class T>
T value_of(const nlattr* attribute) {
  static_assert(std::is_trivially_copyable_v<T>);
  T value{};
  if (mnl_attr_get_payload_len(attribute) >= sizeof(T)) {
    std::memcpy(&value, mnl_attr_get_payload(attribute), sizeof(T));
  }
  return value;
}
/// Text up to the first NUL, or all bytes.
std::string text_of(const nlattr* attribute);
/// 4 or 16 bytes; anything else is 0.0.0.0. The kernel's mapped addresses become IPv4, as IpAddress
/// holds them.
IpAddress address_of(const nlattr* attribute);
Mac mac_of(const nlattr* attribute);

}  // namespace unicni::net
