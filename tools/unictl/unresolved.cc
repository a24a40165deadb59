#include "unresolved.h"

#include <fmt/core.h>
#include <link.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "module/dynamic.h"
#include "module/elf_file.h"
#include "module/library_path.h"
#include "module/module_file.h"
#include "unicni/error.h"

namespace unicni::unictl {
namespace {

using module::ElfFile;
using Names = std::set<std::string, std::less<>>;

constexpr std::size_t kMostSections = 256;
constexpr std::size_t kMostSymbols = 1U << 18U;  // libstdc++ has 6,000
constexpr std::size_t kMostNames = 32U << 20U;   // bytes
constexpr std::size_t kMostLibraries = 64;

struct Symbol {
  std::string name;
  bool is_defined;
  bool is_weak;
};

/// Of the table that the loader looks names up in. nullopt: the file has no section headers, by
/// which alone the table's length is told.
std::optional<std::vector<Symbol>> find_symbols(const ElfFile& file) {
  const auto header = file.read_object<ElfW(Ehdr)>(0);
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(ElfW(Shdr)) ||
      header.e_shnum > kMostSections) {
    return std::nullopt;
  }
  std::vector<ElfW(Shdr)> sections(header.e_shnum);
  file.read(sections.data(), sections.size() * sizeof sections[0], header.e_shoff);
  const auto table = std::ranges::find(sections, SHT_DYNSYM, &ElfW(Shdr)::sh_type);
  if (table == sections.end() || table->sh_link >= sections.size()) return std::nullopt;
  std::vector<ElfW(Sym)> entries(table->sh_size / sizeof(ElfW(Sym)));
  const ElfW(Shdr)& texts = sections[table->sh_link];
  if (entries.size() > kMostSymbols || texts.sh_size > kMostNames)
    throw file.damaged("it has too many symbols");
  file.read(entries.data(), entries.size() * sizeof entries[0], table->sh_offset);
  std::string names(texts.sh_size, '\0');
  file.read(names.data(), names.size(), texts.sh_offset);
  std::vector<Symbol> symbols;
  for (const auto& entry : entries) {
    if (entry.st_name == 0 || entry.st_name >= names.size()) continue;
    const auto binding = ELF64_ST_BIND(entry.st_info);  // as ELF32_ST_BIND
    if (binding == STB_LOCAL) continue;
    symbols.push_back(
        {names.c_str() + entry.st_name, entry.st_shndx != SHN_UNDEF, binding == STB_WEAK});
  }
  return symbols;
}

/// Adds what a file and, breadth first, the libraries that it needs define.
class Gatherer {
 public:
  explicit Gatherer(Names& names) : names_(names) {}

  /// `taken`: gets what the file itself can't do without.
  void add(const std::string& path, ElfFile::Kind kind, std::vector<std::string>* taken) {
    const ElfFile file(path);
    const auto segments = file.segments(kind);
    const auto symbols = find_symbols(file);
    knows_all_ = knows_all_ && symbols;
    for (const Symbol& symbol : symbols.value_or(std::vector<Symbol>())) {
      if (symbol.is_defined) {
        names_.insert(symbol.name);
      } else if (taken != nullptr && !symbol.is_weak) {
        taken->push_back(symbol.name);
      }
    }
    const module::Dynamic dynamic(file, segments);
    const std::string folders = module::expand_origin(dynamic.folders().list, path);
    dynamic.each_needed([&](std::string_view name) {
      if (seen_.size() >= kMostLibraries || !seen_.emplace(name).second) return false;
      if (auto library = module::find_library(name, folders)) {
        pending_.push_back(*std::move(library));
      } else if (lost_.empty()) {
        lost_ = name;
      }
      return false;
    });
  }
  void follow() {
    for (; !pending_.empty(); pending_.pop_front())
      add(pending_.front(), ElfFile::Kind::shared_object, nullptr);
  }
  /// Whether each file says what it has, and each library was found.
  [[nodiscard]] bool knows_all() const { return knows_all_ && lost_.empty(); }
  [[nodiscard]] const std::string& lost() const { return lost_; }

 private:
  Names& names_;
  Names seen_;
  std::deque<std::string> pending_;
  std::string lost_;  ///< the first library that isn't found
  bool knows_all_ = true;
};

}  // namespace

Offered::Offered(const std::string& executable) {
  Gatherer gatherer(names_);
  gatherer.add(executable, ElfFile::Kind::any, nullptr);
  gatherer.follow();
  if (!gatherer.knows_all()) names_.clear();
}

std::optional<std::string> Offered::find_missing(const std::string& name,
                                                 const std::string& path) const {
  Names own;
  std::vector<std::string> taken;
  Gatherer gatherer(own);
  gatherer.add(path, ElfFile::Kind::shared_object, &taken);
  if (!gatherer.lost().empty()) {
    return fmt::format("{}: cannot open shared object file: No such file or directory",
                       gatherer.lost());
  }
  gatherer.follow();
  if (names_.empty() || !gatherer.knows_all()) return std::nullopt;
  for (const std::string& each : taken) {
    if (!names_.contains(each) && !own.contains(each))
      return fmt::format("undefined symbol: {}", each);
  }
  const std::string constant = module::descriptor_symbol(name);
  if (!own.contains(constant)) return fmt::format("undefined symbol: {}", constant);
  return std::nullopt;
}

}  // namespace unicni::unictl
