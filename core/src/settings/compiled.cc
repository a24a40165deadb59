#include "settings/compiled.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "journal/trust.h"
#include "unicni/error.h"
#include "unicni/line.h"
#include "unicni/sys/file.h"

namespace unicni::settings {
namespace {

constexpr std::string_view kMagic = "unicni-compiled";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kLimit = 16U << 20U;  // bytes of an entry

template <class Number>
bool read_number(const Line& line, std::string_view key, Number& value) {
  const std::string text = line.get(key);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string source_line(const Source& source) {
  return LineWriter("source")
      .add("path", source.path)
      .add("device", std::to_string(source.device))
      .add("inode", std::to_string(source.inode))
      .add("ctime", std::to_string(source.ctime))
      .add("size", std::to_string(source.size))
      .finish();
}

bool read_source(const Line& line, Compiled& compiled) {
  Source source{line.get("path")};
  const bool is_whole =
      read_number(line, "device", source.device) && read_number(line, "inode", source.inode) &&
      read_number(line, "ctime", source.ctime) && read_number(line, "size", source.size);
  compiled.sources.push_back(std::move(source));
  return is_whole;
}

}  // namespace

std::string chain_subject(const std::string& name) { return "chain:" + name; }

std::optional<Source> find_source(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  constexpr std::int64_t kSecond = 1'000'000'000;
  return Source{path, found.st_dev, found.st_ino,
                found.st_ctim.tv_sec * kSecond + found.st_ctim.tv_nsec, found.st_size};
}

std::string print_compiled(const Compiled& compiled) {
  std::string text = LineWriter(kMagic)
                         .add("version", kVersion)
                         .add("settled", compiled.is_settled ? "1" : "0")
                         .finish();
  for (const Source& source : compiled.sources) text += source_line(source);
  for (const std::string& warning : compiled.warnings) {
    text += LineWriter("warning").add("text", warning).finish();
  }
  return text + LineWriter("body").add("text", compiled.body).finish();
}

std::optional<Compiled> parse_compiled(std::string_view text) {
  Compiled compiled;
  bool has_header = false;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == text.npos) return std::nullopt;
    const auto line = parse_line(text.substr(0, end));
    text.remove_prefix(end + 1);
    if (!line) return std::nullopt;
    if (!has_header) {
      if (line->word != kMagic || line->get("version") != kVersion) return std::nullopt;
      compiled.is_settled = line->get("settled") == "1";
      has_header = true;
    } else if (line->word == "source") {
      if (!read_source(*line, compiled)) return std::nullopt;
    } else if (line->word == "warning") {
      compiled.warnings.push_back(line->get("text"));
    } else if (line->word == "body") {
      compiled.body = line->get("text");
      return text.empty() ? std::optional(std::move(compiled)) : std::nullopt;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

bool is_current(const Compiled& compiled) {
  return compiled.is_settled && !compiled.sources.empty() &&
         std::all_of(compiled.sources.begin(), compiled.sources.end(), [](const Source& source) {
           const auto now = find_source(source.path);
           return now && *now == source;
         });
}

bool is_for(const Compiled& compiled, const std::string& folder, const std::string& executable) {
  if (compiled.sources.empty() || compiled.sources.front().path != folder) return false;
  const auto parent = [](std::string_view path) { return path.substr(0, path.rfind('/')); };
  return executable.empty() ||
         std::any_of(compiled.sources.begin(), compiled.sources.end(), [&](const Source& source) {
           return parent(source.path) == parent(executable);
         });
}

std::optional<Compiled> find_compiled(const Folders& folders, const std::string& subject) {
  const std::string folder = folders.compiled();
  if (const auto why = journal::distrust_folder(folder)) throw Error(*why);
  try {
    const auto text = sys::read_file(folder + '/' + subject, kLimit, sys::Links::refuse);
    return text ? parse_compiled(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace unicni::settings
