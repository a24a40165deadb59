// The dynamic section of an ELF file, elf(5): what it needs and where that is looked for.
#pragma once

#include <elf.h>
#include <link.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "module/elf_file.h"

namespace unicni::module {

/// All functions throw unusable() for a damaged file. File and segments must outlive it.
class Dynamic {
 public:
  Dynamic(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments);

  /// Calls each(name) for every DT_NEEDED until it returns true, which it returns then. A name is
  /// cut after kLongestName bytes.
  template <class F>
  bool each_needed(F each) const {
    for (const auto& entry : entries_) {
      if (entry.d_tag != DT_NEEDED) continue;
      std::array<char, kLongestName + 1> name{};
      read_string(name.data(), name.size(), entry.d_un.d_val);
      if (each(std::string_view(name.data()))) return true;
    }
    return false;
  }

  /// Calls each(name) for every symbol that the file takes from elsewhere until it returns true,
  /// which it returns then.
  template <class F>
  bool each_import(F each) const {
    const Imports imports = read_imports();
    for (const auto& symbol : imports.symbols) {
      if (symbol.st_shndx != SHN_UNDEF || symbol.st_name >= imports.names.size()) continue;
      if (each(std::string_view(imports.names.c_str() + symbol.st_name))) return true;
    }
    return false;
  }

  /// Folders between colons; `inherited`: those of DT_RPATH, in which also what it needs looks for
  /// its own. Empty: it has neither.
  struct Folders {
    std::string list;
    bool inherited = false;
  };
  [[nodiscard]] Folders folders() const;

 private:
  static constexpr std::size_t kLongestName = 127;

  struct Imports {
    std::vector<ElfW(Sym)> symbols;  ///< those of others, and without a hash table our own as well
    std::string names;
  };
  [[nodiscard]] Imports read_imports() const;
  /// 0: it has no such entry.
  [[nodiscard]] std::uint64_t find(ElfW(Sxword) tag) const;

  /// Cut to size - 1 bytes; `to` holds zeros.
  void read_string(char* to, std::size_t size, std::uint64_t at) const;

  [[nodiscard]] std::uint64_t file_offset(std::uint64_t address) const;

  const ElfFile& file_;
  const std::vector<ElfW(Phdr)>& segments_;
  std::vector<ElfW(Dyn)> entries_;
  std::uint64_t strings_ = 0;  ///< address
  std::uint64_t strings_size_ = 0;
};

}  // namespace unicni::module
