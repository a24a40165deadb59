#include "net/attribute.h"

#include <fmt/core.h>
#include <linux/if.h>

#include <array>

#include "unicni/error.h"

namespace unicni::net {

void start_message(nlmsghdr* message, std::size_t room) {
  *message = nlmsghdr{};
  message->nlmsg_len = NLMSG_HDRLEN;
  message->nlmsg_pid = static_cast<std::uint32_t>(room);
}

void finish_message(nlmsghdr* message) { message->nlmsg_pid = 0; }

void* take_room(nlmsghdr* message, std::size_t size) {
  const std::size_t start = NLMSG_ALIGN(message->nlmsg_len);
  const std::size_t room = message->nlmsg_pid;
  if (start > room || size > room - start || MNL_ALIGN(size) > room - start) {
    throw Error(Code::internal,
                fmt::format("{} bytes more than a netlink message of {} has room for", size, room),
                "a name, a key or a comment is longer than the kernel could hold");
  }
  char* place = reinterpret_cast<char*>(message) + start;
  std::memset(place, 0, MNL_ALIGN(size));
  message->nlmsg_len = static_cast<std::uint32_t>(start + MNL_ALIGN(size));
  return place;
}

namespace {

void* put_attribute(nlmsghdr* message, std::uint16_t type, std::size_t size) {
  constexpr std::size_t kMost = UINT16_MAX - MNL_ATTR_HDRLEN;
  // More than the length of an attribute can say fits nowhere.
  const std::size_t whole = size > kMost ? SIZE_MAX / 2 : MNL_ATTR_HDRLEN + size;
  auto* attribute = static_cast<nlattr*>(take_room(message, whole));
  attribute->nla_type = type;
  attribute->nla_len = static_cast<std::uint16_t>(whole);
  return mnl_attr_get_payload(attribute);
}

template <class T>
void put_number(nlmsghdr* message, std::uint16_t type, T value) {
  std::memcpy(put_attribute(message, type, sizeof value), &value, sizeof value);
}

}  // namespace

void put_bytes(nlmsghdr* message, std::uint16_t type, std::size_t size, const void* bytes) {
  void* place = put_attribute(message, type, size);
  if (size > 0) std::memcpy(place, bytes, size);
}

void put_text(nlmsghdr* message, std::uint16_t type, std::string_view text) {
  // The room is zeroed, so the NUL is there.
  std::memcpy(put_attribute(message, type, text.size() + 1), text.data(), text.size());
}

void put_u8(nlmsghdr* message, std::uint16_t type, std::uint8_t value) {
  put_number(message, type, value);
}
void put_u16(nlmsghdr* message, std::uint16_t type, std::uint16_t value) {
  put_number(message, type, value);
}
void put_u32(nlmsghdr* message, std::uint16_t type, std::uint32_t value) {
  put_number(message, type, value);
}
void put_u64(nlmsghdr* message, std::uint16_t type, std::uint64_t value) {
  put_number(message, type, value);
}

bool is_link_name(std::string_view name) noexcept {
  return !name.empty() && name.size() < IFNAMSIZ && name.find('\0') == name.npos;
}

void put_name(nlmsghdr* message, std::uint16_t type, const std::string& name) {
  if (!is_link_name(name)) {
    throw Error(Code::invalid_config, fmt::format("interface name \"{}\" is not possible", name),
                fmt::format("1 to {} bytes are", IFNAMSIZ - 1));
  }
  put_text(message, type, name);
}

void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address) {
  put_bytes(message, type, address.size(), address.data());
}

void put_mac(nlmsghdr* message, std::uint16_t type, const Mac& mac) {
  put_bytes(message, type, mac.bytes().size(), mac.bytes().data());
}

std::string text_of(const nlattr* attribute) {
  const char* text = mnl_attr_get_str(attribute);
  return {text, ::strnlen(text, mnl_attr_get_payload_len(attribute))};
}

IpAddress address_of(const nlattr* attribute) {
  if (mnl_attr_get_payload_len(attribute) == 16) {
    return IpAddress::v6(value_of<std::array<std::uint8_t, 16>>(attribute));
  }
  const auto bytes = value_of<std::array<std::uint8_t, 4>>(attribute);
  return IpAddress::v4(std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U |
                       std::uint32_t{bytes[2]} << 8U | bytes[3]);
}

Mac mac_of(const nlattr* attribute) {
  return Mac(value_of<std::array<std::uint8_t, 6>>(attribute));
}

}  // namespace unicni::net
