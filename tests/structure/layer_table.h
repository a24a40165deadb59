// core/layers.txt: which unit of core stands on which, and whose a public header is.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::structure {

class LayerTable {
 public:
  /// Throws std::runtime_error, naming the line, if the text isn't one.
  explicit LayerTable(std::string_view text);

  [[nodiscard]] bool has(const std::string& unit) const { return below_.contains(unit); }
  /// Whether `unit` may include what is `other`'s: its own, and of every unit it stands on.
  [[nodiscard]] bool may_include(const std::string& unit, const std::string& other) const;
  /// The unit of "unicni/net/link.h" or "unicni/call.h"; empty: no row names it.
  [[nodiscard]] std::string unit_of_header(const std::string& header) const;
  [[nodiscard]] std::vector<std::string> units() const;

 private:
  std::map<std::string, std::set<std::string>> below_;  // with what those stand on
  std::map<std::string, std::string> headers_;  // "call.h", or "sys/" for a whole folder, to unit
};

}  // namespace unicni::structure
