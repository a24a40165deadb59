// What a program around core owns and core works with.
#pragma once

#include "base/background_child.h"
#include "base/program_runner.h"
#include "unicni/folders.h"
#include "unicni/log.h"
#include "unicni/observer.h"

namespace unicni {

/// The executable has one for its one verb, a library's user as many as he likes. Outlives all that
/// it was handed to. Constant while verbs run; what the pointers lead to serves all threads.
struct Services {
  Folders folders = {};
  LogSink* log = nullptr;                      ///< nullptr: nobody listens
  Observer* observer = nullptr;                ///< nullptr: nobody asks
  sys::BackgroundChild* background = nullptr;  ///< nullptr: the verb waits itself
  sys::ProgramRunner* programs = nullptr;      ///< nullptr: they are children of the verb's process
};

/// sys::run_process(), by who runs programs for the verb. All that core runs is run so.
sys::ProcessResult run_program(const Services& services, const std::string& program,
                               const std::vector<std::string>& env, std::string_view input,
                               Deadline deadline, const std::vector<std::string>& arguments = {});

}  // namespace unicni
