// Plugins stopped at a chosen place of their life, by ptrace(2): for kill -9, or to let something
// happen meanwhile.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/process.h"

namespace unicni::test {

// A step is a thing that others can see: a message to the kernel by netlink, a write or a new,
// renamed or removed name below /run, /var/lib/cni or /proc/sys, a write to stdout, the exit. A
// program stopped at its k-th (from 1) is about to do it and has done all before, so that all k
// together are the boundaries of all records of a journal and of all changes after them.
struct Stop {
  bool reached = false;  ///< false: the program ended before its k-th step
  std::string step;      ///< number and kind of the step, for messages
  Output output;
};

/// Runs the program and kills it at its k-th step.
Stop kill_at(const Spawn& spawn, int k);
/// Runs the program to its end and tells by which system calls it made a process or became another
/// program; copies of itself, as wait for the kernel behind a deletion (exec/forked_children.h),
/// are only counted.
struct Life {
  std::vector<std::string> births;
  int forks = 0;
  Output output;
};
Life watch_births(const Spawn& spawn);
/// Runs the program, stops it at its k-th step, does `work`, and lets it go on to its end.
Stop pause_at(const Spawn& spawn, int k, const std::function<void()>& work);

}  // namespace unicni::test
