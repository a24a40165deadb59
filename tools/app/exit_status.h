// How a program of ours ends.
#pragma once

namespace unicni::app {

enum class ExitStatus : unsigned char {
  done = 0,
  failed = 1,     ///< it failed, or found what it was to look for
  usage = 2,      ///< it was called wrongly, or can't do its work here
  undecided = 3,  ///< it could not find out what it was asked
};

}  // namespace unicni::app
