// Rows of an option table in words: for errors, README tables and schemas.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "unicni/options.h"

namespace unicni::options {

/// A place inside the request, "ipam.ranges[0][1].subnet". Lives on the stack of the walk; text is
/// only made on demand.
class Path {
 public:
  Path() = default;  ///< the plugin's object itself
  Path(const Path& parent, std::string_view key) : parent_(&parent), key_(key) {}
  Path(const Path& parent, std::size_t index) : parent_(&parent), index_(index), is_index_(true) {}
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  [[nodiscard]] std::string str() const;
  /// It is that key of the plugin's object, or something inside.
  [[nodiscard]] bool is_below(std::string_view key) const;

 private:
  const Path* parent_ = nullptr;
  std::string_view key_;
  std::size_t index_ = 0;
  bool is_index_ = false;
};

/// Bounds of an integer row: what the row says, within what the member can hold.
struct Bounds {
  std::int64_t low;
  std::int64_t high;
};
Bounds bounds_of(const ValueType& type, const Option& row);

/// "an integer from 0 to 9": what a value of this type must be. `row` brings range and choices, for
/// a list those of its elements.
std::string expected(const ValueType& type, const Option& row);
/// The same without article, for tables: "integer, 0 to 9", "list of IP address".
std::string type_text(const ValueType& type, const Option& row);
/// The default as the row or else the freshly constructed struct has it, as in JSON but without
/// quotes; "" if there is none to speak of.
std::string default_of(const Option& row, const OptionTable& owner);

/// A value as it stands in JSON, cut to a length that suits a message.
std::string shown(const nlohmann::ordered_json& value);
std::string shown_text(std::string_view text);  ///< the same for bare text

}  // namespace unicni::options
