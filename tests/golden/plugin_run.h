// One run of a plugin.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace unicni::golden {

struct PluginRun {
  int exit_status = -1;  ///< -1: a signal, a time-out, or it couldn't be started; `err` says which
  std::string out;
  std::string err;
};

/// Runs `program` with exactly this environment ("K=V") and `input` on descriptor 0 (nullopt:
/// closed) in a new network namespace. Killed after 20 s.
PluginRun run_plugin(const std::string& program, const std::vector<std::string>& env,
                     const std::optional<std::string>& input);

/// Puts the calling process into a network namespace of its own and a mount namespace with an empty
/// /run. Returns what failed, or "".
std::string isolate();

}  // namespace unicni::golden
