// What the values of DHCPv4 options mean: RFC 2132, 3397, 3442. Each function has nullopt, or no
// element, for a value that isn't of its form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "unicni/ip.h"

namespace unicni::dhcp {

std::optional<std::uint16_t> read16(const Bytes* value);
std::optional<std::uint32_t> read32(const Bytes* value);
/// One address or more.
std::vector<IpAddress> read_addresses(const Bytes* value);
/// The first of them.
std::optional<IpAddress> read_address(const Bytes* value);
/// Whether a resolver can ask it, of either family. A link-local IPv6 address says nothing without
/// its link.
bool is_name_server(const IpAddress& address);
/// Adds what isn't there yet.
void add_missing(std::vector<std::string>& to, const std::string& text);
/// The length of a subnet mask's prefix; a mask with holes is none.
std::optional<int> read_mask(const Bytes* value);
/// Printable ASCII; NUL bytes at its end are left out. "" is none.
std::optional<std::string> read_text(const Bytes* value);

struct ReceivedRoute {
  IpNet dst;
  IpAddress gateway;  ///< 0.0.0.0: the destination is on the link
  friend bool operator==(const ReceivedRoute&, const ReceivedRoute&) = default;
};
/// Options 121 and 249. A value that breaks off, or has a prefix beyond 32, gives none at all.
std::vector<ReceivedRoute> read_classless_routes(const Bytes* value);
/// Option 33, whose destinations have the masks of their classes; a default route is not allowed
/// there (RFC 2132 §5.8) and left out.
std::vector<ReceivedRoute> read_static_routes(const Bytes* value);

/// Option 119: names as of DNS, compressed. A pointer leads back only, so it can't lead round.
std::vector<std::string> read_domain_search(const Bytes* value);
/// Whether a text is a domain name of letters, digits, '-', '_' and '.'.
bool is_domain_name(const std::string& text);
/// RFC 1123 §2.1: labels of letters, digits and inner hyphens, at most 63 bytes each and 255 in
/// all.
bool is_host_name(std::string_view text);

}  // namespace unicni::dhcp
