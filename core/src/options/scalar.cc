#include "options/scalar.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "options/describe.h"
#include "protocol/document.h"

namespace unicni::options {
namespace {

template <class T>
Outcome put(const ValueType& type, void* field, T value) {
  *static_cast<T*>(engaged(type, field)) = std::move(value);
  return Outcome::set;
}

template <class T>
Outcome put_if(const ValueType& type, void* field, const std::optional<T>& value) {
  return value ? put(type, field, *value) : Outcome::wrong;
}

/// Bounds are those of the row and of the C++ type.
Outcome put_integer(const ValueType& type, const Option& row, void* field,
                    std::optional<std::int64_t> value) {
  const Bounds bounds = bounds_of(type, row);
  if (!value || *value < bounds.low || *value > bounds.high) return Outcome::wrong;
  return type.narrow ? put(type, field, static_cast<std::uint32_t>(*value))
                     : put(type, field, *value);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// JSON has one kind of number, and writers print 1500.0 or 1.5e3 for 1500. Whole numbers are taken
/// however they are written.
std::optional<std::int64_t> integer_of(const nlohmann::ordered_json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  constexpr double kEnd = 9223372036854775808.0;  // 2^63
  if (!(number >= -kEnd && number < kEnd)) return std::nullopt;
  const auto integer = static_cast<std::int64_t>(number);  // cuts off what is behind the point
  if (static_cast<double>(integer) != number) return std::nullopt;
  return integer;
}

bool is_choice(const Option& row, std::string_view text) {
  if (row.choices == nullptr) return true;
  for (const char* const* choice = row.choices; *choice != nullptr; ++choice) {
    if (text == *choice) return true;
  }
  return false;
}

template <class T, class Set>
bool on_trial_as(const ValueType& plain, const Set& set) {
  T trial{};
  return set(plain, &trial);
}

/// Runs `set` on a member that is thrown away.
/// An element is tried before it is appended to its list, as it could not be taken back.
template <class Set>
bool on_trial(const ValueType& type, const Set& set) {
  const ValueType plain{type.kind, nullptr, nullptr, nullptr, nullptr, type.narrow};
  switch (type.kind) {
    case ValueKind::boolean:
      return on_trial_as<bool>(plain, set);
    case ValueKind::integer:
      return type.narrow ? on_trial_as<std::uint32_t>(plain, set)
                         : on_trial_as<std::int64_t>(plain, set);
    case ValueKind::string:
      return on_trial_as<std::string>(plain, set);
    case ValueKind::ip:
      return on_trial_as<IpAddress>(plain, set);
    case ValueKind::cidr:
      return on_trial_as<IpNet>(plain, set);
    case ValueKind::mac:
      return on_trial_as<Mac>(plain, set);
    case ValueKind::list:
    case ValueKind::object:
    case ValueKind::text_map:
    case ValueKind::free_object:
      break;
  }
  return false;
}

}  // namespace

bool holds_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "1" || protocol::same_letters(text, "true")) return true;
  if (text == "0" || protocol::same_letters(text, "false")) return false;
  return std::nullopt;
}

/// Texts of CNI_ARGS and strings of JSON go the same way, as do defaults.
Outcome set_from_text(const ValueType& type, const Option& row, void* field,
                      std::string_view text) {
  switch (type.kind) {
    case ValueKind::boolean:
      return put_if(type, field, parse_boolean(text));
    case ValueKind::integer:
      return put_integer(type, row, field, parse_integer(text));
    case ValueKind::string:
      if (holds_nul(text) || !is_choice(row, text)) return Outcome::wrong;
      return put(type, field, std::string(text));
    case ValueKind::ip:
      if (text.empty() && type.engage != nullptr) return Outcome::absent;
      return put_if(type, field, IpAddress::parse(text));
    case ValueKind::cidr:
      return put_if(type, field, IpNet::parse(text));
    case ValueKind::mac:
      if (text.empty() && type.engage != nullptr) return Outcome::absent;
      return put_if(type, field, Mac::parse(text));
    case ValueKind::list:
    case ValueKind::object:
    case ValueKind::text_map:
    case ValueKind::free_object:
      break;
  }
  return Outcome::wrong;
}

Outcome set_from_json(const ValueType& type, const Option& row, void* field,
                      const nlohmann::ordered_json& value) {
  if (type.kind == ValueKind::boolean) {
    return value.is_boolean() ? put(type, field, value.get<bool>()) : Outcome::wrong;
  }
  if (type.kind == ValueKind::integer) return put_integer(type, row, field, integer_of(value));
  if (!value.is_string()) return Outcome::wrong;
  return set_from_text(type, row, field, value.get_ref<const std::string&>());
}

bool fits(const ValueType& type, const Option& row, const nlohmann::ordered_json& value) {
  return on_trial(type, [&](const ValueType& plain, void* field) {
    return set_from_json(plain, row, field, value) == Outcome::set;
  });
}

bool fits_json(const ValueType& type, const Option& row, std::string_view json) {
  return fits(type, row, protocol::parse_document(json, "a value"));
}

bool fits_text(const ValueType& type, const Option& row, std::string_view text) {
  return on_trial(type, [&](const ValueType& plain, void* field) {
    return set_from_text(plain, row, field, text) == Outcome::set;
  });
}

}  // namespace unicni::options
