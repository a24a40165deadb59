#include "conformance/recorder.h"

#include <filesystem>

#include "conformance/host_state.h"
#include "conformance/private_host.h"

namespace unicni::conformance {
namespace {

/// The file with the number 0 makes the pattern match from the first call on.
constexpr const char* kScript = R"(#!/bin/sh
set -- "$0.calls"/*.env
/bin/cat /proc/self/environ > "$0.calls/$#.env"
/bin/cat > "$0.calls/$#.in"
answer=$0.answers/$CNI_COMMAND
[ -f "$answer.out" ] || exit 0
/bin/cat "$answer.err" >&2
/bin/cat "$answer.out"
read -r status < "$answer.status"
exit "$status"
)";

}  // namespace

std::string RecordedCall::command() const {
  const auto found = env.find("CNI_COMMAND");
  return found == env.end() ? std::string() : found->second;
}

Recorder::Recorder(const std::string& name) : path_(std::string(kSuiteFolder) + '/' + name) {
  write_file(path_, kScript, 0755);
  write_file(path_ + ".calls/0.env", "");
  std::filesystem::create_directories(path_ + ".answers");
}

void Recorder::answer(const std::string& command, const std::string& out, int status,
                      const std::string& err) const {
  const std::string answer = path_ + ".answers/" + command;
  write_file(answer + ".out", out);
  write_file(answer + ".err", err);
  write_file(answer + ".status", std::to_string(status) + '\n');
}

std::vector<RecordedCall> Recorder::calls() const {
  std::vector<RecordedCall> calls;
  for (int number = 1;; ++number) {
    const std::string file = path_ + ".calls/" + std::to_string(number);
    if (!std::filesystem::exists(file + ".in")) return calls;
    RecordedCall& call = calls.emplace_back();
    call.in = read_file(file + ".in");
    const std::string environment = read_file(file + ".env");
    for (std::size_t from = 0; from < environment.size();) {
      const std::size_t end = std::min(environment.find('\0', from), environment.size());
      const std::string variable = environment.substr(from, end - from);
      const std::size_t equals = variable.find('=');
      if (equals != variable.npos)
        call.env[variable.substr(0, equals)] = variable.substr(equals + 1);
      from = end + 1;
    }
  }
}

std::string Recorder::commands() const {
  std::string commands;
  for (const RecordedCall& call : calls()) {
    if (!commands.empty()) commands += ' ';
    commands += call.command();
  }
  return commands;
}

}  // namespace unicni::conformance
