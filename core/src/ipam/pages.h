// A file as pages: those that are asked for are read, those that were changed are written, at the
// caller's time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "unicni/sys/fd.h"

namespace unicni::ipam {

inline constexpr std::size_t kPageSize = 4096;

class Pages {
 public:
  /// An existing regular file; nullopt if there is none that can be read and written.
  static std::optional<Pages> open(const std::string& path);
  /// `count` pages of zeros, of no file.
  explicit Pages(std::uint32_t count) : count_(count) {}

  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] bool changed() const { return changed_; }
  /// Of a file (of which page 0 is read already), not of none.
  [[nodiscard]] bool has_file() const { return static_cast<bool>(fd_); }

  /// The page's bytes, which stay where they are. `number` must be below count(). Error if it can't
  /// be read; then the file is removed, so that it is in nobody's way.
  [[nodiscard]] const std::byte* read(std::uint32_t number) const;
  /// The same, to be changed.
  std::byte* edit(std::uint32_t number);

  /// Puts page 0 alone into the file. False: could not be written.
  [[nodiscard]] bool write_first() const;
  /// Puts the changed pages into the file, all but page 0.
  [[nodiscard]] bool write_others();
  /// From now on these pages are those of a new file `path`, which must not exist; all of them
  /// count as changed. False: could not be made.
  [[nodiscard]] bool move_to(const std::string& path);
  /// From now on these pages are of no file.
  void detach() { fd_.reset(); }

 private:
  struct Page {
    alignas(16) std::byte bytes[kPageSize];
    bool changed;
  };
  Pages(std::string path, sys::Fd fd, std::uint32_t count)
      : path_(std::move(path)), fd_(std::move(fd)), count_(count) {}
  Page& load(std::uint32_t number) const;

  std::string path_;  // of what was opened
  sys::Fd fd_;
  std::uint32_t count_;
  bool changed_ = false;
  mutable std::unordered_map<std::uint32_t, Page> pages_;  // elements never move
};

}  // namespace unicni::ipam
