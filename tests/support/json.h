// nlohmann/json for tests: a wrong assumption about a document is an exception, which fails one
// test, and no abort, which ends all.
#pragma once

#include <stdexcept>
#include <string>

namespace unicni::test {

[[noreturn]] inline void fail_json_assumption(const char* condition) {
  throw std::logic_error(std::string("json: ") + condition);
}

}  // namespace unicni::test

#define JSON_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::unicni::test::fail_json_assumption(#condition))

#include <nlohmann/json.hpp>

// Compiled in json.cc instead of in every test that looks into a result.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace unicni::test {

using Json = nlohmann::ordered_json;

}  // namespace unicni::test
