// nlohmann/json for tests.
#pragma once

#include "probe/json.h"

// Compiled in json.cc instead of in every test that looks into a result.
extern template class nlohmann::basic_json<nlohmann::ordered_map>;

namespace unicni::test {

using probe::Json;

}  // namespace unicni::test
