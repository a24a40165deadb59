// A call of the plugin that has no answer.
#pragma once

#include <chrono>
#include <string>

#include "probe/process.h"

namespace unicni::conformance {

/// The requirement that every call violates that has none.
inline constexpr const char* kAnswerId = "EXEC-21";

/// So many calls in a row without an answer, and the plugin isn't called any more.
inline constexpr int kSilentInARow = 3;

/// "no answer within 5 s, so it was killed", or how else the plugin didn't come to an end of its
/// own; empty: it did, whatever it said.
std::string silence_of(const probe::Output& output, std::chrono::milliseconds limit);

/// Of what a call was given: "ADD".
std::string command_of(const probe::Spawn& spawn);

/// "5 s", "0.3 s"
std::string in_seconds(std::chrono::milliseconds time);

}  // namespace unicni::conformance
