// The note and the needed libraries of a module, read from the file: dlopen would run its
// constructors first. Every offset and size in the file may be garbage, so nothing is used before
// it is checked against the file's size.
#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "module/refusal.h"
#include "module/registry.h"
#include "unicni/sys/fd.h"

// The linker's name for the ELF header of the program or library that this code is in: what "our
// machine" means.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start;

namespace unicni::module {
namespace {

constexpr std::size_t kMostSegments = 64;
constexpr std::size_t kMostDynamic = 4096;      // bytes; a module has about 30 entries of 16
constexpr std::size_t kMostNotes = 16U << 10U;  // bytes
constexpr std::size_t kLongestLibraryName =
    128;  // enough to tell one that begins with "libstdc++.so"
constexpr auto kRebuild = "install the module again, built with unicni_add_module()";

/// A file read in pieces. The first piece holds everything but the dynamic section in most modules.
class File {
 public:
  explicit File(const std::string& path) : path_(path) {
    fd_ = sys::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd_ && (errno == ENOENT || errno == ENOTDIR)) throw absent(path);
    struct stat found {};
    if (!fd_ || ::fstat(fd_.get(), &found) != 0) {
      throw unusable(path, system_error(errno, "open").msg(), "the file must be readable");
    }
    if (!S_ISREG(found.st_mode)) throw unusable(path, "it is not a regular file", kRebuild);
    size_ = static_cast<std::uint64_t>(found.st_size);
    first_size_ = std::min<std::uint64_t>(size_, first_.size());
    pread_exactly(first_.data(), first_size_, 0);
  }

  /// `size` bytes at `offset`; refuses what is beyond the file's end.
  void read(void* to, std::uint64_t size, std::uint64_t offset) const {
    if (offset > size_ || size > size_ - offset) {
      throw unusable(path_, "it is a damaged ELF file: an offset leads beyond its end", kRebuild);
    }
    if (offset <= first_size_ && size <= first_size_ - offset) {
      std::memcpy(to, first_.data() + offset, size);
    } else {
      pread_exactly(static_cast<char*>(to), size, offset);
    }
  }

  template <class T>
  [[nodiscard]] T read_object(std::uint64_t offset) const {
    T object;
    read(&object, sizeof object, offset);
    return object;
  }

  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Error damaged(std::string_view what) const {
    return unusable(path_, fmt::format("it is a damaged ELF file: {}", what), kRebuild);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void pread_exactly(char* to, std::uint64_t size, std::uint64_t offset) const {
    ssize_t got = 0;
    do {
      got = ::pread(fd_.get(), to, size, static_cast<off_t>(offset));
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw unusable(path_, system_error(errno, "read").msg(), kRebuild);
    if (static_cast<std::uint64_t>(got) != size) throw damaged("it is shorter than it says");
  }

  const std::string& path_;
  sys::Fd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t first_size_ = 0;
  std::array<char, 4096> first_;
};

std::vector<ElfW(Phdr)> segments_of(const File& file) {
  if (file.size() < sizeof(ElfW(Ehdr)))
    throw unusable(file.path(), "it is not an ELF file", kRebuild);
  const auto header = file.read_object<ElfW(Ehdr)>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    throw unusable(file.path(), "it is not an ELF file", kRebuild);
  }
  const auto& own = __ehdr_start;
  if (header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
      header.e_ident[EI_DATA] != own.e_ident[EI_DATA] || header.e_machine != own.e_machine) {
    throw unusable(file.path(),
                   fmt::format("it is built for another machine: ELF class {}, byte order {}, "
                               "machine {}; this unicni is {}, {}, {}",
                               header.e_ident[EI_CLASS], header.e_ident[EI_DATA], header.e_machine,
                               own.e_ident[EI_CLASS], own.e_ident[EI_DATA], own.e_machine),
                   "install the module for this machine's architecture");
  }
  if (header.e_type != ET_DYN) throw unusable(file.path(), "it is not a shared object", kRebuild);
  if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phnum == 0 ||
      header.e_phnum > kMostSegments) {
    throw file.damaged("its program headers make no sense");
  }
  std::vector<ElfW(Phdr)> segments(header.e_phnum);
  file.read(segments.data(), segments.size() * sizeof segments[0], header.e_phoff);
  return segments;
}

std::uint64_t rounded_up(std::uint64_t size, std::uint64_t align) {
  return (size + align - 1) / align * align;
}

/// Our note in one PT_NOTE segment; elf(5), "Notes".
std::optional<ModuleNote> find_note(const File& file, const ElfW(Phdr) & segment) {
  if (segment.p_filesz > kMostNotes) throw file.damaged("its notes are too large");
  std::string notes(segment.p_filesz, '\0');
  file.read(notes.data(), notes.size(), segment.p_offset);
  const std::uint64_t align = segment.p_align == 8 ? 8 : 4;
  std::uint64_t at = 0;
  while (at < notes.size() && notes.size() - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const auto name = at + sizeof note;
    const auto content = name + rounded_up(note.n_namesz, align);
    if (content > notes.size() || note.n_descsz > notes.size() - content) {
      throw file.damaged("a note leads beyond its segment");
    }
    constexpr std::string_view kName("unicni", sizeof "unicni");  // with its zero
    if (note.n_type == kModuleNoteType &&
        std::string_view(notes).substr(name, note.n_namesz) == kName) {
      ModuleNote found;
      if (note.n_descsz < sizeof found) throw file.damaged("its unicni note is too short");
      std::memcpy(&found, notes.data() + content, sizeof found);
      return found;
    }
    at = content + rounded_up(note.n_descsz, align);
  }
  return std::nullopt;
}

constexpr bool kBringsLibstdcxx = std::string_view(UNICNI_LIBSTDCXX) == "host";

template <std::size_t N>
bool terminated(const char (&text)[N]) {
  return std::memchr(text, '\0', N) != nullptr;
}

std::uint64_t file_offset(const File& file, const std::vector<ElfW(Phdr)>& segments,
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
void each_needed(const File& file, const std::vector<ElfW(Phdr)>& segments, F each) {
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
  const File file(path);
  const auto segments = segments_of(file);
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
