// The note and the needed libraries of a module, read from the file: dlopen would run its
// constructors first.
#include <elf.h>
#include <fmt/core.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "module/elf_file.h"
#include "module/refusal.h"
#include "module/registry.h"

namespace unicni::module {
namespace {

constexpr std::size_t kMostDynamic = 4096;  // bytes; a module has about 30 entries of 16
constexpr std::size_t kLongestLibraryName =
    128;  // enough to tell one that begins with "libstdc++.so"

/// Our note in one PT_NOTE segment.
std::optional<ModuleNote> find_note(const ElfFile& file, const ElfW(Phdr) & segment) {
  std::optional<ModuleNote> found;
  const bool whole = each_note(file.read_notes(segment), segment.p_align, [&](const ElfNote& note) {
    constexpr std::string_view kName("unicni", sizeof "unicni");  // with its zero
    if (note.type != kModuleNoteType || note.name != kName) return true;
    if (note.content.size() < sizeof *found) throw file.damaged("its unicni note is too short");
    std::memcpy(&found.emplace(), note.content.data(), sizeof *found);
    return false;
  });
  if (!whole) throw file.damaged("a note leads beyond its segment");
  return found;
}

constexpr bool kBringsLibstdcxx = std::string_view(UNICNI_LIBSTDCXX) == "host";

template <std::size_t N>
bool terminated(const char (&text)[N]) {
  return std::memchr(text, '\0', N) != nullptr;
}

std::uint64_t file_offset(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments,
                          std::uint64_t address) {
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz) {
      return segment.p_offset + (address - segment.p_vaddr);
    }
  }
  throw file.damaged("its string table is in no segment");
}

/// Calls each(name) for every DT_NEEDED; the name is cut after kLongestLibraryName bytes.
template <class F>
void each_needed(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments, F each) {
  for (const auto& segment : segments) {
    if (segment.p_type != PT_DYNAMIC) continue;
    if (segment.p_filesz > kMostDynamic) throw file.damaged("its dynamic section is too large");
    std::vector<ElfW(Dyn)> entries(segment.p_filesz / sizeof(ElfW(Dyn)));
    file.read(entries.data(), entries.size() * sizeof entries[0], segment.p_offset);
    std::uint64_t strings = 0;
    std::uint64_t strings_size = 0;
    for (const auto& entry : entries) {
      if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
      if (entry.d_tag == DT_STRSZ) strings_size = entry.d_un.d_val;
    }
    for (const auto& entry : entries) {
      if (entry.d_tag == DT_NULL) break;
      if (entry.d_tag != DT_NEEDED) continue;
      if (entry.d_un.d_val >= strings_size) throw file.damaged("a library name is out of bounds");
      std::array<char, kLongestLibraryName> name{};
      file.read(name.data(),
                std::min<std::uint64_t>(name.size() - 1, strings_size - entry.d_un.d_val),
                file_offset(file, segments, strings) + entry.d_un.d_val);
      each(std::string_view(name.data()));
    }
  }
}

}  // namespace

ModuleNote read_note(const std::string& path) {
  const ElfFile file(path);
  const auto segments = file.segments();
  std::optional<ModuleNote> note;
  for (const auto& segment : segments) {
    if (!note && segment.p_type == PT_NOTE) note = find_note(file, segment);
  }
  if (!note) {
    throw unusable(path, "it has no unicni note, so it is no unicni module",
                   "a module ends with the macro UNICNI_MODULE (unicni/module.h)");
  }
  if (!terminated(note->name) || !terminated(note->version) || !terminated(note->toolchain)) {
    throw file.damaged("its unicni note has a text without end");
  }
  if (kBringsLibstdcxx) {
    each_needed(file, segments, [&](std::string_view library) {
      if (!library.starts_with("libstdc++.so") && !library.starts_with("libc++.so")) return;
      throw unusable(path, fmt::format("it brings its own C++ library, {}", library),
                     "the executable has libstdc++ and exports it; link the module without one, as "
                     "unicni_add_module() does");
    });
  }
  return *note;
}

void require_compatible(const ModuleNote& note, const std::string& name, const std::string& path) {
  require_abi(path, note.abi, note.toolchain, note.version);
  if (name != note.name) {
    throw unusable(path,
                   fmt::format("its name is \"{}\" inside, \"{}\" is expected", note.name, name),
                   "a module's file name, its \"type\" and the name in UNICNI_MODULE are one word");
  }
}

}  // namespace unicni::module
