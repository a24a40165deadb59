#include "policy/compiled.h"

#include <fmt/core.h>

#include <charconv>
#include <utility>

#include "unicni/line.h"

namespace unicni::policy {
namespace {

constexpr std::string_view kEnd = "end";
constexpr std::string_view kTypePrefix = "type.";
constexpr std::string_view kLabelPrefix = "label.";

template <class Number>
std::optional<Number> read_number(const std::string* text) {
  Number value{};
  if (text == nullptr) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

// Writing.

void add_place(LineWriter& line, const Place& place) {
  line.add("file", place.file)
      .add("line", std::to_string(place.line))
      .add("column", std::to_string(place.column));
}

void add_patterns(LineWriter& line, std::string_view key, const Patterns& patterns) {
  for (const std::string& pattern : patterns) line.add(key, pattern);
}

/// An empty list isn't the same as none.
void add_patterns(LineWriter& line, std::string_view key, const std::optional<Patterns>& patterns) {
  if (!patterns) return;
  line.add("has", key);
  add_patterns(line, key, *patterns);
}

std::string print_modules(const ModuleRules& modules) {
  LineWriter line("modules");
  add_place(line, modules.place);
  line.add("exec", std::to_string(static_cast<int>(modules.exec)));
  add_patterns(line, "allow", modules.allow);
  add_patterns(line, "deny", modules.deny);
  return line.finish();
}

std::string print_rule_line(const Rule& rule) {
  LineWriter line("rule");
  line.add("name", rule.name);
  add_place(line, rule.place);
  if (rule.deny) line.add("denies", *rule.deny);
  if (rule.match.denies_missing) line.add("on_missing", "deny");
  add_patterns(line, "network", rule.match.network);
  add_patterns(line, "type", rule.match.type);
  add_patterns(line, "namespace", rule.match.namespace_);
  add_patterns(line, "pod", rule.match.pod);
  add_patterns(line, "interface", rule.match.if_name);
  for (const auto& [key, patterns] : rule.match.labels) {
    line.add("label", key);
    add_patterns(line, fmt::format("{}{}", kLabelPrefix, key), patterns);
  }
  return line.finish();
}

std::string print_value(std::string_view word, const Value& value) {
  LineWriter line(word);
  line.add("key", value.key).add("json", value.json);
  add_place(line, value.place);
  for (const auto& [type, json] : value.by_type) {
    line.add(fmt::format("{}{}", kTypePrefix, type), json);
  }
  return line.finish();
}

std::string print_limit(const Limit& limit) {
  LineWriter line("require");
  line.add("key", limit.key);
  add_place(line, limit.place);
  if (limit.min) line.add("min", std::to_string(*limit.min));
  if (limit.max) line.add("max", std::to_string(*limit.max));
  add_patterns(line, "allowed", limit.allowed);
  return line.finish();
}

std::string print_addition(std::string_view word, const Addition& addition) {
  LineWriter line(word);
  line.add("json", addition.json);
  add_place(line, addition.place);
  return line.finish();
}

// Reading.

Patterns read_patterns(const Line& line, std::string_view key) {
  Patterns patterns;
  for (const auto& [name, value] : line.fields) {
    if (name == key) patterns.push_back(value);
  }
  return patterns;
}

std::optional<Patterns> find_patterns(const Line& line, std::string_view key) {
  for (const auto& [name, value] : line.fields) {
    if (name == "has" && value == key) return read_patterns(line, key);
  }
  return std::nullopt;
}

Place read_place(const Line& line) {
  return {line.get("file"), read_number<std::size_t>(line.find("line")).value_or(0),
          read_number<std::size_t>(line.find("column")).value_or(0)};
}

Rule read_rule(const Line& line) {
  Rule rule{line.get("name"), read_place(line)};
  if (const std::string* deny = line.find("denies")) rule.deny = *deny;
  rule.match = {.network = find_patterns(line, "network"),
                .type = find_patterns(line, "type"),
                .namespace_ = find_patterns(line, "namespace"),
                .pod = find_patterns(line, "pod"),
                .if_name = find_patterns(line, "interface"),
                .labels = {},
                .denies_missing = line.get("on_missing") == "deny"};
  for (const std::string& key : read_patterns(line, "label")) {
    rule.match.labels.emplace_back(key,
                                   read_patterns(line, fmt::format("{}{}", kLabelPrefix, key)));
  }
  return rule;
}

Value read_value(const Line& line) {
  Value value{line.get("key"), line.get("json")};
  value.place = read_place(line);
  for (const auto& [name, json] : line.fields) {
    if (name.starts_with(kTypePrefix)) {
      value.by_type.emplace_back(name.substr(kTypePrefix.size()), json);
    }
  }
  return value;
}

Limit read_limit(const Line& line) {
  return {line.get("key"), read_number<std::int64_t>(line.find("min")),
          read_number<std::int64_t>(line.find("max")), find_patterns(line, "allowed"),
          read_place(line)};
}

/// False: a word that this version doesn't know, or that can't stand here.
bool apply(const Line& line, Policy& policy) {
  if (line.word == "modules") {
    const auto exec = read_number<unsigned>(line.find("exec"));
    if (!exec || *exec > static_cast<unsigned>(Exec::never)) return false;
    policy.modules.push_back({read_place(line), find_patterns(line, "allow"),
                              read_patterns(line, "deny"), static_cast<Exec>(*exec)});
    return true;
  }
  if (line.word == "rule") {
    policy.rules.push_back(read_rule(line));
    return true;
  }
  if (policy.rules.empty()) return false;
  Rule& rule = policy.rules.back();
  if (line.word == "default") {
    rule.defaults.push_back(read_value(line));
  } else if (line.word == "override") {
    rule.overrides.push_back(read_value(line));
  } else if (line.word == "require") {
    rule.limits.push_back(read_limit(line));
  } else if (line.word == "prepend") {
    rule.prepended.push_back({line.get("json"), read_place(line)});
  } else if (line.word == "append") {
    rule.appended.push_back({line.get("json"), read_place(line)});
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string print_policy(const Policy& policy) {
  std::string text;
  for (const ModuleRules& modules : policy.modules) text += print_modules(modules);
  for (const Rule& rule : policy.rules) {
    text += print_rule_line(rule);
    for (const Value& value : rule.defaults) text += print_value("default", value);
    for (const Value& value : rule.overrides) text += print_value("override", value);
    for (const Limit& limit : rule.limits) text += print_limit(limit);
    for (const Addition& addition : rule.prepended) text += print_addition("prepend", addition);
    for (const Addition& addition : rule.appended) text += print_addition("append", addition);
  }
  return text + LineWriter(kEnd).finish();
}

std::optional<Policy> parse_policy(std::string_view text) {
  Policy policy;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    const auto line = parse_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!line) return std::nullopt;
    if (line->word == kEnd) return text.empty() ? std::optional(std::move(policy)) : std::nullopt;
    if (!apply(*line, policy)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace unicni::policy
