#include "options/keys.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "protocol/document.h"
#include "unicni/nearest.h"

namespace unicni::options {
namespace {

using nlohmann::ordered_json;

/// Keys that the spec and libcni define for every plugin. They are no options of a module, and no
/// typing errors either.
constexpr const char* kPluginKeys[] = {
    "cniVersion",
    "cniVersions",
    "name",
    "type",
    "ipam",
    "dns",
    "capabilities",
    "prevResult",
    "runtimeConfig",
    "args",
    "disableCheck",
    "disableGC",
    "loadOnlyInlinedPlugins",
    "plugins",
    "chain",
};
constexpr const char* kIpamKeys[] = {"type"};
constexpr std::string_view kRuntimePrefix = "cni.dev/";
constexpr std::string_view kRuntimeConfig = "runtimeConfig";

std::span<const char* const> keys_of(Neighbours neighbours) {
  if (neighbours == Neighbours::plugin) return kPluginKeys;
  if (neighbours == Neighbours::ipam) return kIpamKeys;
  return {};
}

std::string in(const Path& path) {
  const std::string text = path.str();
  return text.empty() ? "" : text + ": ";
}

/// The row of another source with this key: right key, wrong place.
/// A right key in the wrong place is the most frequent mistake with runtimeConfig.
const char* other_place(const OptionTable& table, OptionSource source, std::string_view key) {
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source == source || key != row.key) continue;
    switch (row.source) {
      case OptionSource::config:
        return "the plugin's configuration";
      case OptionSource::runtime_config:
        return "runtimeConfig, where a capability puts it";
      case OptionSource::args_cni:
        return "args.cni";
      case OptionSource::cni_args:
        return "CNI_ARGS";
    }
  }
  return nullptr;
}

std::string unknown(const Path& path, std::string_view key, const OptionTable& table,
                    OptionSource source, Neighbours neighbours) {
  std::string text = fmt::format("{}unknown key {} is ignored", in(path), shown_text(key));
  const std::string hint = hint_for(key, table, source, neighbours);
  return hint.empty() ? text : text + "; " + hint;
}

}  // namespace

const ordered_json* find_value(const ordered_json& object, const Option& row) {
  if (row.key_case == KeyCase::any) return protocol::find_field(object, row.key);
  const ordered_json* found = protocol::find_exact(object, row.key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

/// An exact match ends the search. Otherwise one in another letter case will do, as in Go.
const Option* find_row(const OptionTable& table, OptionSource source, std::string_view key) {
  const Option* found = nullptr;
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source != source) continue;
    if (key == row.key) return &row;
    if (row.key_case == KeyCase::any && protocol::same_letters(key, row.key)) found = &row;
  }
  return found;
}

bool has_rows(const OptionTable& table, OptionSource source) {
  const std::span rows(table.rows, table.count);
  return std::any_of(rows.begin(), rows.end(),
                     [&](const Option& row) { return row.source == source; });
}

const char* known_spelling(const OptionTable& table, OptionSource source, Neighbours neighbours,
                           std::string_view key) {
  const Option* row = find_row(table, source, key);
  const char* meant = row == nullptr ? nullptr : row->key;
  if (row != nullptr && key == row->key) return meant;
  for (const char* other : keys_of(neighbours)) {
    if (key == other) return other;
    if (protocol::same_letters(key, other)) meant = other;
  }
  return meant;
}

std::string hint_for(std::string_view key, const OptionTable& table, OptionSource source,
                     Neighbours neighbours) {
  if (const char* place = other_place(table, source, key)) {
    return fmt::format("it is read from {}", place);
  }
  std::vector<std::string_view> known;
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source == source) known.emplace_back(row.key);
  }
  const auto others = keys_of(neighbours);
  known.insert(known.end(), others.begin(), others.end());
  const std::string nearest = nearest_key(key, known);
  return nearest.empty() ? "" : fmt::format("did you mean \"{}\"?", nearest);
}

void warn_of_keys(const ordered_json& object, const Path& path, const OptionTable& table,
                  OptionSource source, Neighbours neighbours, Warnings& warnings) {
  std::map<std::string_view, const ordered_json*> values;  // what each known key is taken from
  for (const auto& [key, value] : object.get_ref<const ordered_json::object_t&>()) {
    if (neighbours == Neighbours::plugin && key.starts_with(kRuntimePrefix)) continue;
    const char* meant = known_spelling(table, source, neighbours, key);
    if (meant == nullptr) {
      if (neighbours == Neighbours::many) continue;
      warnings.add([&, &key = key] { return unknown(path, key, table, source, neighbours); });
    } else if (key != meant) {
      const auto [place, is_new] = values.emplace(meant, nullptr);
      if (is_new) place->second = protocol::find_field(object, meant);
      const bool taken = place->second == &value;
      // The runtime's own spelling, which nobody who writes a configuration can change.
      if (taken && path.is_below(kRuntimeConfig)) continue;
      warnings.add([&, &key = key] {
        return fmt::format("{}{} is {} \"{}\"; write it in this letter case", in(path),
                           shown_text(key), taken ? "taken for" : "ignored beside", meant);
      });
    }
  }
}

}  // namespace unicni::options
