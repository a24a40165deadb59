#include "unicni/ip.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>
#include <cstring>

namespace unicni {
namespace {

/// Addresses of both families are computed with as whole numbers of 128 bits.
__extension__ using Wide = unsigned __int128;

constexpr std::size_t kMappedPrefix = 12;  // bytes of ::ffff:0:0/96

/// ::ffff:a.b.c.d is the IPv4 address a.b.c.d, as for Go's net.IP, so that both spellings name one
/// reservation and one rule.
bool is_mapped(const std::array<std::uint8_t, 16>& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 10, [](std::uint8_t b) { return b == 0; }) &&
         bytes[10] == 0xff && bytes[11] == 0xff;
}

Wide load(const std::uint8_t* bytes, std::size_t size) {
  Wide value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8U | bytes[i];
  return value;
}

std::array<std::uint8_t, 16> store(Wide value) {
  std::array<std::uint8_t, 16> bytes{};
  for (std::size_t i = bytes.size(); i-- > 0; value >>= 8U) {
    bytes[i] = static_cast<std::uint8_t>(value & 0xffU);
  }
  return bytes;
}

IpAddress make(Family family, Wide value) {
  if (family == Family::v4) return IpAddress::v4(static_cast<std::uint32_t>(value));
  return IpAddress::v6(store(value));
}

Wide load(const IpAddress& address) { return load(address.data(), address.size()); }

/// Ones where the host part is. Shifting a number by its own width is undefined, hence the special
/// case of a whole IPv6 address.
Wide host_mask(int bits, int prefix_length) {
  const int host_bits = bits - prefix_length;
  return host_bits >= 128 ? ~Wide{0} : (Wide{1} << static_cast<unsigned>(host_bits)) - 1;
}

/// The one spelling of RFC 5952: texts of addresses are names of files and comments of rules, and
/// are compared as texts.
std::string print_v6(const std::uint8_t* bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = static_cast<unsigned>(bytes[2 * i] << 8) | bytes[2 * i + 1];
  }
  // RFC 5952, 4.2: the longest run of two or more zero groups becomes "::", the first of equals.
  std::size_t gap = groups.size();
  std::size_t gap_size = 1;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    std::size_t end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > gap_size) {
      gap = i;
      gap_size = end - i;
    }
    i = std::max(i, end);
  }
  std::string text;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == gap) {
      text += "::";
      i += gap_size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

/// Decimal digits only; leading zeros are fine, as in Go's net.ParseCIDR.
std::optional<int> parse_prefix_length(std::string_view text, int limit) {
  if (text.empty()) return std::nullopt;
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
    if (value > limit) return std::nullopt;
  }
  return value;
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress address;
  for (unsigned i = 0; i < 4; ++i) {
    address.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
  }
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  if (is_mapped(bytes)) {
    return v4(static_cast<std::uint32_t>(load(bytes.data() + kMappedPrefix, 4)));
  }
  IpAddress address;
  address.family_ = Family::v6;
  address.bytes_ = bytes;
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // glibc's inet_pton is as strict as Go's netip: no leading zeros, no zone, at most four digits a
  // group.
  std::array<char, INET6_ADDRSTRLEN> copy{};
  if (text.empty() || text.size() >= copy.size() || text.find('\0') != text.npos) {
    return std::nullopt;
  }
  std::memcpy(copy.data(), text.data(), text.size());
  std::array<std::uint8_t, 16> bytes{};
  if (text.find(':') == text.npos) {
    if (::inet_pton(AF_INET, copy.data(), bytes.data()) != 1) return std::nullopt;
    return v4(static_cast<std::uint32_t>(load(bytes.data(), 4)));
  }
  if (::inet_pton(AF_INET6, copy.data(), bytes.data()) != 1) return std::nullopt;
  return v6(bytes);
}

std::uint32_t IpAddress::to_v4() const noexcept {
  return is_v4() ? static_cast<std::uint32_t>(load(data(), 4)) : 0;
}

bool IpAddress::is_unspecified() const noexcept { return bytes_ == std::array<std::uint8_t, 16>{}; }

/// All of 127.0.0.0/8, but ::1 alone.
bool IpAddress::is_loopback() const noexcept {
  return is_v4() ? bytes_[0] == 127 : load(*this) == 1;
}

bool IpAddress::is_multicast() const noexcept {
  return is_v4() ? (bytes_[0] & 0xf0U) == 0xe0U : bytes_[0] == 0xff;
}

bool IpAddress::is_link_local() const noexcept {
  return is_v4() ? bytes_[0] == 169 && bytes_[1] == 254
                 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0U) == 0x80U;
}

std::optional<IpAddress> IpAddress::plus(std::int64_t n) const {
  const Wide from = load(*this);
  const Wide highest = host_mask(bits(), 0);
  const Wide distance = n < 0 ? Wide{0} - static_cast<Wide>(n) : static_cast<Wide>(n);
  if (n < 0 ? distance > from : distance > highest - from) return std::nullopt;
  const IpAddress there = make(family_, n < 0 ? from - distance : from + distance);
  if (there.family_ != family_) return std::nullopt;  // the mapped block belongs to IPv4
  return there;
}

std::string IpAddress::str() const {
  if (!is_v4()) return print_v6(bytes_.data());
  return fmt::format("{}.{}.{}.{}", bytes_[0], bytes_[1], bytes_[2], bytes_[3]);
}

IpNet::IpNet(IpAddress address, int prefix_length)
    : address_(address), prefix_length_(std::clamp(prefix_length, 0, address.bits())) {}

/// Go's net.ParseCIDR: the prefix length is needed, and of a mapped address it counts the 96 bits
/// before the IPv4 address.
std::optional<IpNet> IpNet::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return std::nullopt;
  const std::string_view address_text = text.substr(0, slash);
  const auto address = IpAddress::parse(address_text);
  if (!address) return std::nullopt;
  const bool v6_text = address_text.find(':') != text.npos;
  auto prefix_length = parse_prefix_length(text.substr(slash + 1), v6_text ? 128 : 32);
  if (!prefix_length) return std::nullopt;
  if (v6_text && address->is_v4()) {
    if (*prefix_length < 96) return std::nullopt;
    *prefix_length -= 96;
  }
  return IpNet(*address, *prefix_length);
}

IpAddress IpNet::network() const {
  return make(family(), load(address_) & ~host_mask(address_.bits(), prefix_length_));
}

IpAddress IpNet::last() const {
  return make(family(), load(address_) | host_mask(address_.bits(), prefix_length_));
}

IpNet IpNet::masked() const { return IpNet(network(), prefix_length_); }

/// The difference of two addresses of a net lies in the host part alone.
bool IpNet::contains(const IpAddress& address) const {
  if (address.family() != family()) return false;
  return (load(address) ^ load(address_)) <= host_mask(address_.bits(), prefix_length_);
}

bool IpNet::overlaps(const IpNet& other) const {
  return prefix_length_ <= other.prefix_length_ ? contains(other.address_)
                                                : other.contains(address_);
}

bool IpNet::is_default() const { return prefix_length_ == 0 && address_.is_unspecified(); }

std::string IpNet::str() const { return fmt::format("{}/{}", address_.str(), prefix_length_); }

}  // namespace unicni
