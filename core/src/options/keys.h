// Keys of a JSON object against the rows of a table: which value belongs to a row, and which key
// belongs to nobody.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "options/describe.h"
#include "options/warnings.h"
#include "unicni/options.h"

namespace unicni::options {

/// The value of `row` in `object`: the exact spelling, else (KeyCase::any) the last key that
/// differs in letter case only, as Go reads it. nullptr: absent or null, which leaves the default.
const nlohmann::ordered_json* find_value(const nlohmann::ordered_json& object, const Option& row);

/// Who else may have keys in an object.
enum class Neighbours : unsigned char {
  none,    ///< the object is this module's own: what no row knows is a mistake
  plugin,  ///< a plugin's object: also the keys that the CNI spec and runtimes put there
  ipam,    ///< an "ipam" object: also "type"
  many,    ///< shared with other plugins: unknown keys are not ours to judge
};

/// How `key` is rightly spelled: as it is, or in another letter case, as Go takes it. nullptr: no
/// row of `source` has it, nor a neighbour.
const char* known_spelling(const OptionTable& table, OptionSource source, Neighbours neighbours,
                           std::string_view key);
/// The row of `source` that reads `key`, in whatever letter case it takes; nullptr: none.
const Option* find_row(const OptionTable& table, OptionSource source, std::string_view key);
/// False: the table knows nothing of that section, which isn't looked at: its keys are other
/// plugins' business.
bool has_rows(const OptionTable& table, OptionSource source);
/// What may help with a key that nobody knows: where else it is read from, or the nearest known
/// one. "": nothing.
std::string hint_for(std::string_view key, const OptionTable& table, OptionSource source,
                     Neighbours neighbours);

/// One warning a key that no row with `source` knows (with the nearest known one), or that is not
/// spelled exactly, but in runtimeConfig: containerd writes "IngressRate".
void warn_of_keys(const nlohmann::ordered_json& object, const Path& path, const OptionTable& table,
                  OptionSource source, Neighbours neighbours, Warnings& warnings);

}  // namespace unicni::options
