#include "policy/member.h"

#include <fmt/core.h>

#include "policy/glob.h"

namespace unicni::policy {

std::string Change::str() const {
  constexpr const char* kNames[] = {"default", "override", "add", "lower"};
  const std::string what = key.empty() ? type : fmt::format("{}.{}={}", type, key, json);
  return fmt::format("{} {}: {} ({})", kNames[static_cast<int>(effect)], what, rule, place.str());
}

bool Member::is_of(const Patterns& types) const {
  return (!plugin.type.empty() && matches_any(types, plugin.resolved)) ||
         (!ipam.type.empty() && matches_any(types, ipam.resolved));
}

}  // namespace unicni::policy
