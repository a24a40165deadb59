// The manual, man(7).
#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "app/command_line.h"
#include "app/terminal.h"

namespace unicni::app {
namespace {

/// As roff takes it for text: a dash is one that can be copied, a line doesn't begin a request.
std::string escaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins_line = i == 0 || text[i - 1] == '\n';
    if (begins_line && (text[i] == '.' || text[i] == '\'')) out += "\\&";
    if (text[i] == '-') {
      out += "\\-";
    } else if (text[i] == '\\') {
      out += "\\e";
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string bold(std::string_view text) { return fmt::format("\\fB{}\\fR", escaped(text)); }

std::string paragraphs(std::string_view text) {
  std::string out;
  for (const std::string& line : wrapped(text, std::string::npos)) {
    out += line.empty() ? std::string(".PP\n") : escaped(line) + '\n';
  }
  return out;
}

std::string term(std::string_view name, std::string_view meaning) {
  return fmt::format(".TP\n{}\n{}\n", bold(name), escaped(meaning));
}

std::string terms_of(const char* title, const std::vector<Term>& terms) {
  std::string out;
  for (const Term& each : terms) out += term(each.name, each.meaning);
  return out.empty() ? out : fmt::format(".SH {}\n{}", title, out);
}

std::string items_of(const std::vector<const CLI::Option*>& options) {
  std::string out;
  for (const CLI::Option* option : options) {
    out += term(synopsis_of(*option), option->get_description() + ".");
  }
  return out;
}

std::string examples_of(std::string_view examples) {
  return fmt::format(".nf\n{}\n.fi\n", escaped(examples));
}

std::string json_of(const VerbText& verb) {
  std::string out = ".PP\nThe object that --json prints:\n";
  for (const TableShape* table : verb.tables) {
    out += term(table->key, table->form == Form::rows ? "an array, each element an object with"
                                                      : "an object with");
    out += ".RS\n";
    for (const Column& column : table->columns) {
      out += term(column.key, fmt::format("{}: {}", column.type, column.meaning));
    }
    out += ".RE\n";
  }
  return escaped("") + out;
}

std::string verb_section(const char* program, const CommandLine::Entry& entry) {
  const VerbText& verb = *entry.text;
  std::string out = fmt::format(".SS {} {} {}\n{}.\n", bold(program), bold(verb.name),
                                escaped(usage_of(*entry.app)), escaped(verb.summary));
  if (*verb.about != '\0') out += ".PP\n" + paragraphs(verb.about);
  out += items_of(shown_operands(*entry.app)) + items_of(shown_options(*entry.app));
  if (!verb.tables.empty()) out += json_of(verb);
  if (!verb.exit_statuses.empty()) out += ".PP\nExit status:\n";
  for (const Term& each : verb.exit_statuses) out += term(each.name, each.meaning);
  if (*verb.examples != '\0') out += ".PP\nExamples:\n.PP\n" + examples_of(verb.examples);
  return out;
}

}  // namespace

std::string man_page(const CommandLine& line) {
  const Application& application = line.application();
  std::string title = application.name;
  std::transform(title.begin(), title.end(), title.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  std::string out = fmt::format(
      ".TH {} 1 \"\" \"unicni {}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n"
      "{} VERB [ARGUMENT...]\n.SH DESCRIPTION\n{}.\n",
      title, UNICNI_VERSION, escaped(application.name), escaped(application.summary),
      bold(application.name), escaped(application.summary));
  if (*application.about != '\0') out += ".PP\n" + paragraphs(application.about);
  out += items_of(shown_options(line.root()));
  out += ".SH VERBS\n";
  for (const auto& entry : line.entries()) out += verb_section(application.name, entry);
  out += terms_of("ENVIRONMENT", application.environment);
  out += terms_of("EXIT STATUS", application.exit_statuses);
  out += ".SH EXAMPLES\n" + examples_of(application.examples);
  return out;
}

}  // namespace unicni::app
