#include "policy/policy.h"

#include <fmt/core.h>

#include <algorithm>

namespace unicni::policy {

std::string Place::str() const { return fmt::format("{}:{}", file, line); }

const std::string& Value::json_for(const std::string& type) const {
  const auto found = std::find_if(by_type.begin(), by_type.end(),
                                  [&](const auto& each) { return each.first == type; });
  return found == by_type.end() ? json : found->second;
}

std::string Rule::title(const Place& in) const {
  const std::string where = in.str();
  return name == where ? where : fmt::format("{}: rule {}", where, name);
}

std::string Limit::str() const {
  std::string text;
  if (min && max) text = fmt::format("from {} to {}", *min, *max);
  if (min && !max) text = fmt::format("at least {}", *min);
  if (!min && max) text = fmt::format("at most {}", *max);
  if (!allowed) return text;
  text += text.empty() ? "" : " and ";
  if (allowed->empty()) return text + "none at all";
  text += allowed->size() == 1 ? "" : "one of ";
  for (const std::string& pattern : *allowed) {
    if (&pattern != &allowed->front()) text += ", ";
    text += pattern.empty() ? "\"\"" : pattern;
  }
  return text;
}

}  // namespace unicni::policy
