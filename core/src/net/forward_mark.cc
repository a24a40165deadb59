#include "net/forward_mark.h"

#include <fmt/core.h>

#include <charconv>
#include <string_view>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net {

std::uint32_t forward_mark() {
  constexpr unsigned kBits = 32;
  const auto file = sys::read_file(kForwardMarkFile);
  if (!file) return 1U << kDefaultForwardMarkBit;
  std::string_view text = *file;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  unsigned bit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bit);
  if (error != std::errc() || end != text.data() + text.size() || bit >= kBits) {
    throw Error(
        Code::invalid_config,
        fmt::format("{}: \"{}\" is no bit of a packet's mark", kForwardMarkFile,
                    text.substr(0, kBits)),
        fmt::format("a number from 0 to 31; without the file it is {}", kDefaultForwardMarkBit));
  }
  return 1U << bit;
}

}  // namespace unicni::net
