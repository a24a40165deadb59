#include "app/application.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "app/command_line.h"
#include "unicni/error.h"
#include "unicni/nearest.h"

namespace unicni::app {
namespace {

int number_of(ExitStatus status) { return static_cast<int>(status); }

/// A word that is no verb where one is expected, which CLI11 would call an unexpected argument.
std::string problem_with_verb(const CommandLine& line, const std::string& word) {
  if (word.empty() || word.starts_with('-') || line.find(word) != nullptr) return {};
  std::vector<std::string_view> names;
  for (const auto& entry : line.entries()) names.emplace_back(entry.text->name);
  const std::string nearest = options::nearest_key(word, names);
  return fmt::format("there is no verb \"{}\"{}", word,
                     nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest));
}

ExitStatus refuse(const CommandLine& line, const Output& output, const std::string& problem) {
  const auto* verb = line.chosen();
  output.say(problem);
  output.say(fmt::format("try: {}{}{} --help", line.application().name, verb != nullptr ? " " : "",
                         verb != nullptr ? verb->text->name : ""));
  return verb != nullptr ? verb->text->usage_status : line.application().usage_status;
}

/// "; did you mean …" for the first option that the verb doesn't have.
std::string meant_option(const CommandLine& line, int argc, const char* const* argv) {
  const auto* verb = line.chosen();
  std::vector<std::string> names;
  for (const CLI::Option* option : shown_options(verb == nullptr ? line.root() : *verb->app)) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (int i = 1; i < argc; ++i) {
    const std::string_view given = argv[i];
    const std::string word(given.substr(0, given.find('=')));
    if (!word.starts_with("--") || std::find(names.begin(), names.end(), word) != names.end()) {
      continue;
    }
    const std::string nearest = options::nearest_key(word, {names.begin(), names.end()});
    return nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest);
  }
  return {};
}

ExitStatus run_verb(const CommandLine& line, Output& output) {
  const auto* verb = line.chosen();
  if (line.wants_man_page()) {
    output.write(man_page(line));
    return ExitStatus::done;
  }
  if (verb == nullptr) {
    const std::string help = help_text(line, nullptr);
    if (line.application().may_lack_verb) {
      output.write(help);
      return ExitStatus::done;
    }
    std::fputs(help.c_str(), stderr);
    return line.application().usage_status;
  }
  if (line.wants_json()) output.use_json();
  return verb->verb->run(output);
}

/// `failure` becomes the status of the verb that is run, should it fail.
ExitStatus parse_and_run(CommandLine& line, Output& output, ExitStatus& failure, int argc,
                         const char* const* argv) {
  std::string word = argc < 2 ? "" : argv[1];
  const bool is_help = word == "help";
  if (is_help) word = argc < 3 ? "" : argv[2];
  const std::string problem = problem_with_verb(line, word);
  if (!problem.empty()) return refuse(line, output, problem);
  if (is_help) {
    output.write(help_text(line, line.find(word)));
    return ExitStatus::done;
  }
  try {
    line.root().parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    output.write(help_text(line, line.chosen()));
    return ExitStatus::done;
  } catch (const CLI::CallForVersion& version) {
    output.write(std::string(version.what()) + '\n');
    return ExitStatus::done;
  } catch (const CLI::ExtrasError& error) {
    return refuse(line, output, error.what() + meant_option(line, argc, argv));
  } catch (const CLI::ParseError& error) {
    return refuse(line, output, error.what());
  }
  if (const auto* verb = line.chosen()) failure = verb->text->failure_status;
  return run_verb(line, output);
}

}  // namespace

int run(const Application& application, int argc, const char* const* argv) {
  Output output(application.name);
  ExitStatus failure = ExitStatus::failed;
  try {
    CommandLine line(application);
    const ExitStatus status = parse_and_run(line, output, failure, argc, argv);
    output.finish();
    return number_of(status);
  } catch (const Error& error) {
    std::fflush(stdout);
    output.fail(error);
  } catch (const std::exception& error) {
    output.say(error.what());
  }
  return number_of(failure);
}

}  // namespace unicni::app
