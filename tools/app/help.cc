// --help.
#include <fmt/core.h>

#include <algorithm>

#include "app/command_line.h"
#include "app/terminal.h"

namespace unicni::app {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kMeaningColumn = 26;

/// "  --keep ID:IFNAME   What it means", the meaning in a column of its own.
std::string item(std::string_view name, std::string_view meaning) {
  constexpr std::string_view kIndent = "  ";
  std::string out = std::string(kIndent).append(name);
  if (width_of(out) + kIndent.size() > kMeaningColumn) {
    out += '\n';
    out.append(kMeaningColumn, ' ');
  } else {
    out.append(kMeaningColumn - width_of(out), ' ');
  }
  bool first = true;
  for (const std::string& line : wrapped(meaning, kWidth - kMeaningColumn)) {
    if (!first) out.append("\n").append(kMeaningColumn, ' ');
    out += line;
    first = false;
  }
  return out + '\n';
}

std::string paragraphs(std::string_view text) {
  std::string out;
  for (const std::string& line : wrapped(text, kWidth)) out += line + '\n';
  return out;
}

std::string items_of(const char* title, const std::vector<const CLI::Option*>& options) {
  std::string out;
  for (const CLI::Option* option : options) {
    out += item(synopsis_of(*option), option->get_description());
  }
  return out.empty() ? out : fmt::format("\n{}:\n{}", title, out);
}

std::string examples_of(std::string_view examples) {
  std::string out = "\nexamples:\n";
  for (const std::string& line : wrapped(examples, std::string::npos)) out += "  " + line + '\n';
  return out;
}

std::string terms_of(const char* title, const std::vector<Term>& terms) {
  std::string out;
  for (const Term& term : terms) out += item(term.name, term.meaning);
  return out.empty() ? out : fmt::format("\n{}:\n{}", title, out);
}

}  // namespace

std::string help_text(const CommandLine& line, const CommandLine::Entry* verb) {
  const Application& application = line.application();
  if (verb != nullptr) {
    const std::string rest = usage_of(*verb->app);
    std::string out = fmt::format("usage: {} {}{}{}\n\n{}.\n", application.name, verb->text->name,
                                  rest.empty() ? "" : " ", rest, verb->text->summary);
    if (*verb->text->about != '\0') out += '\n' + paragraphs(verb->text->about);
    out += items_of("arguments", shown_operands(*verb->app));
    out += items_of("options", shown_options(*verb->app));
    out += terms_of("exit status", verb->text->exit_statuses);
    if (*verb->text->examples != '\0') out += examples_of(verb->text->examples);
    return out;
  }
  std::string out =
      fmt::format("usage: {} VERB [ARGUMENT...]\n\n{}.\n", application.name, application.summary);
  if (*application.about != '\0') out += '\n' + paragraphs(application.about);
  out += "\nverbs:\n";
  for (const auto& entry : line.entries()) out += item(entry.text->name, entry.text->summary);
  out += items_of("options", shown_options(line.root()));
  out += terms_of("environment", application.environment);
  out += terms_of("exit status", application.exit_statuses);
  out += examples_of(application.examples);
  return out + fmt::format("\n\"{} VERB --help\" says more of a verb.\n", application.name);
}

}  // namespace unicni::app
