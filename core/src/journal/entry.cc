#include "journal/entry.h"

#include <algorithm>
#include <charconv>

#include "unicni/line.h"

namespace unicni::journal {
namespace {

constexpr std::string_view kMagic = "unicni-journal";
/// Of the form of lines as a whole. New words and new fields need no new number: old programs pass
/// over them.
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

/// Fields of the record begin with a dot, so they can't clash with those of the line.
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

/// A whole number, and nothing but that.
std::optional<std::size_t> read_number(const Line& line, std::string_view key) {
  const std::string* text = line.find(key);
  if (text == nullptr) return std::nullopt;
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

bool is_known_id(const Entry& entry, std::optional<std::size_t> id) {
  return id && *id < entry.begun;
}

/// One line after the header; false if it makes no sense here.
/// Lines are replayed in the order in which they were written; what is left at the end is the state
/// of the attachment. Unknown words are of later versions and change nothing here.
bool apply(const Line& line, Entry& entry) {
  if (line.word == "step") {
    RecordedStep step{line.get("type"), line.get("config"), {}, {}};
    step.ordinal = read_number(line, "member");
    step.args = line.get("args");
    step.asked = line.get("asked");
    step.source = line.get("source");
    const bool moves = line.find("container_netns") != nullptr;
    step.container_netns = moves ? line.get("container_netns") : entry.container_netns;
    step.netns_path = moves ? line.get("netns") : entry.netns_path;
    put_step(entry, std::move(step));
    return true;
  }
  if (line.word == "undo") {
    auto undo = read_undo(line);
    if (!undo || entry.steps.empty()) return false;
    entry.steps.back().undo.push_back(std::move(*undo));
    return true;
  }
  if (line.word == "delegate") {
    if (entry.steps.empty()) return false;
    entry.steps.back().delegate = line.get("config");
    return true;
  }
  if (line.word == "done") {
    if (entry.steps.empty()) return false;
    entry.steps.back().result = line.get("result");
    return true;
  }
  // By number since 0.2. A line without one is of an earlier version, in which a type had one step.
  if (line.word == "forget") {
    const auto id = read_number(line, "id");
    const std::string type = line.get("type");
    if (line.find("id") != nullptr && !is_known_id(entry, id)) return false;
    std::erase_if(entry.steps, [&](const RecordedStep& step) {
      return id ? step.id == *id : step.type == type;
    });
  }
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

/// A line that doesn't parse in the middle of the file is damage, and then the whole is not
/// believed. At the end it is a write that was cut off.
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

bool is_of_future(std::string_view text) {
  if (text.find('\n') == text.npos) return false;
  const auto header = parse_line(first_line(text));
  return header && header->word == kMagic && header->get("version") != kVersion;
}

std::optional<Entry> parse_entry(std::string_view text) {
  auto result = read_entry(text);
  if (!result) return std::nullopt;
  return std::move(result->entry);
}

/// The header alone: GC looks at the names of many entries and needs the steps of few.
std::optional<AttachmentKey> read_key(std::string_view text) {
  if (text.find('\n') == text.npos) return std::nullopt;
  const auto line = parse_line(first_line(text));
  if (!line) return std::nullopt;
  auto entry = read_header(*line);
  if (!entry) return std::nullopt;
  return std::move(entry->key);
}

std::string print_entry(const Entry& entry) {
  Entry place = entry;  // as far as it is written: where the next step line finds itself
  if (!entry.steps.empty()) {
    place.container_netns = entry.steps.front().container_netns;
    place.netns_path = entry.steps.front().netns_path;
  }
  std::string text = header_line(place);
  for (const RecordedStep& step : entry.steps) {
    text += step_line(place, step);
    put_step(place, step);
    if (!step.delegate.empty()) text += delegate_line(step.delegate);
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

/// The namespace is written only where it differs from the line before. Most entries have one.
std::string step_line(const Entry& entry, const RecordedStep& step) {
  LineWriter line("step");
  line.add("type", step.type).add("config", step.config);
  if (step.ordinal) line.add("member", std::to_string(*step.ordinal));
  if (!step.args.empty()) line.add("args", step.args);
  if (!step.asked.empty()) line.add("asked", step.asked);
  if (!step.source.empty()) line.add("source", step.source);
  if (moves(entry, step.container_netns, step.netns_path)) {
    line.add("container_netns", step.container_netns).add("netns", step.netns_path);
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

std::string delegate_line(const std::string& config) {
  return LineWriter("delegate").add("config", config).finish();
}

std::string done_line(const std::string& result) {
  return LineWriter("done").add("result", result).finish();
}

std::string forget_line(std::size_t id) {
  return LineWriter("forget").add("id", std::to_string(id)).finish();
}

RecordedStep& put_step(Entry& entry, RecordedStep step) {
  if (moves(entry, step.container_netns, step.netns_path)) {
    entry.container_netns = step.container_netns;
    entry.netns_path = step.netns_path;
  } else {
    step.container_netns = entry.container_netns;
    step.netns_path = entry.netns_path;
  }
  step.id = entry.begun++;
  entry.steps.push_back(std::move(step));
  return entry.steps.back();
}

RecordedStep* find_step(Entry& entry, std::size_t id) {
  const auto found = std::find_if(entry.steps.begin(), entry.steps.end(),
                                  [&](const RecordedStep& step) { return step.id == id; });
  return found == entry.steps.end() ? nullptr : &*found;
}

}  // namespace unicni::journal
