#include "support/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <sstream>

namespace unicni::test {

Running::Running(const Spawn& spawn)
    : start_(std::chrono::steady_clock::now()), limit_(spawn.limit), child_(spawn) {}

Output Running::wait() {
  Output output;
  const auto end = start_ + limit_;
  while (child_.is_printing()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      ADD_FAILURE() << "still running after " << limit_.count() << " ms";
      child_.kill();
      break;
    }
    child_.read(left, output.out, output.err);
  }
  const int state = child_.reap();
  output.ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  if (WIFEXITED(state)) output.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) output.signal = WTERMSIG(state);
  return output;
}

Output run(const Spawn& spawn) { return Running(spawn).wait(); }

Json Output::json() const {
  Json json = Json::parse(out, nullptr, false);
  if (!json.is_discarded()) return json;
  ADD_FAILURE() << "stdout is not exactly one JSON document: " << str();
  return nullptr;
}

std::string Output::str() const {
  std::ostringstream text;
  text << (signal != 0 ? "signal " : "exit status ") << (signal != 0 ? signal : status)
       << "\nstdout: " << out << "\nstderr: " << err;
  return text.str();
}

Output tool(const std::vector<std::string>& argv, int netns) {
  const Output output = run({.argv = argv, .env = {probe::kPath}, .netns = netns});
  if (!output.ok()) {
    std::string command;
    for (const std::string& word : argv) command += word + ' ';
    ADD_FAILURE() << command << ": " << output.str();
  }
  return output;
}

bool succeeds(const std::vector<std::string>& argv, int netns) {
  return run({.argv = argv, .env = {probe::kPath}, .netns = netns}).ok();
}

Json tool_json(const std::vector<std::string>& argv, int netns) {
  const Output output = tool(argv, netns);
  if (output.out.find_first_not_of(" \n") == std::string::npos) return Json::array();
  return output.json();
}

}  // namespace unicni::test
