#include "option_docs/readme.h"

#include <fmt/core.h>

#include <span>
#include <string>

#include "options/describe.h"

namespace unicni::option_docs {
namespace {

using options::default_of;
using options::type_text;

/// '|' ends a cell, also inside code.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

/// Only options that not all verbs use are marked.
std::string verbs_text(unsigned verbs) {
  std::string text;
  for (const Command command :
       {Command::add, Command::del, Command::check, Command::gc, Command::status}) {
    if ((verbs & static_cast<unsigned>(command)) == 0) continue;
    text += text.empty() ? "" : ", ";
    text += command_name(command);
  }
  return text;
}

std::string meaning(const Option& row) {
  std::string text = row.doc;
  if (row.verbs != 0) text += fmt::format(" (only {})", verbs_text(row.verbs));
  return text;
}

std::string default_cell(const Option& row, const OptionTable& owner) {
  if (row.required) return "required";
  const std::string text = default_of(row, owner);
  return text.empty() ? "–" : fmt::format("`{}`", cell(text));
}

/// Codes of the spec: 7 for a configuration, 4 for the environment, 2 for a field that isn't
/// supported.
std::string error_cell(const Option& row) {
  if (!row.offered) return "2 unless the default: not offered yet";
  return row.source == OptionSource::cni_args ? "4" : "7";
}

std::string key_cell(const Option& row, std::string_view prefix) {
  switch (row.source) {
    case OptionSource::config:
      return fmt::format("`{}{}`", prefix, row.key);
    case OptionSource::runtime_config:
      return fmt::format("`runtimeConfig.{}`", row.key);
    case OptionSource::args_cni:
      return fmt::format("`args.cni.{}`", row.key);
    case OptionSource::cni_args:
      return fmt::format("`{}` in `CNI_ARGS`", row.key);
  }
  return "";
}

void add_rows(std::string& text, const OptionTable& table, const std::string& prefix);

/// The rows of an object that a row holds, in whatever depth of lists.
void add_nested(std::string& text, const Option& row, std::string path) {
  const ValueType* type = row.type;
  while (type->kind == ValueKind::list) {
    type = type->element;
    path += "[]";
  }
  if (type->kind == ValueKind::object && row.offered) add_rows(text, *type->fields, path + '.');
}

void add_rows(std::string& text, const OptionTable& table, const std::string& prefix) {
  for (const Option& row : std::span(table.rows, table.count)) {
    const std::string key = key_cell(row, prefix);
    text += fmt::format("| {} | {} | {} | {} | {} |\n", key, cell(type_text(*row.type, row)),
                        default_cell(row, table), cell(meaning(row)), cell(error_cell(row)));
    add_nested(text, row, key.substr(1, key.find('`', 1) - 1));
  }
}

}  // namespace

std::string readme_table(const OptionTable& table, bool ipam) {
  if (table.count == 0) return "This module has no options.\n";
  std::string text =
      "| key | type | default | meaning | error code if wrong |\n"
      "|---|---|---|---|---|\n";
  add_rows(text, table, ipam ? "ipam." : "");
  return text;
}

}  // namespace unicni::option_docs
