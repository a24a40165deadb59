// How much of a long matrix a run takes.
#pragma once

#include <cstdlib>

namespace unicni::test {

/// The whole of tools/test --full, which sets UNICNI_FULL.
inline bool is_full() { return std::getenv("UNICNI_FULL") != nullptr; }

/// Of a matrix that takes minutes: the distance from one case to the next, so that each `n`-th is
/// taken, and all in a full run.
inline int every(int n) { return is_full() ? 1 : n; }

}  // namespace unicni::test
