// Words for people who run the executable by hand.
#pragma once

namespace unicni::exec {

/// --help, --version; anything else is refused. Returns the exit status.
int answer_arguments(int argc, char** argv);

}  // namespace unicni::exec
