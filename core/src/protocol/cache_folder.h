// The folder of cache entries, <cache>/results.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/cache_entry.h"

namespace unicni::protocol {

inline constexpr const char* kCacheFolder = "/var/lib/cni";
/// Bytes of an entry: configuration (in base64), capability arguments and result at 1 MiB each, and
/// room. Larger ones are neither read nor written.
inline constexpr std::size_t kCacheEntryLimit = 8U << 20U;

/// A file of the folder.
struct CacheFile {
  std::string name;
  CacheContent content;
};

/// Has no state of its own: any thread, any process may work in the folder meanwhile.
class CacheFolder {
 public:
  /// A power cut may lose an entry that wasn't synced, or leave it empty. Its container is gone by
  /// then, and broken entries are expected (cache_entry.h), so `no` saves milliseconds.
  enum class Sync : unsigned char { no, yes };

  explicit CacheFolder(const std::string& cache = kCacheFolder, Sync sync = Sync::no)
      : folder_(cache + "/results"), sync_(sync) {}

  /// nullopt: there is none. An entry of another attachment whose file has the same name is a
  /// problem too. Whatever can't be read is a problem, nothing is thrown. A found entry's key is
  /// `key`, to the byte.
  [[nodiscard]] std::optional<CacheContent> read(const AttachmentKey& key) const;

  /// All entries by byte order of their names, or those of `container_id`: broken ones count as its
  /// own if the id stands in the middle of the name. So does a bare result, in which no names
  /// stand. An entry that lacks a name, or is under one that isn't its own, is a problem: nobody
  /// would find it. Throws Error if the folder can't be read; one that isn't there has no entries.
  [[nodiscard]] std::vector<CacheFile> list(std::string_view container_id = {}) const;

  /// Old entry or new, never a mixture; file 0600, folder 0700. Error as print_cache_entry(), and
  /// if it can't be written: EFBIG over kCacheEntryLimit, ENAMETOOLONG if the three names have more
  /// than 231 bytes.
  void write(const CacheEntry& entry) const;

  /// False: there was none, or there can be none for such names. Throws Error.
  bool remove(const AttachmentKey& key) const;  // NOLINT(modernize-use-nodiscard)
  /// The same by a name of list().
  bool remove_file(const std::string& name) const;  // NOLINT(modernize-use-nodiscard)

  /// Removes what writers left that were killed, if it is older than `age`; returns how many.
  std::size_t remove_leftovers(std::chrono::seconds age) const;

 private:
  [[nodiscard]] std::optional<CacheContent> read_file(const std::string& name) const;
  [[nodiscard]] bool is_folder(const std::string& name) const;

  std::string folder_;
  Sync sync_;
};

}  // namespace unicni::protocol
