#include "net/attribute.h"

#include <fmt/core.h>
#include <linux/if.h>

#include <array>

#include "unicni/error.h"

namespace unicni::net {

void put_name(nlmsghdr* message, std::uint16_t type, const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    throw Error(Code::invalid_config, fmt::format("interface name \"{}\" is not possible", name),
                fmt::format("1 to {} bytes are", IFNAMSIZ - 1));
  }
  mnl_attr_put_strz(message, type, name.c_str());
}

void put_address(nlmsghdr* message, std::uint16_t type, const IpAddress& address) {
  mnl_attr_put(message, type, address.size(), address.data());
}

void put_mac(nlmsghdr* message, std::uint16_t type, const Mac& mac) {
  mnl_attr_put(message, type, mac.bytes().size(), mac.bytes().data());
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
