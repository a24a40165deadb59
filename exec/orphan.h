// What becomes of a child that outlives us.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace unicni::exec {

/// Whether somebody can be expected to reap the children that this process leaves behind. They go
/// to the nearest subreaper or to init, and the kernel doesn't tell who is a subreaper, so this
/// goes by what those who started us do about SIGCHLD: a process that neither ignores, blocks nor
/// catches it waits for nobody but its own. A Go program catches it with everything else and is
/// taken for a runtime under an init that reaps; but not as init itself, nor whoever is init and
/// called us. The first program of the machine always reaps. Costs one or two looks into /proc;
/// what can't be seen counts as no.
bool are_orphans_reaped() noexcept;

/// One process as its /proc/<pid>/status tells.
struct Waiting {
  pid_t parent = 0;
  bool hears = false;  ///< of the end of children: ignores (the kernel reaps), blocks or catches it
  bool catches_all = false;  ///< as the runtime of Go does
};
Waiting parse_waiting(std::string_view status);

}  // namespace unicni::exec
