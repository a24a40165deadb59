// Until when a verb may wait.
#pragma once

#include <chrono>

namespace unicni {

/// Every wait of a verb ends by then: locks, programs, D-Bus.
using Deadline = std::chrono::steady_clock::time_point;

}  // namespace unicni
