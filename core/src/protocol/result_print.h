// Results as JSON: every spec version (RES, CONV).
#pragma once

#include <string>

#include "protocol/version.h"
#include "unicni/result.h"

namespace unicni::protocol {

/// The result in the layout of `version`, 4-space indent, no newline at the end, key order of the
/// reference. Error(invalid_config) "cannot convert …" if 0.1.0 or 0.2.0 is asked and there is no
/// address (CONV-09).
std::string print_result(const Result& result, SpecVersion version);
/// The same on one line: what goes into a request as prevResult.
std::string print_compact_result(const Result& result, SpecVersion version);

}  // namespace unicni::protocol
