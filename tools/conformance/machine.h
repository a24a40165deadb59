// The machine on which checks are made.
#pragma once

namespace unicni::conformance {

/// Makes an empty check. 1 where that takes less than a third of a second; on a slower machine as
/// many times more as it takes, at most 6: time limits are to grow with it. Throws CannotRun
/// (subject.h) if there are no namespaces to be had, or a tool is missing.
int slowness_of_machine();

}  // namespace unicni::conformance
