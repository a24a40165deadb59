#include "journal/entry.h"

#include <charconv>

#include "journal/line.h"

namespace unicni::journal {
namespace {

constexpr std::string_view kMagic = "unicni-journal";
constexpr std::string_view kVersion = "1";

std::optional<Entry> read_header(const Line& line) {
  if (line.word != kMagic || line.get("version") != kVersion) return std::nullopt;
  Entry entry;
  entry.key = {line.get("network"), line.get("container"), line.get("if_name")};
  entry.place = {line.get("boot"), line.get("host_netns")};
  entry.container_netns = line.get("container_netns");
  entry.netns_path = line.get("netns");
  return entry;
}

std::optional<Undo> read_undo(const Line& line) {
  Undo undo;
  undo.type = line.get("type");
  const std::string version = line.get("version");
  const auto [end, error] =
      std::from_chars(version.data(), version.data() + version.size(), undo.version);
  if (undo.type.empty() || error != std::errc() || end != version.data() + version.size()) {
    return std::nullopt;
  }
  undo.on_failure_only = line.get("on_failure_only") == "1";
  for (const auto& [key, value] : line.fields) {
    if (key.starts_with('.')) undo.fields.emplace_back(key.substr(1), value);
  }
  return undo;
}

/// One line after the header; false if it makes no sense here.
bool apply(const Line& line, Entry& entry) {
  if (line.word == "step") {
    if (line.find("container_netns") != nullptr) {
      move_to_netns(entry, line.get("container_netns"), line.get("netns"));
    }
    entry.steps.push_back({line.get("type"), line.get("config"), {}, {}});
    return true;
  }
  if (line.word == "undo") {
    auto undo = read_undo(line);
    if (!undo || entry.steps.empty()) return false;
    entry.steps.back().undo.push_back(std::move(*undo));
    return true;
  }
  if (line.word == "done") {
    if (entry.steps.empty()) return false;
    entry.steps.back().result = line.get("result");
    return true;
  }
  if (line.word == "forget") drop_steps(entry, line.get("type"));
  return true;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool moves(const Entry& entry, const std::string& container_netns, const std::string& netns_path) {
  // An IPAM step opens no namespace; that says nothing against the one that another step saw behind
  // the same path.
  if (container_netns.empty() && netns_path == entry.netns_path) return false;
  return container_netns != entry.container_netns || netns_path != entry.netns_path;
}

}  // namespace

std::optional<EntryText> read_entry(std::string_view text) {
  const std::size_t header_end = text.find('\n');
  if (header_end == text.npos) return std::nullopt;
  const auto header = parse_line(first_line(text));
  if (!header) return std::nullopt;
  auto entry = read_header(*header);
  if (!entry) return std::nullopt;
  EntryText result{std::move(*entry), header_end + 1, header_end + 1};
  for (;;) {
    const std::size_t end = text.find('\n', result.size);
    if (end == text.npos) return result;
    const auto line = parse_line(text.substr(result.size, end - result.size));
    if (!line || !apply(*line, result.entry)) return std::nullopt;
    result.size = end + 1;
  }
}

std::optional<Entry> parse_entry(std::string_view text) {
  auto result = read_entry(text);
  if (!result) return std::nullopt;
  return std::move(result->entry);
}

std::optional<Key> read_key(std::string_view text) {
  if (text.find('\n') == text.npos) return std::nullopt;
  const auto line = parse_line(first_line(text));
  if (!line) return std::nullopt;
  auto entry = read_header(*line);
  if (!entry) return std::nullopt;
  return std::move(entry->key);
}

std::string print_entry(const Entry& entry) {
  std::string text = header_line(entry);
  for (const Step& step : entry.steps) {
    text += step_line(entry, step.type, step.config, entry.container_netns, entry.netns_path);
    for (const Undo& undo : step.undo) text += undo_line(undo);
    if (!step.result.empty()) text += done_line(step.result);
  }
  return text;
}

std::string header_line(const Entry& entry) {
  LineWriter line(kMagic);
  line.add("version", kVersion)
      .add("network", entry.key.network)
      .add("container", entry.key.container_id)
      .add("if_name", entry.key.if_name)
      .add("boot", entry.place.boot_id)
      .add("host_netns", entry.place.host_netns);
  if (!entry.container_netns.empty()) line.add("container_netns", entry.container_netns);
  if (!entry.netns_path.empty()) line.add("netns", entry.netns_path);
  return line.finish();
}

std::string step_line(const Entry& entry, const std::string& type, const std::string& config,
                      const std::string& container_netns, const std::string& netns_path) {
  LineWriter line("step");
  line.add("type", type).add("config", config);
  if (moves(entry, container_netns, netns_path)) {
    line.add("container_netns", container_netns).add("netns", netns_path);
  }
  return line.finish();
}

std::string undo_line(const Undo& undo) {
  LineWriter line("undo");
  line.add("type", undo.type).add("version", std::to_string(undo.version));
  if (undo.on_failure_only) line.add("on_failure_only", "1");
  for (const auto& [key, value] : undo.fields) line.add("." + key, value);
  return line.finish();
}

std::string done_line(const std::string& result) {
  return LineWriter("done").add("result", result).finish();
}

std::string forget_line(const std::string& type) {
  return LineWriter("forget").add("type", type).finish();
}

void move_to_netns(Entry& entry, const std::string& container_netns,
                   const std::string& netns_path) {
  if (!moves(entry, container_netns, netns_path)) return;
  entry.container_netns = container_netns;
  entry.netns_path = netns_path;
}

std::size_t drop_steps(Entry& entry, const std::string& type) {
  return std::erase_if(entry.steps, [&](const Step& step) { return step.type == type; });
}

}  // namespace unicni::journal
