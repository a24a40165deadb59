// Keys of our sets for people.
#include <fmt/core.h>
#include <linux/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"

namespace unicni::net {
namespace {

enum class Field : std::uint8_t { none, address, protocol, port, interface, mac };

/// The fields of a set's keys; its name may end in the family.
struct Layout {
  std::string_view set;
  std::array<Field, 4> fields;
};
constexpr Layout kLayouts[] = {
    {"att", {Field::interface, Field::address}},
    {"local", {Field::interface, Field::address}},
    {"policy", {Field::interface, Field::address}},
    {"isolated", {Field::interface, Field::address}},
    {"net_if", {Field::interface}},
    {"policy_if", {Field::interface}},
    {"localnet_if", {Field::interface}},
    {"port_any", {Field::protocol, Field::port}},
    {"cond_any", {Field::protocol, Field::port}},
    {"cport_any", {Field::protocol, Field::port}},
    {"claim", {Field::protocol, Field::port}},
    {"port_at", {Field::address, Field::protocol, Field::port}},
    {"cond_at", {Field::address, Field::protocol, Field::port}},
    {"cport_at", {Field::address, Field::protocol, Field::port}},
    {"pub", {Field::address, Field::protocol, Field::port}},
    {"nosnat", {Field::address, Field::protocol, Field::port}},
    {"masqall", {Field::address, Field::protocol, Field::port}},
    {"bit", {Field::address, Field::protocol, Field::port}},
    {"port_checked", {Field::interface}},
    {"port_mac", {Field::interface, Field::mac}},
};

std::size_t size_of(Field field, bool v6) {
  constexpr std::size_t kMacField = 8;
  switch (field) {
    case Field::address:
      return v6 ? 16 : 4;
    case Field::interface:
      return IFNAMSIZ;
    case Field::mac:
      return kMacField;
    case Field::protocol:
    case Field::port:
      return 4;
    case Field::none:
      break;
  }
  return 0;
}

std::size_t size_of(const Layout& layout, bool v6) {
  std::size_t size = 0;
  for (const Field field : layout.fields) size += size_of(field, v6);
  return size;
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}

std::string protocol_text(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_SCTP:
      return "sctp";
    default:
      return fmt::format("protocol {}", protocol);
  }
}

std::string field_text(Field field, std::string_view bytes) {
  switch (field) {
    case Field::address:
      return address_from_key(bytes).str();
    case Field::protocol:
      return protocol_text(byte_at(bytes, 0));
    case Field::port:
      return fmt::format("port {}", byte_at(bytes, 0) << 8U | byte_at(bytes, 1));
    case Field::interface:
      return std::string(bytes.substr(0, bytes.find('\0')));
    case Field::mac: {
      std::array<std::uint8_t, 6> raw{};
      std::copy_n(bytes.begin(), raw.size(), raw.begin());
      return Mac(raw).str();
    }
    case Field::none:
      break;
  }
  return {};
}

std::string hexadecimal(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  return hex;
}

/// "port4_any" → "port_any", "masq6" → "masq".
std::string without_family(std::string name) {
  const auto digit = name.find_first_of("46");
  if (digit != std::string::npos) name.erase(digit, 1);
  return name;
}

constexpr Layout kOfSubnet{"", {Field::address, Field::address}};
constexpr Layout kPortOfSubnet{"", {Field::address, Field::protocol, Field::port, Field::address}};

/// nullptr: no set of this version.
const Layout* find_layout(const NftElement& element) {
  if (const auto prefix = find_nft_prefix_part(element.set)) {
    return prefix->use == NftPrefixPart::Use::masquerade ? &kOfSubnet : &kPortOfSubnet;
  }
  const std::string name = without_family(element.set);
  const auto* layout = std::ranges::find(kLayouts, name, &Layout::set);
  return layout == std::end(kLayouts) ? nullptr : layout;
}

}  // namespace

std::optional<std::size_t> key_size_of(const NftElement& element) {
  const Layout* layout = find_layout(element);
  if (layout == nullptr) return std::nullopt;
  return size_of(*layout, family_of(element) == Family::v6);
}

std::string describe_key(const NftElement& element) {
  const bool v6 = family_of(element) == Family::v6;
  const Layout* layout = find_layout(element);
  if (layout == nullptr) return hexadecimal(element.key);
  const std::size_t size = size_of(*layout, v6);
  if (size != element.key.size()) return hexadecimal(element.key);
  std::string text;
  std::size_t at = 0;
  for (const Field field : layout->fields) {
    const std::size_t width = size_of(field, v6);
    if (width == 0) continue;
    if (at > 0) text += field == Field::port ? " " : " . ";
    text += field_text(field, std::string_view(element.key).substr(at, width));
    at += width;
  }
  return text;
}

}  // namespace unicni::net
