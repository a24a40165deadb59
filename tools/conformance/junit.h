// Verdicts as a JUnit report, which CI systems show.
#pragma once

#include <string>
#include <vector>

#include "conformance/suite.h"

namespace unicni::conformance {

/// One test suite, a test case for each check. What makes the suite fail is a failure; a milder
/// finding is the output of a test case that passed; what doesn't apply is skipped.
std::string junit(const std::string& plugin, const std::vector<Verdict>& verdicts);

}  // namespace unicni::conformance
