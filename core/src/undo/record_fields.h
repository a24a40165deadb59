// The named text fields of an undo record, and what they stand for. A field that is there and is
// none throws Error, naming record, field and value.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "unicni/ip.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// Throws Error if it isn't there.
const std::string& field(const Undo& record, std::string_view key);
/// Empty if it isn't there: fields that came later.
std::string_view optional_field(const Undo& record, std::string_view key);
[[noreturn]] void refuse_field(const Undo& record, std::string_view key);

/// nullopt if it isn't there, or empty; so the next ones.
template <class Number = std::uint32_t>
std::optional<Number> find_number(const Undo& record, std::string_view key) {
  const std::string_view text = optional_field(record, key);
  if (text.empty()) return std::nullopt;
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse_field(record, key);
  return value;
}
std::optional<bool> find_flag(const Undo& record, std::string_view key);
std::optional<IpAddress> find_address(const Undo& record, std::string_view key);

/// Throws Error if it isn't there; so the next ones.
template <class Number = std::uint32_t>
Number get_number(const Undo& record, std::string_view key) {
  const auto number = find_number<Number>(record, key);
  if (!number) refuse_field(record, key);
  return *number;
}
IpNet get_net(const Undo& record, std::string_view key);
IpAddress get_address(const Undo& record, std::string_view key);
/// "family": "4" or "6".
Family get_family(const Undo& record);

}  // namespace unicni::undo
