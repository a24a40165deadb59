// A foreign plugin that remembers how it was called.
#pragma once

#include <string>
#include <vector>

#include "support/process.h"

namespace unicni::test {

/// The recording plugin under a name of its own, in a folder of the sandbox for CNI_PATH.
class Recorder {
 public:
  explicit Recorder(const std::string& name, const std::string& folder = "/run/plugins");
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// What it prints and how it ends for a verb from now on.
  void answer(const std::string& command, const std::string& out, int exit = 0,
              const std::string& err = {});
  /// Its calls so far: objects with "env" (an object) and "stdin" (text).
  [[nodiscard]] std::vector<Json> calls() const;
  /// The verbs of calls().
  [[nodiscard]] std::vector<std::string> commands() const;

 private:
  std::string folder_;
  std::string path_;
  Json answers_ = Json::object();
};

/// An executable text, such as a shell script.
void install_script(const std::string& path, const std::string& text);

}  // namespace unicni::test
