// Running another program: foreign plugins.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/log.h"

namespace unicni::sys {

struct ProcessResult {
  int exit_status = 0;     ///< of exit(3), or -1 if a signal ended it
  int signal = 0;          ///< that signal, or 0
  bool timed_out = false;  ///< killed by us at the deadline
  std::string out;         ///< stdout, at most kOutputLimit bytes
  std::string err_tail;    ///< the last 4 KiB of stderr (all of it went to `log` while it ran)
};
inline constexpr std::size_t kOutputLimit = 32U << 20U;

/// Runs `program` (absolute path, no shell, no PATH search) with argv {program, arguments…}, the
/// environment `env` ("K=V") and `input` on stdin; reads stdout and stderr concurrently, passes
/// stderr on to `log`, which may be nullptr. A program that doesn't read stdin is fine. At
/// `deadline` its process group gets SIGTERM, then SIGKILL 0.2 s later, and pipes that its children
/// hold open are not waited for. ETXTBSY is retried with growing pauses until the deadline. Throws
/// Error if it can't be started.
ProcessResult run_process(const std::string& program, const std::vector<std::string>& env,
                          std::string_view input, Deadline deadline,
                          const std::vector<std::string>& arguments = {}, LogSink* log = nullptr);

}  // namespace unicni::sys
