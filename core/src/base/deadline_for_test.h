// How long things take in tests.
#pragma once

#include <chrono>

#include "unicni/deadline.h"

namespace unicni {

/// A deadline that no test reaches.
inline Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

/// For a deadline that a test reaches, where what comes before it is the start of processes:
/// sanitizers make that several times as long.
inline std::chrono::milliseconds start_time(int milliseconds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  milliseconds *= 8;
#endif
  return std::chrono::milliseconds(milliseconds);
}

}  // namespace unicni
