// JSON for whoever judges plugins. A wrong assumption about what one printed is an exception, which
// ends one check or test, and no abort, which ends all.
#pragma once

#include <stdexcept>
#include <string>

namespace unicni::probe {

[[noreturn]] inline void fail_json_assumption(const char* condition) {
  throw std::logic_error(std::string("json: ") + condition);
}

}  // namespace unicni::probe

#ifndef JSON_ASSERT
#define JSON_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::unicni::probe::fail_json_assumption(#condition))
#endif

#include <nlohmann/json.hpp>

namespace unicni::probe {

using Json = nlohmann::ordered_json;

/// What a JSON text says; a discarded value if it isn't exactly one document, or one that is nested
/// deeper than kDeepest.
Json parse_json(const std::string& text);

/// Whoever prints or compares a value calls itself for each level: a plugin that prints a million
/// brackets would end its judge. Go's decoder takes 10,000 levels, results have six.
inline constexpr int kDeepest = 1000;

}  // namespace unicni::probe
