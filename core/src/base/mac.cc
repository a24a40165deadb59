#include "unicni/mac.h"

#include <fmt/core.h>
#include <sys/random.h>

#include <cerrno>

#include "unicni/error.h"

namespace unicni {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

/// The forms of Go's net.ParseMAC with six bytes. One separator throughout: "0a:58-0a…" is no MAC.
std::optional<Mac> Mac::parse(std::string_view text) {
  constexpr std::size_t kPairs = 17;   // xx:xx:xx:xx:xx:xx
  constexpr std::size_t kDotted = 14;  // xxxx.xxxx.xxxx
  std::size_t bytes_between = 0;
  char separator = '.';
  if (text.size() == kPairs && (text[2] == ':' || text[2] == '-')) {
    bytes_between = 1;
    separator = text[2];
  } else if (text.size() == kDotted) {
    bytes_between = 2;
  } else {
    return std::nullopt;
  }
  std::array<std::uint8_t, 6> bytes{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i != 0 && i % bytes_between == 0 && text[at++] != separator) return std::nullopt;
    const int high = hex_digit(text[at++]);
    const int low = hex_digit(text[at++]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return Mac(bytes);
}

Mac Mac::random() {
  std::array<std::uint8_t, 6> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw system_error(errno, "getrandom for a MAC address");
  }
  // Locally administered and unicast, as the kernel makes its own (eth_random_addr()).
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xfcU) | 0x02U);
  return Mac(bytes);
}

bool Mac::is_zero() const noexcept { return bytes_ == std::array<std::uint8_t, 6>{}; }

std::string Mac::str() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes_[0], bytes_[1], bytes_[2],
                     bytes_[3], bytes_[4], bytes_[5]);
}

}  // namespace unicni
