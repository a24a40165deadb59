#include "options/cni_args.h"

#include <fmt/core.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "options/describe.h"
#include "options/scalar.h"
#include "protocol/request.h"

namespace unicni::options {
namespace {

using Pair = std::pair<std::string, std::string>;

constexpr std::string_view kIgnoreUnknown = "IgnoreUnknown";

const Option* find_row(const OptionTable& table, std::string_view key) {
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source == OptionSource::cni_args && key == row.key) return &row;
  }
  return nullptr;
}

Error wrong_value(const Pair& pair, std::string_view what, std::string details) {
  return {Code::invalid_environment,
          fmt::format("ARGS: error parsing value of pair {}: {}",
                      shown_text(pair.first + '=' + pair.second), what),
          std::move(details)};
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// nullptr, or what a wrong value should have been. A list that is wrong anywhere stays empty.
const ValueType* set_value(const Option& row, std::string_view text, void* options) {
  const ValueType& type = *row.type;
  void* field = row.field(options);
  if (type.kind != ValueKind::list) {
    return set_from_text(type, row, field, text) == Outcome::wrong ? &type : nullptr;
  }
  std::vector<std::string_view> elements;
  for (std::size_t begin = 0; !text.empty() && begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    elements.push_back(trimmed(text.substr(begin, end - begin)));
    if (!fits_text(*type.element, row, elements.back())) return type.element;
    begin = end + 1;
  }
  void* list = engaged(type, field);
  for (const std::string_view element : elements)
    set_from_text(*type.element, row, type.append(list), element);
  return nullptr;
}

/// The reference looks for this key before it complains of others, wherever it stands.
bool ignores_unknown(const std::vector<Pair>& pairs, Reader& reader) {
  bool ignores = false;
  for (const Pair& pair : pairs) {
    if (pair.first != kIgnoreUnknown || pair.second.empty()) continue;
    if (const auto value = parse_boolean(pair.second)) {
      ignores = *value;
    } else {
      reader.refuse(wrong_value(pair, "1, 0, true or false is expected", ""));
    }
  }
  return ignores;
}

}  // namespace

/// A module without such rows takes no notice of CNI_ARGS, as they may be meant for another plugin
/// of the list.
bool reads_cni_args(const OptionTable& table) {
  return std::any_of(table.rows, table.rows + table.count,
                     [](const Option& row) { return row.source == OptionSource::cni_args; });
}

void read_cni_args(const OptionTable& table, std::string_view text, Reader& reader, void* options) {
  std::vector<Pair> pairs;
  try {
    pairs = protocol::parse_args(text);
  } catch (const Error& error) {
    return reader.refuse(error);
  }
  // All unknown pairs in one error, as the reference does.
  std::string unknown;
  for (const Pair& pair : pairs) {
    if (pair.first == kIgnoreUnknown || find_row(table, pair.first) != nullptr) continue;
    unknown += (unknown.empty() ? "" : " ") + shown_text(pair.first + '=' + pair.second);
  }
  if (!ignores_unknown(pairs, reader) && !unknown.empty()) {
    reader.refuse({Code::invalid_environment, fmt::format("ARGS: unknown args [{}]", unknown),
                   "remove these keys from CNI_ARGS, or add IgnoreUnknown=1 if they are meant for "
                   "other plugins"});
  }
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source != OptionSource::cni_args || !reader.uses(row)) continue;
    const auto last = std::find_if(pairs.rbegin(), pairs.rend(),
                                   [&](const Pair& pair) { return pair.first == row.key; });
    // Templates and runtimes write a key without a value where they have none.
    if (last == pairs.rend() || last->second.empty()) {
      if (row.required) {
        reader.refuse({Code::invalid_environment,
                       fmt::format("ARGS: \"{}\" is missing, {} is needed", row.key,
                                   expected(*row.type, row)),
                       row.doc});
      }
    } else if (!row.offered) {
      if (last->second != default_of(row, table)) {
        reader.refuse(
            {Code::unsupported_field,
             fmt::format("CNI_ARGS {}: {} is not offered yet", row.key, shown_text(last->second)),
             row.doc});
      }
    } else if (const ValueType* type = set_value(row, last->second, options)) {
      reader.refuse(wrong_value(*last, expected(*type, row) + " is expected", row.doc));
    }
  }
}

}  // namespace unicni::options
