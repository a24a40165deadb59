// The functions of libmnl that libnftnl calls, as Debian has libmnl only as a shared library, whose
// loading costs a twelfth of a short verb (core/DECISIONS.md, "libmnl's part for libnftnl"). What a
// newer libnftnl calls beyond these, the linker takes from the shared library, as before.
#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <iterator>

namespace {

constexpr std::size_t kHeader = MNL_ATTR_HDRLEN;

constexpr std::size_t aligned(std::size_t size) { return MNL_ALIGN(size); }

const char* payload(const nlattr* attribute) {
  return reinterpret_cast<const char*>(attribute) + kHeader;
}

/// Where the message ends, which is where its next attribute begins.
nlattr* end_of(nlmsghdr* message) {
  return reinterpret_cast<nlattr*>(reinterpret_cast<char*>(message) + aligned(message->nlmsg_len));
}

/// The payload of an attribute need not be aligned for its type.
template <class Number>
Number number(const nlattr* attribute) {
  Number value{};
  std::memcpy(&value, payload(attribute), sizeof value);
  return value;
}

int parse(const char* from, const char* end, mnl_attr_cb_t on_attribute, void* data) {
  int result = MNL_CB_OK;
  const auto* attribute = reinterpret_cast<const nlattr*>(from);
  while (mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)))) {
    result = on_attribute(attribute, data);
    if (result <= MNL_CB_STOP) return result;
    attribute = mnl_attr_next(attribute);
  }
  return result;
}

int refuse(int why) {
  errno = why;
  return -1;
}

/// Of numbers, which have no other size.
std::size_t size_of(mnl_attr_data_type type) {
  switch (type) {
    case MNL_TYPE_U8:
      return 1;
    case MNL_TYPE_U16:
      return 2;
    case MNL_TYPE_U32:
      return 4;
    case MNL_TYPE_U64:
    case MNL_TYPE_MSECS:
      return 8;
    default:
      return 0;
  }
}

}  // namespace

extern "C" {

void* mnl_nlmsg_get_payload(const nlmsghdr* message) {
  return const_cast<char*>(reinterpret_cast<const char*>(message) + MNL_NLMSG_HDRLEN);
}

uint16_t mnl_attr_get_type(const nlattr* attribute) {
  return static_cast<uint16_t>(attribute->nla_type & NLA_TYPE_MASK);
}
uint16_t mnl_attr_get_payload_len(const nlattr* attribute) {
  return static_cast<uint16_t>(attribute->nla_len - kHeader);
}
void* mnl_attr_get_payload(const nlattr* attribute) {
  return const_cast<char*>(payload(attribute));
}
const char* mnl_attr_get_str(const nlattr* attribute) { return payload(attribute); }
uint8_t mnl_attr_get_u8(const nlattr* attribute) { return number<uint8_t>(attribute); }
uint16_t mnl_attr_get_u16(const nlattr* attribute) { return number<uint16_t>(attribute); }
uint32_t mnl_attr_get_u32(const nlattr* attribute) { return number<uint32_t>(attribute); }
uint64_t mnl_attr_get_u64(const nlattr* attribute) { return number<uint64_t>(attribute); }

bool mnl_attr_ok(const nlattr* attribute, int room) {
  const auto least = static_cast<int>(kHeader);
  return room >= least && attribute->nla_len >= least && attribute->nla_len <= room;
}
nlattr* mnl_attr_next(const nlattr* attribute) {
  const char* next = reinterpret_cast<const char*>(attribute) + aligned(attribute->nla_len);
  return reinterpret_cast<nlattr*>(const_cast<char*>(next));
}

int mnl_attr_type_valid(const nlattr* attribute, uint16_t most) {
  return mnl_attr_get_type(attribute) > most ? refuse(EOPNOTSUPP) : 1;
}
int mnl_attr_validate(const nlattr* attribute, mnl_attr_data_type type) {
  if (type >= MNL_TYPE_MAX) return refuse(EINVAL);
  const std::size_t size = mnl_attr_get_payload_len(attribute);
  if (const std::size_t expected = size_of(type); expected != 0 && size != expected) {
    return refuse(ERANGE);
  }
  switch (type) {
    case MNL_TYPE_FLAG:
      return size == 0 ? 0 : refuse(ERANGE);
    case MNL_TYPE_STRING:
      return size != 0 ? 0 : refuse(ERANGE);
    case MNL_TYPE_NUL_STRING:
      if (size == 0) return refuse(ERANGE);
      return payload(attribute)[size - 1] == '\0' ? 0 : refuse(EINVAL);
    case MNL_TYPE_NESTED:
      return size == 0 || size >= kHeader ? 0 : refuse(ERANGE);
    default:
      return 0;
  }
}

int mnl_attr_parse(const nlmsghdr* message, unsigned offset, mnl_attr_cb_t on_attribute,
                   void* data) {
  const char* start = reinterpret_cast<const char*>(message);
  return parse(start + MNL_NLMSG_HDRLEN + aligned(offset), start + aligned(message->nlmsg_len),
               on_attribute, data);
}
int mnl_attr_parse_nested(const nlattr* nest, mnl_attr_cb_t on_attribute, void* data) {
  return parse(payload(nest), reinterpret_cast<const char*>(nest) + nest->nla_len, on_attribute,
               data);
}

void mnl_attr_put(nlmsghdr* message, uint16_t type, size_t size, const void* bytes) {
  nlattr* attribute = end_of(message);
  attribute->nla_type = type;
  attribute->nla_len = static_cast<uint16_t>(kHeader + size);
  char* to = const_cast<char*>(payload(attribute));
  if (size != 0) std::memcpy(to, bytes, size);
  std::fill(to + size, to + aligned(size), '\0');
  message->nlmsg_len = static_cast<uint32_t>(aligned(message->nlmsg_len) + kHeader + aligned(size));
}
void mnl_attr_put_u8(nlmsghdr* message, uint16_t type, uint8_t value) {
  mnl_attr_put(message, type, sizeof value, &value);
}
void mnl_attr_put_u16(nlmsghdr* message, uint16_t type, uint16_t value) {
  mnl_attr_put(message, type, sizeof value, &value);
}
void mnl_attr_put_u32(nlmsghdr* message, uint16_t type, uint32_t value) {
  mnl_attr_put(message, type, sizeof value, &value);
}
void mnl_attr_put_u64(nlmsghdr* message, uint16_t type, uint64_t value) {
  mnl_attr_put(message, type, sizeof value, &value);
}
void mnl_attr_put_str(nlmsghdr* message, uint16_t type, const char* text) {
  mnl_attr_put(message, type, std::strlen(text), text);
}
void mnl_attr_put_strz(nlmsghdr* message, uint16_t type, const char* text) {
  mnl_attr_put(message, type, std::strlen(text) + 1, text);
}

nlattr* mnl_attr_nest_start(nlmsghdr* message, uint16_t type) {
  nlattr* nest = end_of(message);
  nest->nla_type = static_cast<uint16_t>(NLA_F_NESTED | type);
  message->nlmsg_len = static_cast<uint32_t>(aligned(message->nlmsg_len) + kHeader);
  return nest;
}
void mnl_attr_nest_end(nlmsghdr* message, nlattr* nest) {
  nest->nla_len = static_cast<uint16_t>(reinterpret_cast<char*>(end_of(message)) -
                                        reinterpret_cast<char*>(nest));
}

}  // extern "C"
