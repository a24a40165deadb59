// An application's verbs as CLI11 knows them: for parsing, help, completion and manual.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/application.h"

namespace unicni::app {

class CommandLine {
 public:
  explicit CommandLine(const Application& application);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  struct Entry {
    const VerbText* text;
    std::unique_ptr<Verb> verb;
    CLI::App* app;
  };

  [[nodiscard]] const Application& application() const { return application_; }
  /// The application's verbs, and the completion.
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] CLI::App& root() { return root_; }
  [[nodiscard]] const CLI::App& root() const { return root_; }
  [[nodiscard]] const Entry* find(std::string_view name) const;  ///< nullptr: no such verb
  [[nodiscard]] const Entry* chosen() const;                     ///< nullptr: none was given

  [[nodiscard]] bool wants_json() const { return wants_json_; }
  [[nodiscard]] bool wants_man_page() const { return wants_man_page_; }

 private:
  void add(const VerbText& text, std::unique_ptr<Verb> verb);

  const Application& application_;
  std::string completion_example_;
  VerbText completion_;
  CLI::App root_;
  std::vector<Entry> entries_;
  bool wants_json_ = false;
  bool wants_man_page_ = false;
};

/// What people are told of: options, and operands in their order.
std::vector<const CLI::Option*> shown_options(const CLI::App& app);
std::vector<const CLI::Option*> shown_operands(const CLI::App& app);
/// It isn't a flag.
bool takes_value(const CLI::Option& option);
/// "-i, --ifname NAME", "FILE...".
std::string synopsis_of(const CLI::Option& option);
/// "[OPTION...] FILE...": what follows a verb's name.
std::string usage_of(const CLI::App& app);

/// What --help says, of a verb or (nullptr) of the whole.
std::string help_text(const CommandLine& line, const CommandLine::Entry* verb);
/// A script for bash.
std::string completion_script(const CommandLine& line);
/// man(7), section 1.
std::string man_page(const CommandLine& line);

}  // namespace unicni::app
