// A tree as the JSON that protocol and options read. What a plain YAML scalar is, the option table
// decides: `no` is false for a boolean option and "no" for a string; 0x1 is 1 for an integer and
// "0x1" for a string. Only where no table knows the key, it is what YAML's core schema says
// (document/plain.h). Quoted scalars are strings everywhere, and nothing, ~ and null are JSON's
// null everywhere, which leaves an option's default. In a JSON document all values are what JSON
// says.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "document/document.h"
#include "document/finding.h"
#include "document/node.h"
#include "options/keys.h"
#include "unicni/options.h"

namespace unicni::document {

/// From so many findings on only wrong values are looked for: a file of 1 MiB may have 100,000 keys
/// that nobody knows, and finding the nearest known one takes its time.
inline constexpr std::size_t kFindingLimit = 1000;

/// Whether an integer may be written as 100M (document/plain.h). A netconf has digits only, and so
/// has a chain; a policy has both.
enum class Sizes : unsigned char { digits, with_units };

class TypedWriter {
 public:
  TypedWriter(Syntax syntax, std::vector<Finding>& findings, Sizes sizes = Sizes::digits)
      : syntax_(syntax), sizes_(sizes), findings_(findings) {}

  /// A value that no table describes.
  [[nodiscard]] std::string free(const Node& node) const;
  /// A value of a row's type, or an element of it. A finding if it doesn't fit.
  std::string value(const ValueType& type, const Option& row, const Node& node,
                    const std::string& path);
  /// An object whose rows are those of `source`. Findings for keys that nobody knows (unless
  /// Neighbours::many), for keys in another letter case and for required ones that are missing. A
  /// key that is not offered yet is written, but not looked at.
  std::string object(const OptionTable& table, OptionSource source, options::Neighbours neighbours,
                     const Node& map, const std::string& path);

  /// The parts of object(), for who has keys of its own beside a table's. member() is a key's value
  /// by its row, or free.
  std::string member(const OptionTable& table, OptionSource source, const Child& child,
                     const std::string& path);
  void check_key(const OptionTable& table, OptionSource source, options::Neighbours neighbours,
                 const Node& map, const Child& child, const std::string& path);
  void check_required(const OptionTable& table, OptionSource source, const Node& map,
                      const std::string& path);
  void add(FindingKind kind, Position position, std::string text, std::string details);
  /// "<path>: <expected> is expected, not <value>"
  void add_wrong(const Node& node, const std::string& path, std::string_view expected,
                 std::string details);

 private:
  std::string scalar(const ValueType& type, const Option& row, const Node& node,
                     const std::string& path);
  [[nodiscard]] std::string scalar_json(ValueKind kind, const Node& node) const;

  Syntax syntax_;
  Sizes sizes_;
  std::vector<Finding>& findings_;
};

/// "key":value, with a comma in front unless it is the first of `object`, which begins with "{".
void append_member(std::string& object, std::string_view key, std::string_view json);

}  // namespace unicni::document
