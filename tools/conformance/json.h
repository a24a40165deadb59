// JSON of the suite. A wrong assumption about what a plugin printed is an exception, which ends one
// check, and no abort, which ends all.
#pragma once

#include <stdexcept>
#include <string>

namespace unicni::conformance {

[[noreturn]] inline void fail_json_assumption(const char* condition) {
  throw std::logic_error(std::string("json: ") + condition);
}

}  // namespace unicni::conformance

#ifndef JSON_ASSERT
#define JSON_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::unicni::conformance::fail_json_assumption(#condition))
#endif

#include <nlohmann/json.hpp>

namespace unicni::conformance {

using Json = nlohmann::ordered_json;

/// What a JSON text says; a discarded value if it isn't exactly one document.
inline Json parse_json(const std::string& text) { return Json::parse(text, nullptr, false); }

}  // namespace unicni::conformance
