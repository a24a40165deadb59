// How much of a long matrix a run takes.
#pragma once

#include <cstdlib>
#include <string_view>

namespace unicni::test {

/// The whole of tools/test --full, which sets UNICNI_FULL to "yes".
inline bool is_full() {
  const char* full = std::getenv("UNICNI_FULL");
  return full != nullptr && full == std::string_view("yes");
}

/// Of a matrix that takes minutes: the distance from one case to the next, so that each `n`-th is
/// taken, and all in a full run.
inline int every(int n) { return is_full() ? 1 : n; }

}  // namespace unicni::test
