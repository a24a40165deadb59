// A program of several verbs: what it says of itself as data, and how it is run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/exit_status.h"
#include "app/options.h"
#include "app/output.h"
#include "app/report.h"

namespace unicni::app {

class Verb {
 public:
  virtual ~Verb() = default;
  /// The arguments; their places are members of the verb. Called once.
  virtual void declare(Options& options) = 0;
  /// Failure is an Error. `failed` without one: the report says what was found.
  virtual ExitStatus run(Output& output) = 0;
};

/// A line of a manual's list.
struct Term {
  const char* name;
  const char* meaning;
};

/// A verb as people are told of it. Texts are plain English with single line breaks.
struct VerbText {
  const char* name;
  const char* summary;   ///< a sentence without its full stop: "List the modules"
  const char* about;     ///< paragraphs for --help and the manual; "": the summary says all
  const char* examples;  ///< lines of commands
  std::vector<const TableShape*> tables;  ///< of its report; with any it has the option --json
  std::unique_ptr<Verb> (*make)();
  ExitStatus usage_status = ExitStatus::usage;  ///< when it was called wrongly
  std::vector<Term> exit_statuses = {};         ///< if it says more than the application's
  /// When it ends by an exception, or its answer can't be written.
  ExitStatus failure_status = ExitStatus::failed;
};

/// For VerbText::make.
template <class T>
std::unique_ptr<Verb> make_verb() {
  return std::make_unique<T>();
}

/// What a bash completion offers for a value's word ("FILE") or an operand.
struct Completion {
  const char* word;
  std::string command;  ///< bash that prints one candidate a line for the prefix "$cur"
};

struct Application {
  const char* name;
  const char* summary;
  const char* about;
  const char* examples;
  std::vector<VerbText> verbs;
  std::vector<Term> environment;
  std::vector<Term> exit_statuses;
  std::vector<Completion> completions;  ///< beside FILE and FOLDER, which all have
  /// Of a call with a verb that there isn't. Without a verb at all the help is shown: as an answer
  /// if `may_lack_verb`, else as a wrong call.
  ExitStatus usage_status = ExitStatus::usage;
  bool may_lack_verb = false;
};

/// Parses the arguments and runs the verb. Returns the exit status. Beside the verbs there are
/// --help, "help" and "help VERB", --version, the verb "completion", and --man-page, which is for
/// the build.
int run(const Application& application, int argc, const char* const* argv);

}  // namespace unicni::app
