#include "options/describe.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace unicni::options {
namespace {

constexpr std::size_t kShownLimit = 64;  // bytes of a value in a message

/// Cut between characters: half of one would make the error's JSON invalid.
std::string shorten(std::string text) {
  if (text.size() <= kShownLimit) return text;
  std::size_t end = kShownLimit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;  // inside UTF-8
  text.resize(end);
  return text + "...";
}

std::string choices_text(const Option& row, std::string_view before_last) {
  std::string text;
  for (const char* const* choice = row.choices; *choice != nullptr; ++choice) {
    if (choice != row.choices) text += choice[1] == nullptr ? before_last : std::string_view(", ");
    text += fmt::format("\"{}\"", *choice);
  }
  return text;
}

/// "from 0 to 9", "of at least 0", or "" if the row sets no bound.
std::string range_text(const ValueType& type, const Option& row) {
  const Bounds bounds = bounds_of(type, row);
  const bool low = bounds.low != std::numeric_limits<std::int64_t>::min();
  const bool high = bounds.high != std::numeric_limits<std::int64_t>::max();
  if (low && high) return fmt::format("from {} to {}", bounds.low, bounds.high);
  if (low) return fmt::format("of at least {}", bounds.low);
  if (high) return fmt::format("of at most {}", bounds.high);
  return "";
}

/// Owns a fresh struct for the time of a look at it.
class Specimen {
 public:
  explicit Specimen(const OptionTable& table) : table_(table), options_(table.create()) {}
  Specimen(const Specimen&) = delete;
  Specimen& operator=(const Specimen&) = delete;
  ~Specimen() { table_.destroy(options_); }
  [[nodiscard]] void* get() const { return options_; }

 private:
  const OptionTable& table_;
  void* options_;
};

}  // namespace

std::string Path::str() const {
  if (parent_ == nullptr) return "";
  std::string text = parent_->str();
  if (is_index_) return text + fmt::format("[{}]", index_);
  if (!text.empty()) text += '.';
  return text.append(key_);
}

/// Without making the text, which is only needed for messages.
bool Path::is_below(std::string_view key) const {
  if (parent_ == nullptr) return false;
  return parent_->parent_ == nullptr ? !is_index_ && key_ == key : parent_->is_below(key);
}

Bounds bounds_of(const ValueType& type, const Option& row) {
  if (!type.narrow) return {row.min, row.max};
  constexpr std::int64_t kWidest = std::numeric_limits<std::uint32_t>::max();
  return {std::max<std::int64_t>(row.min, 0), std::min(row.max, kWidest)};
}

/// Completes the sentence "… is expected, not …".
std::string expected(const ValueType& type, const Option& row) {
  switch (type.kind) {
    case ValueKind::boolean:
      return "true or false";
    case ValueKind::integer: {
      const std::string range = range_text(type, row);
      return range.empty() ? "an integer" : "an integer " + range;
    }
    case ValueKind::string:
      return row.choices == nullptr ? "a string" : choices_text(row, " or ");
    case ValueKind::ip:
      return "an IP address such as \"10.1.2.3\" or \"fd00::3\"";
    case ValueKind::cidr:
      return "an address with prefix length such as \"10.1.2.3/24\" or \"fd00::3/64\"";
    case ValueKind::mac:
      return "a MAC address such as \"0a:58:0a:01:02:03\"";
    case ValueKind::list:
      return "a list";
    case ValueKind::object:
    case ValueKind::free_object:
      return "an object";
    case ValueKind::text_map:
      return "an object of strings";
  }
  return "";
}

std::string type_text(const ValueType& type, const Option& row) {
  switch (type.kind) {
    case ValueKind::boolean:
      return "boolean";
    case ValueKind::integer: {
      const std::string range = range_text(type, row);
      return range.empty() ? "integer" : "integer " + range;
    }
    case ValueKind::string:
      return row.choices == nullptr ? "string" : choices_text(row, " or ");
    case ValueKind::ip:
      return "IP address";
    case ValueKind::cidr:
      return "address with prefix length";
    case ValueKind::mac:
      return "MAC address";
    case ValueKind::list:
      return "list of " + type_text(*type.element, row);
    case ValueKind::object:
    case ValueKind::free_object:
      return "object";
    case ValueKind::text_map:
      return "object of strings";
  }
  return "";
}

/// A row without a default text has that of the member: a struct is made and looked at, so the
/// documentation can't differ from the code.
std::string default_of(const Option& row, const OptionTable& owner) {
  if (row.default_text != nullptr) return row.default_text;
  if (row.required || row.type->engage != nullptr) return "";
  const Specimen specimen(owner);
  const void* field = row.field(specimen.get());
  switch (row.type->kind) {
    case ValueKind::boolean:
      return *static_cast<const bool*>(field) ? "true" : "false";
    case ValueKind::integer:
      return row.type->narrow ? fmt::format("{}", *static_cast<const std::uint32_t*>(field))
                              : fmt::format("{}", *static_cast<const std::int64_t*>(field));
    case ValueKind::string:
      return *static_cast<const std::string*>(field);
    default:
      return "";
  }
}

std::string shown(const nlohmann::ordered_json& value) {
  return shorten(value.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

std::string shown_text(std::string_view text) { return shown(nlohmann::ordered_json(text)); }

}  // namespace unicni::options
