// docs [--check] SOURCE_FOLDER
// Writes what follows from the modules' option tables: config/schema/<type>.json, and in
// modules/<type>/README.md the table between the markers. With --check nothing is written, and
// stale files end in status 1. chain.json and policy.json are schemas of files that hold all types.
#include <fmt/core.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "modules.h"
#include "option_docs/list_schema.h"
#include "option_docs/readme.h"
#include "option_docs/schema.h"
#include "unicni/error.h"

namespace unicni::docs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBegin = "<!-- options -->\n";
constexpr std::string_view kEnd = "<!-- /options -->";
constexpr OptionTable kNoOptions{nullptr, 0, nullptr, nullptr};

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) throw Error(Code::io, fmt::format("{}: can't be written", path.string()));
}

std::string with_table(const fs::path& readme, const std::string& table) {
  const std::string text = read(readme);
  const std::size_t begin = text.find(kBegin);
  const std::size_t end = text.find(kEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    throw Error(Code::invalid_config,
                fmt::format("{}: no lines \"<!-- options -->\" and \"{}\"", readme.string(), kEnd));
  }
  return text.substr(0, begin + kBegin.size()) + table + text.substr(end);
}

/// Brings files up to date, or counts those that are not.
class Pages {
 public:
  explicit Pages(bool check) : check_(check) {}

  void put(const fs::path& path, const std::string& text) {
    if (read(path) == text) return;
    ++stale_;
    std::fprintf(stderr, "%s %s\n", path.c_str(), check_ ? "is stale" : "written");
    if (!check_) write(path, text);
  }
  [[nodiscard]] bool failed() const { return check_ && stale_ > 0; }

 private:
  bool check_;
  int stale_ = 0;
};

int run(bool check, const fs::path& source) {
  Pages pages(check);
  std::vector<option_docs::SchemaModule> all;
  for (const ModuleDescriptor* module : list_modules()) {
    const OptionTable& table = module->options == nullptr ? kNoOptions : *module->options;
    const bool ipam = module->kind == ModuleKind::ipam;
    const std::string name = module->name;
    all.push_back({module->name, ipam, module->options});
    const fs::path readme = source / "modules" / name / "README.md";
    pages.put(source / "config" / "schema" / (name + ".json"),
              option_docs::json_schema(name, table, ipam));
    pages.put(readme, with_table(readme, option_docs::readme_table(table, ipam)));
  }
  const fs::path schemas = source / "config" / "schema";
  pages.put(schemas / "chain.json", option_docs::chain_schema(all));
  pages.put(schemas / "policy.json", option_docs::policy_schema(all));
  if (pages.failed()) std::fprintf(stderr, "run: docs %s\n", source.c_str());
  return pages.failed() ? 1 : 0;
}

}  // namespace
}  // namespace unicni::docs

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string_view(argv[1]) == "--check";
  if (!check && argc != 2) {
    std::fputs("usage: docs [--check] SOURCE_FOLDER\n", stderr);
    return 2;
  }
  try {
    return unicni::docs::run(check, argv[argc - 1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "docs: %s\n", error.what());
    return 2;
  }
}
