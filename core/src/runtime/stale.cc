#include "runtime/stale.h"

#include <utility>

namespace unicni::runtime {

StaleCache find_stale(const protocol::CacheFolder& cache, const std::string& network,
                      const ValidAttachments& valid) {
  StaleCache stale;
  for (protocol::CacheFile& file : cache.list()) {
    auto& entry = file.content.entry;
    if (entry && !entry->is_bare_result) {
      if (entry->key.network != network || valid.contains(entry->key.of_network())) continue;
      stale.attachments.push_back(*std::move(entry));
    } else if (!entry && file.name.starts_with(network + '-')) {
      stale.broken.push_back(std::move(file));
    }
  }
  return stale;
}

}  // namespace unicni::runtime
