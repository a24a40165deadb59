#include "document/plain.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <system_error>

#include "options/size_unit.h"
#include "protocol/document.h"

namespace unicni::document {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool are_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// `word`, which is in small letters, in one of YAML's three ways to write it.
bool is_word(std::string_view text, std::string_view word) {
  if (!protocol::same_letters(text, word)) return false;
  const auto is_capital = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto capitals = std::count_if(text.begin(), text.end(), is_capital);
  return capitals == 0 || static_cast<std::size_t>(capitals) == text.size() ||
         (capitals == 1 && is_capital(text.front()));
}

/// Digits behind 0x or 0o as a decimal.
std::optional<std::string> with_base(std::string_view text) {
  const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
  if (base == 0 || text.size() == 2) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 2, end, value, base);
  if (stop != end || error != std::errc()) return std::nullopt;
  return fmt::format("{}", value);
}

/// A number as JSON has it, if it can: of the form [-+]? digits [. digits] [e [-+] digits], with a
/// digit on one side of the point at least.
std::optional<std::string> decimal(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  std::string_view mantissa = text.substr(0, e);
  const std::string_view exponent = text.substr(e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  std::string_view whole = mantissa.substr(0, point);
  const std::string_view fraction = mantissa.substr(std::min(point + 1, mantissa.size()));
  if (whole.empty() && fraction.empty()) return std::nullopt;
  if (!whole.empty() && !are_digits(whole)) return std::nullopt;
  if (!fraction.empty() && !are_digits(fraction)) return std::nullopt;
  if (!exponent.empty()) {
    std::string_view digits = exponent.substr(1);
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (!are_digits(digits)) return std::nullopt;
  }
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  std::string number = is_negative ? "-" : "";
  number += whole.empty() ? "0" : whole;
  if (point < mantissa.size()) number.append(".").append(fraction.empty() ? "0" : fraction);
  number += exponent;
  if (protocol::find_fault(number))
    return std::nullopt;  // larger than any number of JSON's readers
  return number;
}

}  // namespace

std::optional<std::string> plain_boolean(std::string_view text) {
  for (const std::string_view word : {"true", "yes", "on"}) {
    if (is_word(text, word)) return "true";
  }
  for (const std::string_view word : {"false", "no", "off"}) {
    if (is_word(text, word)) return "false";
  }
  return std::nullopt;
}

std::optional<std::string> plain_integer(std::string_view text) {
  const auto is_joined = [is_hex = text.starts_with("0x")](char c) {
    return is_digit(c) || (is_hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
  };
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool joins = text[i] == '_' && i > 0 && is_joined(text[i - 1]) && i + 1 < text.size() &&
                       is_joined(text[i + 1]);
    if (!joins) digits += text[i];
  }
  if (auto number = with_base(digits)) return number;
  std::string_view unsigned_part = digits;
  if (unsigned_part.starts_with('-') || unsigned_part.starts_with('+')) {
    unsigned_part.remove_prefix(1);
  }
  if (unsigned_part.size() > 1 && unsigned_part[0] == '0' && is_digit(unsigned_part[1])) {
    return std::nullopt;
  }
  return decimal(digits);
}

std::string plain_json(std::string_view text) {
  if (text.empty() || text == "~" || is_word(text, "null")) return "null";
  if (is_word(text, "true")) return "true";
  if (is_word(text, "false")) return "false";
  if (const auto number = with_base(text)) return *number;
  if (const auto number = decimal(text)) return *number;
  return protocol::quote(text);
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789_"), text.size());
  const auto plain = plain_integer(text.substr(0, digits));
  const std::string_view suffix = text.substr(digits);
  const auto unit =
      std::find_if(options::kSizeUnits.begin(), options::kSizeUnits.end(),
                   [&](const options::SizeUnit& each) { return each.suffix == suffix; });
  const bool has_unit = unit != options::kSizeUnits.end();
  if (!plain || (!has_unit && !suffix.empty())) return std::nullopt;
  const std::int64_t factor = has_unit ? unit->factor : 1;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(plain->data(), plain->data() + plain->size(), number);
  if (error != std::errc() || end != plain->data() + plain->size()) return std::nullopt;
  if (number > std::numeric_limits<std::int64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

}  // namespace unicni::document
