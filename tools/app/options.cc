#include "app/options.h"

#include <CLI/CLI.hpp>
#include <string_view>

namespace unicni::app {
namespace {

/// CLI11 tells an operand from an option by the missing dashes, and shows the type's name.
void name_value(CLI::Option* option, const char* value) { option->type_name(value); }

/// An unset variable of a script. As a path it would be the current folder.
void refuse_empty(CLI::Option& option) {
  option.check(CLI::Validator(
      [](const std::string& text) { return text.empty() ? std::string("it is empty") : ""; }, ""));
}

/// A value that is a path, as its name says.
void name_path(CLI::Option* option, const char* value) {
  name_value(option, value);
  if (value == std::string_view("FILE") || value == std::string_view("FOLDER"))
    refuse_empty(*option);
}

/// Returns the words as help texts show them, and completion_script() reads them.
std::string allow(CLI::Option& option, const std::vector<std::string>& words) {
  std::string shown;
  for (const std::string& word : words) shown += (shown.empty() ? "" : "|") + word;
  option.check(CLI::IsMember(words).description(""));
  return shown;
}

}  // namespace

void Options::flag(bool& to, const char* names, const char* help) {
  app_.add_flag(names, to, help);
}

void Options::value(std::string& to, const char* names, const char* value, const char* help) {
  name_path(app_.add_option(names, to, help)->take_last(), value);
}

void Options::value(std::optional<std::string>& to, const char* names, const char* value,
                    const char* help) {
  name_path(app_.add_option_function<std::string>(
                    names, [&to](const std::string& text) { to = text; }, help)
                ->take_last(),
            value);
}

void Options::number(std::optional<std::int64_t>& to, const char* names, const char* value,
                     std::int64_t low, std::int64_t high, const char* help) {
  auto* option = app_.add_option_function<std::int64_t>(
      names, [&to](const std::int64_t& number) { to = number; }, help);
  option->check(CLI::Range(low, high).description(""));
  name_value(option, value);
}

void Options::values(std::vector<std::string>& to, const char* names, const char* value,
                     const char* help) {
  auto* option = app_.add_option(names, to, help);
  option->allow_extra_args(false);
  name_value(option, value);
}

void Options::choice(std::string& to, const char* names, const std::vector<std::string>& words,
                     const char* help) {
  auto* option = app_.add_option(names, to, help)->take_last();
  option->type_name(allow(*option, words));
}

void Options::operand(std::string& to, const char* name, const char* help) {
  refuse_empty(*app_.add_option(name, to, help)->required()->type_name(""));
}

void Options::optional_operand(std::string& to, const char* name, const char* help) {
  refuse_empty(*app_.add_option(name, to, help)->type_name(""));
}

void Options::operands(std::vector<std::string>& to, const char* name, const char* help) {
  refuse_empty(*app_.add_option(name, to, help)->required()->type_name(""));
}

void Options::optional_operands(std::vector<std::string>& to, const char* name, const char* help) {
  refuse_empty(*app_.add_option(name, to, help)->type_name(""));
}

void Options::optional_choice_operand(std::string& to, const char* name,
                                      const std::vector<std::string>& words, const char* help) {
  auto* option = app_.add_option(name, to, help);
  option->type_name(allow(*option, words));
}

/// CLI11 would let unknown options pass as well if it were told to allow extras.
void Options::ignore_more_operands() {
  app_.add_option_function<std::vector<std::string>>("more", [](const auto&) {})->group("");
}

void Options::exclude(const char* one, const char* other) {
  app_.get_option(one)->excludes(app_.get_option(other));
}

}  // namespace unicni::app
