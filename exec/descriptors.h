// stdin, stdout and stderr of a process that was started without them.
#pragma once

namespace unicni::exec {

/// Fills the places of closed standard descriptors, so that no journal, lock or socket that is
/// opened later becomes stdout. What is put there is open the wrong way round: reading a missing
/// stdin and writing to a missing stdout fail as if it were still closed. Call it before anything
/// is opened.
void fill_standard_descriptors() noexcept;

}  // namespace unicni::exec
