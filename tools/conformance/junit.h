// Verdicts as a JUnit report, which CI systems show.
#pragma once

#include <string>
#include <vector>

#include "conformance/suite.h"

namespace unicni::conformance {

/// One test suite, a test case for each check, with the property "verdict". A requirement of the
/// level must that is violated is a failure; one that couldn't be checked is an error; a milder
/// finding is the output of a test case that passed; what doesn't apply is skipped.
std::string junit(const std::string& plugin, const std::vector<Verdict>& verdicts);

}  // namespace unicni::conformance
