// A deadline that no test reaches.
#pragma once

#include <chrono>

#include "unicni/deadline.h"

namespace unicni {

inline Deadline soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(30); }

}  // namespace unicni
