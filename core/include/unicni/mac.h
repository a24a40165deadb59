// Ethernet hardware addresses.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace unicni {

class Mac {
 public:
  Mac() = default;  ///< 00:00:00:00:00:00
  explicit Mac(const std::array<std::uint8_t, 6>& bytes) : bytes_(bytes) {}
  /// "0a:58:0a:01:02:03", also with '-' or as "0a58.0a01.0203", any letter case. Anything else:
  /// nullopt.
  static std::optional<Mac> parse(std::string_view text);
  /// Random, unicast, locally administered (getrandom(2)).
  static Mac random();

  [[nodiscard]] const std::array<std::uint8_t, 6>& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_zero() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept { return (bytes_[0] & 1U) != 0; }
  [[nodiscard]] std::string str() const;  ///< lower case with colons

  friend bool operator==(const Mac&, const Mac&) = default;

 private:
  std::array<std::uint8_t, 6> bytes_{};
};

}  // namespace unicni
