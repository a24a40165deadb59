#include "comparable.h"

#include <charconv>
#include <cstdint>
#include <map>

#include "protocol/document.h"

namespace unicni::unictl {
namespace {

/// "-15e2": the digits without zeros around them, and the power of ten of the last one. An exponent
/// that nobody could write out stays as it is.
std::string number_text(std::string_view json) {
  const bool is_negative = json.starts_with('-');
  const auto mark = json.find_first_of("eE");
  const std::string_view mantissa = json.substr(0, mark);
  std::int64_t power = 0;
  if (mark != std::string_view::npos) {
    std::string_view exponent = json.substr(mark + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const char* const end = exponent.data() + exponent.size();
    const auto [at, error] = std::from_chars(exponent.data(), end, power);
    constexpr std::int64_t kMost = 1'000'000'000'000;
    if (error != std::errc() || power > kMost || power < -kMost) return std::string(json);
  }
  std::string digits;
  bool is_fraction = false;
  for (const char c : mantissa) {
    if (c == '.') is_fraction = true;
    if (c == '.' || c == '-') continue;
    digits += c;
    if (is_fraction) --power;
  }
  digits.erase(0, digits.find_first_not_of('0'));
  while (digits.ends_with('0')) {
    digits.pop_back();
    ++power;
  }
  if (digits.empty()) return "0";
  return (is_negative ? "-" : "") + digits + 'e' + std::to_string(power);
}

std::string object_text(std::string_view json) {
  std::map<std::string, std::string_view> members;
  for (const protocol::RawMember& member : protocol::split_object(json)) {
    members.insert_or_assign(member.key, protocol::trimmed(member.value));
  }
  std::string text = "{";
  for (const auto& [key, value] : members) {
    if (value == "null") continue;
    if (text.size() > 1) text += ',';
    text.append(protocol::quote(key)).append(":").append(comparable(value));
  }
  return text + '}';
}

}  // namespace

std::string comparable(std::string_view json) {
  json = protocol::trimmed(json);
  if (json.starts_with('{')) return object_text(json);
  if (json.starts_with('"')) return protocol::quote(protocol::unquoted(json));
  if (!json.starts_with('[')) {
    const bool is_word = json == "true" || json == "false" || json == "null" || json.empty();
    return is_word ? std::string(json) : number_text(json);
  }
  std::string text = "[";
  for (const std::string_view element : protocol::split_array(json)) {
    if (text.size() > 1) text += ',';
    text += comparable(element);
  }
  return text + ']';
}

}  // namespace unicni::unictl
