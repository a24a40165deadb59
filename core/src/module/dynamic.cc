// The dynamic section of a file: which libraries it needs and where they are searched (elf(5),
// ld.so(8)). Read from the file, as dlopen would run the constructors of what it finds.
#include "module/dynamic.h"

#include <algorithm>

namespace unicni::module {
namespace {

constexpr std::size_t kMostBytes = 16384;  // a module has about 30 entries of 16
constexpr std::size_t kLongestFolders = 4096;
constexpr std::size_t kMostImports = 65536;   // a module has 50 to 400
constexpr std::size_t kMostNames = 4U << 20;  // bytes; a module has 3 to 60 thousand

}  // namespace

Dynamic::Dynamic(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments)
    : file_(file), segments_(segments) {
  const auto section = std::find_if(segments.begin(), segments.end(), [](const auto& segment) {
    return segment.p_type == PT_DYNAMIC;
  });
  if (section == segments.end()) return;
  if (section->p_filesz > kMostBytes) throw file.damaged("its dynamic section is too large");
  entries_.resize(section->p_filesz / sizeof entries_[0]);
  file.read(entries_.data(), entries_.size() * sizeof entries_[0], section->p_offset);
  entries_.erase(std::find_if(entries_.begin(), entries_.end(),
                              [](const auto& entry) { return entry.d_tag == DT_NULL; }),
                 entries_.end());
  for (const auto& entry : entries_) {
    if (entry.d_tag == DT_STRTAB) strings_ = entry.d_un.d_ptr;
    if (entry.d_tag == DT_STRSZ) strings_size_ = entry.d_un.d_val;
  }
}

/// The section has addresses as in memory; segments say where these lie in the file.
std::uint64_t Dynamic::file_offset(std::uint64_t address) const {
  for (const auto& segment : segments_) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  throw file_.damaged("its string table is in no segment");
}

/// DT_RUNPATH holds for the file itself, the older DT_RPATH for the libraries that it brings as
/// well. With both the loader looks at DT_RUNPATH only.
Dynamic::Folders Dynamic::folders() const {
  const auto find = [&](auto tag) {
    return std::find_if(entries_.begin(), entries_.end(),
                        [tag](const auto& entry) { return entry.d_tag == tag; });
  };
  Folders folders;
  auto entry = find(DT_RUNPATH);
  if (entry == entries_.end()) {
    folders.inherited = true;
    entry = find(DT_RPATH);
  }
  if (entry == entries_.end()) return folders;
  folders.list.resize(kLongestFolders);
  read_string(folders.list.data(), folders.list.size(), entry->d_un.d_val);
  folders.list.resize(folders.list.find('\0'));
  return folders;
}

std::uint64_t Dynamic::find(ElfW(Sxword) tag) const {
  for (const auto& entry : entries_) {
    if (entry.d_tag == tag) return entry.d_un.d_val;
  }
  return 0;
}

/// The table has no length of its own. GNU's hash table begins with the number of the first symbol
/// that the file itself has, behind all that it takes; the older one has the number of all.
Dynamic::Imports Dynamic::read_imports() const {
  const std::uint64_t table = find(DT_SYMTAB);
  std::uint32_t count = 0;
  if (const auto hash = find(DT_GNU_HASH); hash != 0) {
    count = file_.read_object<std::array<std::uint32_t, 2>>(file_offset(hash))[1];
  } else if (const auto older = find(DT_HASH); older != 0) {
    count = file_.read_object<std::array<std::uint32_t, 2>>(file_offset(older))[1];
  }
  Imports imports;
  if (table == 0 || count == 0) return imports;
  if (count > kMostImports || strings_size_ > kMostNames)
    throw file_.damaged("it has too many symbols");
  imports.symbols.resize(count);
  file_.read(imports.symbols.data(), count * sizeof imports.symbols[0], file_offset(table));
  imports.names.resize(strings_size_);
  file_.read(imports.names.data(), strings_size_, file_offset(strings_));
  return imports;
}

void Dynamic::read_string(char* to, std::size_t size, std::uint64_t at) const {
  if (at >= strings_size_) throw file_.damaged("a library name is out of bounds");
  file_.read(to, std::min<std::uint64_t>(size - 1, strings_size_ - at), file_offset(strings_) + at);
}

}  // namespace unicni::module
