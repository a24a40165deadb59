#include "net/attribute.h"

#include <fmt/core.h>
#include <linux/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <utility>

#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::size_t kHeader = NLA_HDRLEN;
constexpr std::size_t kMost = UINT16_MAX;  // nla_len is 16 bits wide

[[noreturn]] void refuse(nl_msg* message, std::size_t size) {
  throw Error(Code::internal,
              fmt::format("{} bytes more than a netlink message of {} has room for", size,
                          nlmsg_get_max_size(message)),
              "a name, a key or a comment is longer than the kernel could hold");
}

/// libnl takes the length as an int and writes its lower half into the attribute.
bool fits_attribute(std::size_t size) { return size <= kMost - kHeader; }

}  // namespace

/// The room is fixed. A message that grows on the way would move, and the references that
/// put_header() hands out would dangle.
NlOwned<nl_msg> make_message(std::uint16_t type, std::uint16_t flags, std::size_t room) {
  if (room > kMost) {
    throw Error(Code::internal, fmt::format("no netlink message may have {} bytes", room));
  }
  auto message = own_nl(nlmsg_alloc_size(NLMSG_ALIGN(room)));
  restart_message(message.get(), type, flags);
  return message;
}

void restart_message(nl_msg* message, std::uint16_t type, std::uint16_t flags) {
  *nlmsg_hdr(message) = {NLMSG_HDRLEN, type, flags, 0, 0};
}

nlmsghdr* header_of(nl_msg* message) { return nlmsg_hdr(message); }

/// Zeroed, as padding goes to the kernel as well, and strict checking refuses header fields that
/// aren't zero.
void* take_room(nl_msg* message, std::size_t size) {
  void* place = nlmsg_reserve(message, size, NLMSG_ALIGNTO);
  if (place == nullptr) refuse(message, size);
  std::memset(place, 0, size);
  return place;
}

void put_bytes(nl_msg* message, std::uint16_t type, std::size_t size, const void* bytes) {
  if (!fits_attribute(size) || nla_put(message, type, static_cast<int>(size), bytes) < 0) {
    refuse(message, kHeader + size);
  }
}

/// The kernel's policies for names (NLA_NUL_STRING) want the closing NUL. nla_put_string() would
/// need one in `text`.
void put_text(nl_msg* message, std::uint16_t type, std::string_view text) {
  const std::size_t size = text.size() + 1;
  nlattr* attribute =
      fits_attribute(size) ? nla_reserve(message, type, static_cast<int>(size)) : nullptr;
  if (attribute == nullptr) refuse(message, kHeader + size);
  auto* place = static_cast<char*>(nla_data(attribute));
  place[text.copy(place, text.size())] = '\0';
}

/// Numbers go in the machine's byte order. The few attributes that are in network order (ports,
/// VLAN protocols) are swapped by their callers.
void put_u8(nl_msg* message, std::uint16_t type, std::uint8_t value) {
  put_bytes(message, type, sizeof value, &value);
}
void put_u16(nl_msg* message, std::uint16_t type, std::uint16_t value) {
  put_bytes(message, type, sizeof value, &value);
}
void put_u32(nl_msg* message, std::uint16_t type, std::uint32_t value) {
  put_bytes(message, type, sizeof value, &value);
}
void put_u64(nl_msg* message, std::uint16_t type, std::uint64_t value) {
  put_bytes(message, type, sizeof value, &value);
}

bool is_link_name(std::string_view name) noexcept {
  return !name.empty() && name.size() < IFNAMSIZ && name.find('\0') == name.npos;
}

void put_name(nl_msg* message, std::uint16_t type, const std::string& name) {
  if (!is_link_name(name)) {
    throw Error(Code::invalid_config, fmt::format("interface name \"{}\" is not possible", name),
                fmt::format("write a name of 1 to {} bytes", IFNAMSIZ - 1));
  }
  put_text(message, type, name);
}

/// 4 or 16 bytes. The kernel takes the family from the message's header and checks that the length
/// fits it.
void put_address(nl_msg* message, std::uint16_t type, const IpAddress& address) {
  put_bytes(message, type, address.size(), address.data());
}

void put_mac(nl_msg* message, std::uint16_t type, const Mac& mac) {
  put_bytes(message, type, mac.bytes().size(), mac.bytes().data());
}

Nest::Nest(nl_msg* message, std::uint16_t type)
    : message_(message), start_(nla_nest_start(message, type)) {
  if (start_ == nullptr) refuse(message, kHeader);
}

// Fails only for what make_message() allows no room for.
Nest::~Nest() { nla_nest_end_keep_empty(message_, start_); }

/// Behind the family's own header, whose size the caller knows.
AttributeRow::AttributeRow(const nlmsghdr* message, std::size_t header_size) noexcept
    : next_(nlmsg_attrdata(message, static_cast<int>(header_size))),
      left_(nlmsg_attrlen(message, static_cast<int>(header_size))) {}

AttributeRow::AttributeRow(const nlattr* nest) noexcept
    : next_(static_cast<const nlattr*>(nla_data(nest))), left_(nla_len(nest)) {}

/// Ends at the first attribute that claims more bytes than are left, so a damaged message yields
/// less and is never read beyond its end.
const nlattr* AttributeRow::take() noexcept {
  if (nla_ok(next_, left_) == 0) return nullptr;
  return std::exchange(next_, nla_next(next_, &left_));
}

std::string_view bytes_of(const nlattr* attribute) noexcept {
  return {static_cast<const char*>(nla_data(attribute)),
          static_cast<std::size_t>(nla_len(attribute))};
}

/// Texts mostly end in a NUL, which counts in the length of the attribute and is no part of the
/// text.
std::string text_of(const nlattr* attribute) {
  const std::string_view bytes = bytes_of(attribute);
  return std::string(bytes.substr(0, bytes.find('\0')));
}

/// The length tells the family, as attributes of both look alike.
IpAddress address_of(const nlattr* attribute) {
  if (bytes_of(attribute).size() == 16) {
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
