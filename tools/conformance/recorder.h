// The suite's own plugin, which others call: it remembers how, and answers what it is told.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "probe/json.h"

namespace unicni::conformance {

using probe::Json;
using probe::parse_json;

/// One call of it.
struct RecordedCall {
  std::map<std::string, std::string> env;
  std::string in;  ///< its stdin

  [[nodiscard]] std::string command() const;
  /// stdin as JSON; discarded if it isn't one document.
  [[nodiscard]] Json request() const { return parse_json(in); }
};

/// A shell script in kSuiteFolder (host_state.h), which callers of plugins find by CNI_PATH.
/// Without an answer it prints nothing and succeeds. Only inside of isolated().
class Recorder {
 public:
  explicit Recorder(const std::string& name);
  /// What it prints and how it ends for a verb from now on.
  void answer(const std::string& command, const std::string& out, int status = 0,
              const std::string& err = {}) const;
  /// Its calls so far, oldest first.
  [[nodiscard]] std::vector<RecordedCall> calls() const;
  /// Their verbs with blanks between: "ADD DEL".
  [[nodiscard]] std::string commands() const;

 private:
  std::string path_;
};

}  // namespace unicni::conformance
