// An ELF file read in bounded pieces. Every offset and size in it may be garbage, so nothing is
// used before it is checked against the file's size.
#pragma once

#include <link.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::module {

inline constexpr std::size_t kMostNotes = 16U << 10U;  ///< bytes of a PT_NOTE segment

/// The first piece holds everything but the dynamic section in most modules, and all that is looked
/// at in an executable. All functions throw unusable() (refusal.h), absent() if there is no file.
class ElfFile {
 public:
  explicit ElfFile(const std::string& path);

  /// `size` bytes at `offset`; refuses what is beyond the file's end.
  void read(void* to, std::uint64_t size, std::uint64_t offset) const;

  template <class T>
  [[nodiscard]] T read_object(std::uint64_t offset) const {
    T object;
    read(&object, sizeof object, offset);
    return object;
  }

  enum class Kind : bool { shared_object, any };
  /// Program headers; refuses what is of another machine, and what is no shared object (a program
  /// that is loaded anywhere is one, too) unless any kind will do.
  [[nodiscard]] std::vector<ElfW(Phdr)> segments(Kind kind = Kind::shared_object) const;
  /// A PT_NOTE segment.
  [[nodiscard]] std::string read_notes(const ElfW(Phdr) & segment) const;

  [[nodiscard]] Error damaged(std::string_view what) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  void pread_exactly(char* to, std::uint64_t size, std::uint64_t offset) const;

  std::string path_;
  sys::Fd fd_;
  std::uint64_t size_ = 0;
  std::uint64_t first_size_ = 0;
  std::array<char, 4096> first_;
};

struct ElfNote {
  std::uint32_t type;
  std::string_view name;  ///< with its zero
  std::string_view content;
};

/// Calls each(note) for the notes of a segment, elf(5) "Notes", until it returns false. False: a
/// note leads beyond the segment.
template <class F>
bool each_note(std::string_view notes, std::uint64_t segment_align, F each) {
  const std::uint64_t align = segment_align == 8 ? 8 : 4;
  const auto rounded_up = [align](std::uint64_t size) {
    return (size + align - 1) / align * align;
  };
  std::uint64_t at = 0;
  while (at < notes.size() && notes.size() - at >= sizeof(ElfW(Nhdr))) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes.data() + at, sizeof note);
    const auto name = at + sizeof note;
    const auto content = name + rounded_up(note.n_namesz);
    if (content > notes.size() || note.n_descsz > notes.size() - content) return false;
    if (!each(ElfNote{note.n_type, notes.substr(name, note.n_namesz),
                      notes.substr(content, note.n_descsz)})) {
      return true;
    }
    at = content + rounded_up(note.n_descsz);
  }
  return true;
}

}  // namespace unicni::module
