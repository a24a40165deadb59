#include "netfilter/nft/describe.h"

#include <fmt/core.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "netfilter/nft/element.h"
#include "netfilter/nft/set.h"

namespace unicni::net {
namespace {

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

/// Keys are in network byte order, as packets have them.
std::string field_text(NftSetField field, std::string_view bytes) {
  switch (field) {
    case NftSetField::ip:
      return address_from_key(bytes).str();
    case NftSetField::l4_protocol:
      return protocol_text(byte_at(bytes, 0));
    case NftSetField::port:
      return fmt::format("port {}", byte_at(bytes, 0) << 8U | byte_at(bytes, 1));
    case NftSetField::interface:
      return std::string(bytes.substr(0, bytes.find('\0')));
    case NftSetField::mac: {
      std::array<std::uint8_t, 6> raw{};
      std::copy_n(bytes.begin(), raw.size(), raw.begin());
      return Mac(raw).str();
    }
    case NftSetField::mark:
    case NftSetField::chain:
    case NftSetField::none:
      break;
  }
  return {};
}

std::string hexadecimal(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
  return hex;
}

}  // namespace

/// For errors and CHECK, in the words of `nft list`.
std::string describe_key(const NftElement& element) {
  const auto row = find_nft_set(element);
  // A damaged journal may have keys of any length.
  if (!row || row->key_size() != element.key.size()) return hexadecimal(element.key);
  std::string text;
  std::size_t at = 0;
  for (const NftSetField field : row->key) {
    const std::size_t width = form_of(field, row->address_family()).padded_size();
    if (width == 0) continue;
    if (at > 0) text += field == NftSetField::port ? " " : " . ";
    text += field_text(field, std::string_view(element.key).substr(at, width));
    at += width;
  }
  return text;
}

}  // namespace unicni::net
