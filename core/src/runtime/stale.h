// What of a network's cache a GC takes away: for the GC itself, and for who says it beforehand.
#pragma once

#include <string>
#include <vector>

#include "protocol/cache_folder.h"
#include "unicni/valid_attachments.h"

namespace unicni::runtime {

struct StaleCache {
  std::vector<protocol::CacheEntry> attachments;  ///< each gets a DEL as its ADD was called
  /// Nobody can read them, and the DEL of their attachments would remove them: the files go.
  std::vector<protocol::CacheFile> broken;
};
/// By byte order of the files' names. A broken file counts by its name alone, so the attachment may
/// be another network's whose name begins the same. Error if the folder can't be read.
StaleCache find_stale(const protocol::CacheFolder& cache, const std::string& network,
                      const ValidAttachments& valid);

}  // namespace unicni::runtime
