#include "source_tree.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

namespace unicni::structure {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  std::istringstream in{std::string(text)};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool is_binary(std::string_view text) { return text.find('\0') != std::string_view::npos; }

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

/// Blanks [from, to) but keeps line breaks.
void blank(std::string& text, std::size_t from, std::size_t to) {
  for (std::size_t i = from; i < std::min(to, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

/// Where the literal that opens at `open` (a quote) ends: the index of its closing quote, or of the
/// end of the line.
std::size_t literal_end(std::string_view text, std::size_t open) {
  std::size_t i = open + 1;
  while (i < text.size() && text[i] != text[open] && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return std::min(i, text.size());
}

/// R"x( … )x": the index of the closing quote.
std::size_t raw_literal_end(std::string_view text, std::size_t open) {
  const std::size_t paren = text.find('(', open);
  if (paren == std::string_view::npos) return text.size();
  const std::string close = ")" + std::string(text.substr(open + 1, paren - open - 1)) + "\"";
  const std::size_t end = text.find(close, paren);
  return end == std::string_view::npos ? text.size() : end + close.size() - 1;
}

}  // namespace

std::string strip(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (text.substr(i, 2) == "//") {
      const std::size_t end = std::min(text.find('\n', i), text.size());
      blank(out, i, end);
      i = end;
    } else if (text.substr(i, 2) == "/*") {
      const std::size_t close = text.find("*/", i + 2);
      const std::size_t end = close == std::string_view::npos ? text.size() : close + 2;
      blank(out, i, end);
      i = end - 1;
    } else if (text[i] == '"') {
      const bool raw = i > 0 && text[i - 1] == 'R' && (i < 2 || !is_word(text[i - 2]));
      const std::size_t end = raw ? raw_literal_end(text, i) : literal_end(text, i);
      blank(out, i + 1, end);
      i = end;
    } else if (text[i] == '\'' &&
               (i == 0 || !is_word(text[i - 1]))) {  // after a digit it separates thousands
      const std::size_t end = literal_end(text, i);
      blank(out, i + 1, end);
      i = end;
    }
  }
  return out;
}

std::string SourceFile::name() const { return path.substr(path.rfind('/') + 1); }

bool SourceFile::is_cxx() const {
  return path.ends_with(".cc") || path.ends_with(".h") || path.ends_with(".c") ||
         path.ends_with(".hpp");
}

bool SourceFile::is_test() const {
  return path.ends_with("_test.cc") || path.ends_with("_for_test.h") || is_below("tests");
}

bool SourceFile::is_application() const {
  return is_below("tools/app") || is_below("tools/cnitool") || is_below("tools/unictl");
}

bool SourceFile::is_product() const {
  return is_cxx() && !is_test() &&
         (is_below("core") || is_below("modules") || is_below("exec") || is_application());
}

bool SourceFile::is_below(std::string_view folder) const {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::vector<Include> includes_of(const SourceFile& file) {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    if (file.code[i].find('#') == std::string::npos) continue;  // commented out
    std::smatch match;
    if (std::regex_search(file.lines[i], match, pattern)) {
      found.push_back({i + 1, match[2].str(), match[1].str() == "\""});
    }
  }
  return found;
}

SourceFile make_file(std::string path, std::string_view text) {
  SourceFile file{std::move(path), split_lines(text), {}};
  if (file.is_cxx()) {
    file.code = split_lines(strip(text));
    file.code.resize(file.lines.size());
  }
  return file;
}

std::vector<SourceFile> read_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (auto entry = fs::recursive_directory_iterator(root);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename();
    if (entry->is_directory() &&
        (name == ".git" || (entry.depth() == 0 && name.starts_with("build")))) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() && !entry->is_symlink() && name != ".git") {
      std::ifstream in(entry->path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      if (!is_binary(text)) files.push_back(make_file(fs::relative(entry->path(), root), text));
    }
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string finding(const SourceFile& file, std::size_t line, std::string_view rule) {
  return file.path + ':' + std::to_string(line) + ": " + std::string(rule);
}

}  // namespace unicni::structure
