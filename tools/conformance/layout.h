// The keys and types that a result has in each version of the specification.
#pragma once

#include "conformance/check.h"

namespace unicni::conformance {

/// What is wrong with a result that claims to be of `version`, by requirement: RES-01, RES-03,
/// RES-04, RES-05 (keys of a version), RES-06 (index of the interface), RES-08 (addresses), RES-13
/// (names), DNS-01.
Findings layout_errors(const Json& result, const std::string& version);

/// The requirement that has the keys of a version's results.
std::string layout_id(const std::string& version);

}  // namespace unicni::conformance
