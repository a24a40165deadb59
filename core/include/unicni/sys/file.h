// Files: read whole, written atomically.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/sys/fd.h"

namespace unicni::sys {

inline constexpr std::size_t kFileLimit =
    1U << 20U;  ///< bytes; state files larger than that are refused

/// Whether a path's last component may be a symbolic link; its folders always may.
enum class Links : unsigned char { follow, refuse };

/// The whole file; nullopt if it doesn't exist (ENOENT, ENOTDIR). Throws Error on anything else,
/// EFBIG over `limit`, ELOOP for a link that is refused.
std::optional<std::string> read_file(const std::string& path, std::size_t limit = kFileLimit,
                                     Links links = Links::follow);

/// The rest of an open file that messages call `name`. Throws Error, EFBIG over `limit`.
std::string read_rest(const Fd& file, const std::string& name, std::size_t limit = kFileLimit);

/// Old content or new, never a mixture: a temporary file ".<name>.<random>.tmp" in the same folder,
/// then rename(2). With `sync`, fsync of file and folder (state on disk that must outlive a power
/// cut; /run needs none). Throws Error.
void write_file_atomically(const std::string& path, std::string_view content, mode_t mode,
                           bool sync = false);

/// Overwrites in place with one write(2); what /proc and /sys need. Throws Error.
void write_file_in_place(const std::string& path, std::string_view content);
/// The same with an open file that messages call `name`.
void write_once(const Fd& file, const std::string& name, std::string_view content);

/// Overwrites `path` in place, made with `mode` if it is absent: for a hint that is rewritten often
/// and whose loss is harmless (a crash can leave a mixture of old and new). write_file_atomically()
/// costs milliseconds on ext4, which starts writing to the disk when a file is replaced or
/// truncated to nothing (auto_da_alloc); this microseconds. Throws Error for what is no plain file.
void overwrite_file(const std::string& path, std::string_view content, mode_t mode);

/// Creates `path` with O_CREAT|O_EXCL and writes content; false if it exists already. A failed
/// write removes it again. With `sync`, fsync of file and folder.
bool create_file(const std::string& path, std::string_view content, mode_t mode, bool sync = false);

/// unlink(2); false if it wasn't there.
bool remove_file(const std::string& path);

/// mkdir -p with `mode` for folders that it makes (minus umask). Throws Error.
void ensure_folder(const std::string& path, mode_t mode);

/// Names in a folder (without . and ..), unordered; empty if the folder doesn't exist.
std::vector<std::string> list_folder(const std::string& path);

/// 128 bits of the kernel's boot id as text (/proc/sys/kernel/random/boot_id), trimmed.
std::string boot_id();

}  // namespace unicni::sys
