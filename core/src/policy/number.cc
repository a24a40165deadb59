#include "policy/number.h"

#include <charconv>

#include "protocol/document.h"

namespace unicni::policy {

std::optional<std::int64_t> whole_number(std::string_view json) {
  json = protocol::trimmed(json);
  const char* const end = json.data() + json.size();
  std::int64_t whole = 0;
  const auto [at, error] = std::from_chars(json.data(), end, whole);
  if (error == std::errc() && at == end) return whole;
  double number = 0;
  const auto [rest, wrong] = std::from_chars(json.data(), end, number);
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (wrong != std::errc() || rest != end || !(number >= -kEnd && number < kEnd)) {
    return std::nullopt;
  }
  whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? std::optional(whole) : std::nullopt;
}

}  // namespace unicni::policy
