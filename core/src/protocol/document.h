// One JSON document: parsed once, strictly, into a tree; and its text cut into members without
// another parse.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::protocol {

class GcList;

/// RFC 8259 text in strict UTF-8, nothing but white space after it, nested no deeper than
/// kNestingLimit (request.h); of equal keys in one object the last wins. Error(decode): "cannot
/// decode <what>: …". Members of the outermost object that `lists` are named after become those,
/// and are not in the tree.
nlohmann::ordered_json parse_document(std::string_view text, std::string_view what,
                                      std::span<GcList> lists = {});

/// Why parse_document() refuses a text, and where.
struct DocumentFault {
  std::size_t offset;  ///< of the byte that is wrong; the text's size if its end is
  std::string why;
};
/// nullopt: parse_document() takes `text`. For who names the place in a message of its own. A text
/// that is nested too deep has the offset at which it was given up, which is its end.
std::optional<DocumentFault> find_fault(std::string_view text);

/// The value of `key` in an object: exact spelling first, else any letter case (same_letters()), as
/// Go finds struct fields. nullptr: absent or null.
const nlohmann::ordered_json* find_field(const nlohmann::ordered_json& object,
                                         std::string_view key);
/// The value of exactly `key`, also if it is null; nullptr: absent. Never throws, unlike at().
const nlohmann::ordered_json* find_exact(const nlohmann::ordered_json& object,
                                         std::string_view key);
/// Equal but for the case of letters, as Go's decoder compares keys: that of ASCII's, the long s
/// and the sign of kelvin.
bool same_letters(std::string_view a, std::string_view b);

/// "string", "number" … for messages.
const char* kind_of(const nlohmann::ordered_json& json);
/// A value as messages show it: a scalar as JSON, at most 120 bytes of it; else its kind.
std::string shown(const nlohmann::ordered_json& json);

/// A member of an object's text: numbers and escapes as they were written.
struct RawMember {
  std::string key;  ///< unescaped
  std::string_view value;
  std::string_view whole;  ///< key, colon and value
};
/// `object` must be text that parse_document() took, or a value out of such a text. Equal keys are
/// all listed.
std::vector<RawMember> split_object(std::string_view object);
std::vector<std::string_view> split_array(std::string_view array);
/// What a string says. `string` must be one, with its quotes, of a text that parse_document() took.
std::string unquoted(std::string_view string);
/// The member of `key`; nullptr: absent. The last of equal keys counts, and the exact spelling more
/// than another letter case, as find_field() does.
const RawMember* find_raw(const std::vector<RawMember>& members, std::string_view key);
/// `text` without JSON's white space around it.
std::string_view trimmed(std::string_view text);
/// `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
std::string quote(std::string_view text);

}  // namespace unicni::protocol
