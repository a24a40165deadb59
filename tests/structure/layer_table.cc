#include "layer_table.h"

#include <sstream>
#include <stdexcept>

namespace unicni::structure {

LayerTable::LayerTable(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::string unit = line.substr(0, colon);
    if (colon == std::string::npos || unit.find(' ') != std::string::npos || has(unit)) {
      throw std::runtime_error("core/layers.txt: \"" + line + "\" is no row of a new unit");
    }
    std::set<std::string>& below = below_[unit];
    const std::size_t bar = std::min(line.find('|'), line.size());
    std::istringstream units(line.substr(colon + 1, bar - colon - 1));
    for (std::string each; units >> each;) {
      // Only rows above: so there is no circle.
      if (each == unit || !has(each)) {
        throw std::runtime_error("core/layers.txt: " + unit + " stands on " + each +
                                 ", which has no row above it");
      }
      below.insert(each);
      below.insert(below_[each].begin(), below_[each].end());
    }
    headers_[unit + "/"] = unit;
    std::istringstream headers(line.substr(std::min(bar + 1, line.size())));
    for (std::string each; headers >> each;) headers_[each] = unit;
  }
}

bool LayerTable::may_include(const std::string& unit, const std::string& other) const {
  return unit == other || below_.at(unit).contains(other);
}

std::string LayerTable::unit_of_header(const std::string& header) const {
  const std::string below = header.substr(std::string_view("unicni/").size());
  auto found = headers_.find(below);
  if (found == headers_.end()) found = headers_.find(below.substr(0, below.find('/') + 1));
  return found == headers_.end() ? std::string() : found->second;
}

std::vector<std::string> LayerTable::units() const {
  std::vector<std::string> names;
  for (const auto& [unit, below] : below_) names.push_back(unit);
  return names;
}

}  // namespace unicni::structure
