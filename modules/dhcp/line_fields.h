// Values of this module as fields of lines (unicni/line.h), and back.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "bytes.h"
#include "exchange.h"
#include "unicni/line.h"

namespace unicni::dhcp {

std::string to_hex(View bytes);
std::optional<Bytes> from_hex(std::string_view text);

/// A whole text that is a number; nullopt: it is none.
template <class Number>
std::optional<Number> number_of(const std::string& text) {
  Number number{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

/// Milliseconds, or "never".
std::string text_of(Instant instant);
std::optional<Instant> instant_of(const std::string& text);

/// Options by number, a field each: "<prefix><number>".
template <class Options>
void add_options(const Options& options, const std::string& prefix, Line& line) {
  for (const auto& [code, value] : options) {
    line.fields.emplace_back(prefix + std::to_string(code), to_hex(value));
  }
}
/// False: one of them is damaged.
template <class Options>
bool read_options(const Line& line, std::string_view prefix, Options& into) {
  for (const auto& [key, value] : line.fields) {
    if (!key.starts_with(prefix)) continue;
    const auto code = number_of<typename Options::key_type>(key.substr(prefix.size()));
    auto bytes = from_hex(value);
    if (!code || !bytes) return false;
    into[*code] = *std::move(bytes);
  }
  return true;
}

}  // namespace unicni::dhcp
