#include "values_v4.h"

#include <algorithm>

namespace unicni::dhcp {

namespace {

constexpr std::size_t kAddressSize = 4;
constexpr int kBits = 32;
constexpr std::size_t kLongestName = 255;  // RFC 1035 §2.3.4

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

/// RFC 1035 §4.1.4. `at` is behind the name afterwards. nullopt: it is none.
std::optional<std::string> read_name(View bytes, std::size_t& at) {
  constexpr unsigned kPointer = 0xc0;
  std::string name;
  std::size_t from = at;
  std::size_t lowest = at;  // each pointer leads before the one that led here
  bool jumped = false;
  for (;;) {
    if (from >= bytes.size()) return std::nullopt;
    const std::size_t size = bytes[from];
    if ((size & kPointer) == kPointer) {
      if (from + 1 >= bytes.size()) return std::nullopt;
      const std::size_t target = (size & ~std::size_t{kPointer}) << 8U | bytes[from + 1];
      if (!jumped) at = from + 2;
      if (target >= lowest) return std::nullopt;
      jumped = true;
      lowest = from = target;
      continue;
    }
    if ((size & kPointer) != 0) return std::nullopt;
    ++from;
    if (size == 0) break;
    if (size > bytes.size() - from) return std::nullopt;
    if (!name.empty()) name += '.';
    for (const std::uint8_t byte : bytes.subspan(from, size)) {
      if (!is_name_character(static_cast<char>(byte))) return std::nullopt;
      name += static_cast<char>(byte);
    }
    if (name.size() > kLongestName) return std::nullopt;
    from += size;
  }
  if (!jumped) at = from;
  return name;
}

/// RFC 791: A, B and C; others are hosts.
int class_prefix(const IpAddress& address) {
  const std::uint8_t first = address.data()[0];
  if (first < 128) return 8;
  if (first < 192) return 16;
  if (first < 224) return 24;
  return kBits;
}

}  // namespace

std::optional<std::uint16_t> read16(const Bytes* value) {
  if (value == nullptr || value->size() != 2) return std::nullopt;
  return get16(*value, 0);
}

std::optional<std::uint32_t> read32(const Bytes* value) {
  if (value == nullptr || value->size() != 4) return std::nullopt;
  return get32(*value, 0);
}

std::vector<IpAddress> read_addresses(const Bytes* value) {
  std::vector<IpAddress> addresses;
  if (value == nullptr || value->size() % kAddressSize != 0) return addresses;
  for (std::size_t at = 0; at < value->size(); at += kAddressSize) {
    addresses.push_back(IpAddress::v4(get32(*value, at)));
  }
  return addresses;
}

std::optional<IpAddress> read_address(const Bytes* value) {
  const auto addresses = read_addresses(value);
  return addresses.empty() ? std::nullopt : std::optional(addresses.front());
}

bool is_name_server(const IpAddress& address) {
  constexpr std::uint32_t kEverybody = 0xffffffff;
  return !address.is_unspecified() && !address.is_multicast() &&
         address != IpAddress::v4(kEverybody) && (address.is_v4() || !address.is_link_local());
}

void add_missing(std::vector<std::string>& to, const std::string& text) {
  if (std::find(to.begin(), to.end(), text) == to.end()) to.push_back(text);
}

std::optional<int> read_mask(const Bytes* value) {
  const auto mask = read32(value);
  if (!mask) return std::nullopt;
  int length = 0;
  while (length < kBits && (*mask << static_cast<unsigned>(length) & 0x80000000U) != 0) ++length;
  const bool has_holes = length < kBits && *mask << static_cast<unsigned>(length) != 0;
  return has_holes ? std::nullopt : std::optional(length);
}

std::optional<std::string> read_text(const Bytes* value) {
  if (value == nullptr) return std::nullopt;
  std::string text(value->begin(), value->end());
  while (!text.empty() && text.back() == '\0') text.pop_back();
  const bool printable =
      std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (text.empty() || !printable) return std::nullopt;
  return text;
}

std::vector<ReceivedRoute> read_classless_routes(const Bytes* value) {
  std::vector<ReceivedRoute> routes;
  if (value == nullptr) return routes;
  std::size_t at = 0;
  while (at < value->size()) {
    const int prefix = (*value)[at++];
    const auto significant = static_cast<std::size_t>((prefix + 7) / 8);
    if (prefix > kBits || value->size() - at < significant + kAddressSize) return {};
    std::uint32_t dst = 0;
    for (std::size_t i = 0; i < kAddressSize; ++i) {
      dst = dst << 8U | (i < significant ? (*value)[at + i] : 0U);
    }
    at += significant;
    // What lies beyond the prefix doesn't count (RFC 3442).
    routes.push_back(
        {IpNet(IpAddress::v4(dst), prefix).masked(), IpAddress::v4(get32(*value, at))});
    at += kAddressSize;
  }
  return routes;
}

std::vector<ReceivedRoute> read_static_routes(const Bytes* value) {
  std::vector<ReceivedRoute> routes;
  const auto addresses = read_addresses(value);
  if (addresses.size() % 2 != 0) return routes;
  for (std::size_t i = 0; i < addresses.size(); i += 2) {
    if (addresses[i].is_unspecified()) continue;
    routes.push_back({IpNet(addresses[i], class_prefix(addresses[i])).masked(), addresses[i + 1]});
  }
  return routes;
}

std::vector<std::string> read_domain_search(const Bytes* value) {
  std::vector<std::string> names;
  if (value == nullptr) return names;
  std::size_t at = 0;
  while (at < value->size()) {
    auto name = read_name(*value, at);
    if (!name) return {};
    if (!name->empty()) names.push_back(*std::move(name));
  }
  return names;
}

bool is_host_name(std::string_view text) {
  constexpr std::size_t kLongestLabel = 63;
  if (text.empty() || text.size() > kLongestName) return false;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find('.', at), text.size());
    const std::string_view label = text.substr(at, end - at);
    const bool fits = !label.empty() && label.size() <= kLongestLabel && label.front() != '-' &&
                      label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
                        return c != '_' && is_name_character(c);
                      });
    if (!fits) return false;
    at = end + 1;
  }
  return true;
}

bool is_domain_name(const std::string& text) {
  return !text.empty() && text.size() <= kLongestName &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '.' || is_name_character(c); });
}

}  // namespace unicni::dhcp
