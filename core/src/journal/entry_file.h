// The file of an entry on disk: made whole, locked, appended to.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unicni/call.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/lock.h"

namespace unicni::journal {

/// Open and locked; `path` names this very file while the lock is held, because only its holder
/// unlinks it.
class EntryFile {
 public:
  enum class Mode : bool { read_write, read_only_will_do };

  /// nullopt: it doesn't exist. Error: it can't be opened, or (Code::try_again) is locked until
  /// `deadline`.
  static std::optional<EntryFile> open(const std::string& path, Mode mode, Deadline deadline);
  /// Makes folder and file; the file has its content from the moment it has its name. nullopt: try
  /// open(), somebody else made it (or the file system can't make unnamed files, and it is there
  /// empty now).
  static std::optional<EntryFile> create(const std::string& folder, const std::string& path,
                                         std::string_view content, Deadline deadline);

  /// What it held when it was opened.
  [[nodiscard]] std::string read() const;
  /// One write(2) at offset `at`, the end. 0 or the errno; what was written in part is taken back.
  [[nodiscard]] int append(std::size_t at, std::string_view text) const;
  /// Shortens it; 0 or the errno.
  [[nodiscard]] int cut(std::size_t size) const;
  /// unlink(2); the lock goes on.
  void remove() const;

 private:
  EntryFile(sys::Lock lock, const std::string& path, std::size_t size)
      : lock_(std::move(lock)), path_(path), size_(size) {}
  sys::Lock lock_;
  std::string path_;
  std::size_t size_;  // when it was opened
};

}  // namespace unicni::journal
