#include "module/note.h"

#include <elf.h>
#include <fmt/core.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "module/elf_file.h"
#include "module/library_path.h"
#include "module/needed.h"

namespace unicni::module {
namespace {

/// What interface 1 had; every note has as much.
constexpr std::size_t kSmallestNote = offsetof(ModuleNote, built_for);

/// Our note in one PT_NOTE segment.
/// Notes of later interfaces are longer. What this build knows is copied, and what an older note
/// lacks stays zero.
std::optional<ModuleNote> find_note(const ElfFile& file, const ElfW(Phdr) & segment) {
  std::optional<ModuleNote> found;
  const bool whole = each_note(file.read_notes(segment), segment.p_align, [&](const ElfNote& note) {
    constexpr std::string_view kName("unicni", sizeof "unicni");  // with its zero
    if (note.type != kModuleNoteType || note.name != kName) return true;
    if (note.content.size() < kSmallestNote) throw file.damaged("its unicni note is too short");
    std::memcpy(&found.emplace(), note.content.data(),
                std::min(note.content.size(), sizeof *found));
    return false;
  });
  if (!whole) throw file.damaged("a note leads beyond its segment");
  return found;
}

constexpr bool kBringsLibstdcxx = std::string_view(UNICNI_LIBSTDCXX) == "host";

/// Texts of the note are used as C strings further on.
template <std::size_t N>
bool terminated(const char (&text)[N]) {
  return std::memchr(text, '\0', N) != nullptr;
}

/// A C++ library of its own, where the executable has one and exports it, or whatever the working
/// folder holds.
void require_no_refused_library(const ElfFile& file, const std::vector<ElfW(Phdr)>& segments) {
  if (holds_cxx_library(file, segments)) {
    throw unusable(file.path(), "it holds a C++ library of its own, linked in from an archive",
                   "the executable has libstdc++ and exports it; link the module without one, as "
                   "unicni_add_module() does: neither libstdc++.a nor a library that holds it");
  }
  const auto way = find_refused_library(file, segments);
  if (way.empty()) return;
  std::string how;
  if (way.size() > 1) {
    how = fmt::format(": {} needs {}",
                      std::string_view(file.path()).substr(file.path().rfind('/') + 1), way[0]);
    for (std::size_t i = 1; i < way.size(); ++i) how += ", which needs " + way[i];
  }
  // A C++ library by a relative path, too: that is to be mended first.
  if (is_relative_path(way.back())) {
    throw unusable(
        file.path(),
        fmt::format("it needs {} by a relative path, which the loader would look for in "
                    "the working folder{}",
                    way.back(), how),
        "link that library with a name of its own (-Wl,-soname,NAME) and the module with "
        "the folder where it is (DT_RUNPATH, $ORIGIN is the module's folder)");
  }
  throw unusable(file.path(), fmt::format("it brings its own C++ library, {}{}", way.back(), how),
                 "the executable has libstdc++ and exports it; link the module without one, as "
                 "unicni_add_module() does, and other libraries in C++ from archives");
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
                   "end the module's source with the macro UNICNI_MODULE (unicni/module.h)");
  }
  if (!terminated(note->name) || !terminated(note->version) || !terminated(note->toolchain) ||
      !terminated(note->built_for)) {
    throw file.damaged("its unicni note has a text without end");
  }
  if (kBringsLibstdcxx) require_no_refused_library(file, segments);
  return *note;
}

void require_compatible(const ModuleNote& note, const std::string& name, const std::string& path,
                        Abis accepted) {
  require_abi(path, note.abi, note.version, accepted);
  require_toolchain(path, note.toolchain, note.version);
  if (name != note.name) {
    throw unusable(path,
                   fmt::format("its name is \"{}\" inside, \"{}\" is expected", note.name, name),
                   "a module's file name, its \"type\" and the name in UNICNI_MODULE, whose '_' is "
                   "a '-', are one "
                   "word");
  }
}

}  // namespace unicni::module
