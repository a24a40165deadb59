// One value into one member. What may be written is decided here, the messages are the callers'.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string_view>

#include "unicni/options.h"

namespace unicni::options {

enum class Outcome : unsigned char {
  set,
  absent,  ///< "" for an optional address: counts as not given
  wrong,   ///< not of the type, out of range, not a choice; the member is untouched
};

/// The place of the value: the member itself, or what a std::optional holds from now on.
inline void* engaged(const ValueType& type, void* field) {
  return type.engage == nullptr ? field : type.engage(field);
}

/// No string of ours may: for the kernel, for files and programs it would end there, and be the
/// name of something else.
bool holds_nul(std::string_view text);

/// 1, true, 0, false in any letter case (ARGS-05).
std::optional<bool> parse_boolean(std::string_view text);

/// From text: a default, a value of CNI_ARGS. Not for lists and objects.
Outcome set_from_text(const ValueType& type, const Option& row, void* field, std::string_view text);
/// From JSON: booleans are true and false only, integers are numbers (1.0 is one), everything else
/// is a string.
Outcome set_from_json(const ValueType& type, const Option& row, void* field,
                      const nlohmann::ordered_json& value);
/// Whether set_from_…() would set a member of this type.
bool fits(const ValueType& type, const Option& row, const nlohmann::ordered_json& value);
/// The same for the text of a JSON value.
bool fits_json(const ValueType& type, const Option& row, std::string_view json);
bool fits_text(const ValueType& type, const Option& row, std::string_view text);

}  // namespace unicni::options
