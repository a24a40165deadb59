// How long things take in tests.
#pragma once

#include <chrono>

#include "unicni/deadline.h"

namespace unicni {

/// A deadline that no test reaches.
inline Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

/// How many times as long sanitizers make the start of a process, and other work: for a bound that
/// a test comes near to.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlowness = 8;
#else
inline constexpr int kSlowness = 1;
#endif

}  // namespace unicni
