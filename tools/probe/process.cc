#include "probe/process.h"

#include <sys/wait.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace unicni::probe {
namespace {

using Clock = std::chrono::steady_clock;

/// For what a plugin printed and its pipe still holds when it has ended.
constexpr std::chrono::milliseconds kAfterEnd{50};

std::string cut(std::string text) {
  constexpr std::size_t kMost = 400;
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > kMost) text.replace(kMost, text.npos, " ...");
  return text;
}

Output run_tool(const std::vector<std::string>& argv, int netns) {
  return run({.argv = argv, .env = {kPath}, .netns = netns, .limit = kUsualLimit});
}

}  // namespace

Running::Running(const Spawn& spawn) : end_(Clock::now() + spawn.limit), child_(spawn) {}

Output Running::wait() {
  Output output;
  while (child_.is_printing() || !child_.has_ended()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    if (left.count() <= 0) {
      output.hung = !child_.has_ended();
      break;
    }
    if (output.out.size() > kMostOutput || output.err.size() > kMostOutput) {
      output.flooded = true;
      break;
    }
    const bool had_ended = child_.has_ended();
    child_.read(left, output.out, output.err);
    if (!had_ended && child_.has_ended()) end_ = std::min(end_, Clock::now() + kAfterEnd);
  }
  if (!child_.has_ended()) child_.kill();
  const int state = child_.reap();
  output.exec_error = child_.exec_error();
  if (WIFEXITED(state)) output.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) output.signal = WTERMSIG(state);
  return output;
}

std::string Output::str() const {
  std::string text = hung          ? "it hung and was killed"
                     : flooded     ? "it printed without end and was killed"
                     : signal != 0 ? "signal " + std::to_string(signal)
                                   : "exit status " + std::to_string(status);
  text += out.empty() ? ", nothing on stdout" : ", stdout: " + cut(out);
  if (!err.empty()) text += ", stderr: " + cut(err);
  return text;
}

std::string tool(const std::vector<std::string>& argv, int netns) {
  Output output = run_tool(argv, netns);
  if (!output.ok()) {
    std::string command;
    for (const std::string& word : argv) command += word + ' ';
    throw std::runtime_error(command + "failed: " + output.str());
  }
  return std::move(output.out);
}

bool succeeds(const std::vector<std::string>& argv, int netns) {
  return run_tool(argv, netns).ok();
}

}  // namespace unicni::probe
