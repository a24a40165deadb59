#include "module/build_id.h"

#include <elf.h>

#include <cstdint>
#include <span>

#include "module/elf_file.h"

// The linker's name for the ELF header of the program or library that this code is in.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start;

namespace unicni::module {
namespace {

std::string find_in(std::string_view notes, std::uint64_t align) {
  std::string id;
  each_note(notes, align, [&](const ElfNote& note) {
    constexpr std::string_view kName("GNU", sizeof "GNU");  // with its zero
    if (note.type != NT_GNU_BUILD_ID || note.name != kName) return true;
    id = note.content;
    return false;
  });
  return id;
}

}  // namespace

// From memory: the file may have been replaced since it was started, or be readable for others
// only.
std::string own_build_id() {
  const auto header = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  const std::span segments(reinterpret_cast<const ElfW(Phdr)*>(header + __ehdr_start.e_phoff),
                           __ehdr_start.e_phnum);
  std::uintptr_t base = header;
  for (const auto& segment : segments) {
    if (segment.p_type == PT_LOAD && segment.p_offset == 0) base = header - segment.p_vaddr;
  }
  std::string id;
  for (const auto& segment : segments) {
    if (!id.empty() || segment.p_type != PT_NOTE) continue;
    id = find_in({reinterpret_cast<const char*>(base + segment.p_vaddr), segment.p_memsz},
                 segment.p_align);
  }
  return id;
}

/// A file that can't be read or is no ELF file has no build id, and so isn't ours.
std::string find_build_id(const std::string& path) {
  std::string id;
  try {
    const ElfFile file(path);
    for (const auto& segment : file.segments(ElfFile::Kind::any)) {
      if (id.empty() && segment.p_type == PT_NOTE) {
        id = find_in(file.read_notes(segment), segment.p_align);
      }
    }
  } catch (const Error&) {
    id.clear();
  }
  return id;
}

}  // namespace unicni::module
