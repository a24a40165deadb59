#include "module/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "module/refusal.h"

// The linker's name for the ELF header of the program or library that this code is in: what "our
// machine" means.
extern "C" __attribute__((visibility("hidden"))) const ElfW(Ehdr) __ehdr_start;

namespace unicni::module {
namespace {

/// Real modules have about ten. The limit keeps a damaged number from becoming a large allocation.
constexpr std::size_t kMostSegments = 64;
constexpr auto kRebuild = "install the module again, built with unicni_add_module()";

}  // namespace

/// The first bytes, in which headers and notes of usual files stand, are read at once. O_NONBLOCK
/// and O_NOCTTY: a fifo or terminal in place of the file must not hold the process or become its
/// own.
ElfFile::ElfFile(const std::string& path) : path_(path) {
  fd_ = sys::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd_ && (errno == ENOENT || errno == ENOTDIR)) throw absent(path);
  struct stat found {};
  if (!fd_ || ::fstat(fd_.get(), &found) != 0) {
    throw unusable(path, system_error(errno, "open").msg(),
                   "let the file be read by the user that runs the plugin");
  }
  if (!S_ISREG(found.st_mode)) throw unusable(path, "it is not a regular file", kRebuild);
  size_ = static_cast<std::uint64_t>(found.st_size);
  first_size_ = std::min<std::uint64_t>(size_, first_.size());
  pread_exactly(first_.data(), first_size_, 0);
}

/// Offsets come from the file and are checked in a way that can't overflow.
void ElfFile::read(void* to, std::uint64_t size, std::uint64_t offset) const {
  if (offset > size_ || size > size_ - offset) {
    throw unusable(path_, "it is a damaged ELF file: an offset leads beyond its end", kRebuild);
  }
  if (offset <= first_size_ && size <= first_size_ - offset) {
    std::memcpy(to, first_.data() + offset, size);
  } else {
    pread_exactly(static_cast<char*>(to), size, offset);
  }
}

void ElfFile::pread_exactly(char* to, std::uint64_t size, std::uint64_t offset) const {
  ssize_t got = 0;
  do {
    got = ::pread(fd_.get(), to, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  if (got < 0) throw unusable(path_, system_error(errno, "read").msg(), kRebuild);
  if (static_cast<std::uint64_t>(got) != size) throw damaged("it is shorter than it says");
}

Error ElfFile::damaged(std::string_view what) const {
  return unusable(path_, fmt::format("it is a damaged ELF file: {}", what), kRebuild);
}

/// Compared with the header of the running program, so that no list of architectures is needed
/// here.
std::vector<ElfW(Phdr)> ElfFile::segments(Kind kind) const {
  if (size_ < sizeof(ElfW(Ehdr))) throw unusable(path_, "it is not an ELF file", kRebuild);
  const auto header = read_object<ElfW(Ehdr)>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    throw unusable(path_, "it is not an ELF file", kRebuild);
  }
  const auto& own = __ehdr_start;
  if (header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
      header.e_ident[EI_DATA] != own.e_ident[EI_DATA] || header.e_machine != own.e_machine) {
    throw unusable(path_,
                   fmt::format("it is built for another machine: ELF class {}, byte order {}, "
                               "machine {}; this unicni is {}, {}, {}",
                               header.e_ident[EI_CLASS], header.e_ident[EI_DATA], header.e_machine,
                               own.e_ident[EI_CLASS], own.e_ident[EI_DATA], own.e_machine),
                   "install the module for this machine's architecture");
  }
  if (kind == Kind::shared_object && header.e_type != ET_DYN)
    throw unusable(path_, "it is not a shared object", kRebuild);
  if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phnum == 0 ||
      header.e_phnum > kMostSegments) {
    throw damaged("its program headers make no sense");
  }
  std::vector<ElfW(Phdr)> segments(header.e_phnum);
  read(segments.data(), segments.size() * sizeof segments[0], header.e_phoff);
  return segments;
}

std::string ElfFile::read_notes(const ElfW(Phdr) & segment) const {
  if (segment.p_filesz > kMostNotes) throw damaged("its notes are too large");
  std::string notes(segment.p_filesz, '\0');
  read(notes.data(), notes.size(), segment.p_offset);
  return notes;
}

}  // namespace unicni::module
