// How a program of ours ends.
#pragma once

namespace unicni::app {

enum class ExitStatus : unsigned char {
  done = 0,
  failed = 1,  ///< it failed, or found what it was to look for
  usage = 2,   ///< it was called wrongly and did nothing
};

}  // namespace unicni::app
