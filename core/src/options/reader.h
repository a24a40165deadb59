// JSON into option structs: rows, lists and objects.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "options/describe.h"
#include "options/keys.h"
#include "unicni/call.h"
#include "unicni/error.h"
#include "unicni/options.h"

namespace unicni::options {

/// Sets every member whose row names a default. A default that its own row refuses is
/// Error(internal).
void set_defaults(const OptionTable& table, void* options);

/// Walks objects by their tables. On DEL what is wrong becomes a warning and keeps its default;
/// otherwise it is an Error.
class Reader {
 public:
  Reader(Command command, Warnings& warnings) : command_(command), warnings_(warnings) {}

  /// The rows of `source` from `object`; `object` nullptr: the section is missing. False: a
  /// required key is missing or wrong (DEL only).
  bool read_rows(const OptionTable& table, OptionSource source,
                 const nlohmann::ordered_json* object, Neighbours neighbours, const Path& path,
                 void* options);

  [[nodiscard]] bool uses(const Option& row) const {
    return row.verbs == 0 || (row.verbs & static_cast<unsigned>(command_)) != 0;
  }
  /// Throws `error`, or on DEL keeps it as a warning.
  void refuse(const Error& error);

 private:
  bool read_row(const OptionTable& table, const Option& row, const nlohmann::ordered_json* value,
                const Path& path, void* options);
  bool read_value(const ValueType& type, const Option& row, const nlohmann::ordered_json& value,
                  const Path& path, void* field);
  void read_text_map(const Option& row, const nlohmann::ordered_json& value, const Path& path,
                     TextMap& map);
  void read_list(const ValueType& type, const Option& row, const nlohmann::ordered_json& value,
                 const Path& path, void* list);
  void read_element(const ValueType& type, const Option& row, const nlohmann::ordered_json& value,
                    const Path& path, void* list);
  /// DEL: whether an element has all its required keys; if not, the reasons become warnings.
  bool is_complete(const OptionTable& table, const nlohmann::ordered_json& value, const Path& path);

  Command command_;
  Warnings& warnings_;
};

}  // namespace unicni::options
