// IPv4 and IPv6 addresses and networks as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicni {

enum class Family : std::uint8_t { v4 = 4, v6 = 6 };

/// One address, in network byte order. IPv4-mapped IPv6 (::ffff:a.b.c.d) is always held as IPv4, as
/// the reference does. Ordered by family, then numerically.
class IpAddress {
 public:
  IpAddress() = default;  ///< 0.0.0.0
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);  ///< a mapped address becomes v4
  /// Strict text: dotted quad without leading zeros, or IPv6 (no zone, no prefix). Anything else:
  /// nullopt.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] Family family() const noexcept { return family_; }
  [[nodiscard]] bool is_v4() const noexcept { return family_ == Family::v4; }
  [[nodiscard]] std::size_t size() const noexcept { return is_v4() ? 4 : 16; }  ///< bytes
  [[nodiscard]] int bits() const noexcept { return is_v4() ? 32 : 128; }
  [[nodiscard]] const std::uint8_t* data() const noexcept {
    return bytes_.data();
  }                                                    ///< size() bytes, network order
  [[nodiscard]] std::uint32_t to_v4() const noexcept;  ///< host order; 0 for v6
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_loopback() const noexcept;  ///< 127/8, ::1
  [[nodiscard]] bool is_multicast() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept;  ///< 169.254/16, fe80::/10

  /// The address n further (n may be negative); nullopt beyond the family's ends.
  [[nodiscard]] std::optional<IpAddress> plus(std::int64_t n) const;
  /// Canonical text: dotted quad, or RFC 5952. It is also the name of host-local's reservation
  /// file.
  [[nodiscard]] std::string str() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  Family family_ = Family::v4;
  std::array<std::uint8_t, 16> bytes_{};  // v4: the first four, the rest zero
};

/// Address and prefix length ("10.1.2.3/24"). Host bits are kept.
class IpNet {
 public:
  IpNet() = default;  ///< 0.0.0.0/0
  IpNet(IpAddress address,
        int prefix_length);  ///< prefix_length is clamped to the family's 0..bits()
  /// CIDR text; no prefix, leading zeros in an octet, or a prefix out of range: nullopt.
  /// ::ffff:1.2.3.4/120 is 1.2.3.4/24; a mapped address with a prefix below 96 is refused.
  static std::optional<IpNet> parse(std::string_view text);

  [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
  [[nodiscard]] int prefix_length() const noexcept { return prefix_length_; }
  [[nodiscard]] Family family() const noexcept { return address_.family(); }
  [[nodiscard]] bool is_v4() const noexcept { return address_.is_v4(); }
  [[nodiscard]] IpAddress network() const;  ///< host bits zero
  [[nodiscard]] IpAddress last() const;  ///< host bits one: the broadcast address of an IPv4 subnet
  [[nodiscard]] IpNet masked() const;    ///< network()/prefix_length()
  [[nodiscard]] bool contains(const IpAddress& address) const;
  [[nodiscard]] bool overlaps(const IpNet& other) const;
  [[nodiscard]] bool is_default() const;  ///< 0.0.0.0/0 or ::/0
  [[nodiscard]] std::string str() const;  ///< CIDR text

  friend auto operator<=>(const IpNet&, const IpNet&) = default;
  friend bool operator==(const IpNet&, const IpNet&) = default;

 private:
  IpAddress address_;
  int prefix_length_ = 0;
};

}  // namespace unicni
