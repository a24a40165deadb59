#include "app/command_line.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

namespace unicni::app {
namespace {

class CompletionVerb final : public Verb {
 public:
  explicit CompletionVerb(const CommandLine& line) : line_(line) {}
  void declare(Options& options) override {
    options.optional_choice_operand(shell_, "SHELL", {"bash"}, "The shell: bash");
  }
  ExitStatus run(Output& output) override {
    output.write(completion_script(line_));
    return ExitStatus::done;
  }

 private:
  const CommandLine& line_;
  std::string shell_;
};

bool is_shown(const CLI::Option& option) { return !option.get_group().empty(); }

}  // namespace

CommandLine::CommandLine(const Application& application)
    : application_(application),
      completion_example_(fmt::format("source <({} completion bash)", application.name)),
      completion_{"completion",
                  "Print a script for bash that completes the command line",
                  "It is installed with the program, where bash looks for it.",
                  completion_example_.c_str(),
                  {},
                  nullptr},
      root_(application.summary, application.name) {
  root_.require_subcommand(0, 1);  // behind a verb the name of another one is an operand
  root_.set_help_flag("-h,--help", "Show this text");
  root_.set_version_flag("--version", fmt::format("unicni {} {}", application.name, UNICNI_VERSION),
                         "Show the version");
  root_.add_flag("--man-page", wants_man_page_)->group("");
  for (const VerbText& text : application.verbs) add(text, text.make());
  add(completion_, std::make_unique<CompletionVerb>(*this));
}

void CommandLine::add(const VerbText& text, std::unique_ptr<Verb> verb) {
  CLI::App* app = root_.add_subcommand(text.name, text.summary);
  Options options(*app);
  verb->declare(options);
  if (!text.tables.empty()) app->add_flag("--json", wants_json_, "Print JSON instead of a table");
  entries_.push_back({&text, std::move(verb), app});
}

const CommandLine::Entry* CommandLine::find(std::string_view name) const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.text->name == name; });
  return found == entries_.end() ? nullptr : &*found;
}

const CommandLine::Entry* CommandLine::chosen() const {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [](const Entry& entry) { return entry.app->parsed(); });
  return found == entries_.end() ? nullptr : &*found;
}

std::vector<const CLI::Option*> shown_options(const CLI::App& app) {
  return app.get_options(
      [](const CLI::Option* option) { return option->nonpositional() && is_shown(*option); });
}

std::vector<const CLI::Option*> shown_operands(const CLI::App& app) {
  return app.get_options(
      [](const CLI::Option* option) { return !option->nonpositional() && is_shown(*option); });
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

std::string synopsis_of(const CLI::Option& option) {
  const bool repeats = option.get_items_expected_max() > 1;
  if (!option.nonpositional()) return option.get_name(true) + (repeats ? "..." : "");
  std::string names;
  for (const std::string& name : option.get_snames()) {
    names += (names.empty() ? "-" : ", -") + name;
  }
  for (const std::string& name : option.get_lnames()) {
    names += (names.empty() ? "--" : ", --") + name;
  }
  const std::string value = takes_value(option) ? option.get_type_name() : "";
  return names + (value.empty() ? "" : " ") + value;
}

std::string usage_of(const CLI::App& app) {
  std::string usage = shown_options(app).size() > 1 ? "[OPTION...]" : "";  // --help is no news
  for (const CLI::Option* operand : shown_operands(app)) {
    const std::string text = synopsis_of(*operand);
    usage += usage.empty() ? "" : " ";
    usage += operand->get_required() ? text : "[" + text + "]";
  }
  return usage;
}

}  // namespace unicni::app
