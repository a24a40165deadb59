#include "support/recorder.h"

#include <filesystem>
#include <sstream>

#include "support/sandbox.h"

namespace unicni::test {

Recorder::Recorder(const std::string& name, const std::string& folder)
    : folder_(folder), path_(folder + '/' + name) {
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(UNICNI_RECORDER, path_);
}

void Recorder::answer(const std::string& command, const std::string& out, int exit,
                      const std::string& err) {
  answers_[command] = {{"out", out}, {"err", err}, {"exit", exit}};
  write_file(path_ + ".answers", answers_.dump());
}

std::vector<Json> Recorder::calls() const {
  std::vector<Json> calls;
  std::istringstream lines(read_file(path_ + ".log"));
  for (std::string line; std::getline(lines, line);) calls.push_back(Json::parse(line));
  return calls;
}

std::vector<std::string> Recorder::commands() const {
  std::vector<std::string> commands;
  for (const Json& call : calls()) commands.push_back(call["env"].value("CNI_COMMAND", ""));
  return commands;
}

void install_script(const std::string& path, const std::string& text) {
  write_file(path, text, 0755);
}

}  // namespace unicni::test
