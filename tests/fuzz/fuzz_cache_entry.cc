// Entries of libcni's cache: other runtimes write them, and crashes break them. No exception may
// come out, and what is read must be written so that it reads again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "protocol/cache_entry.h"
#include "protocol/version.h"
#include "unicni/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unicni::protocol;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CacheContent content = parse_cache_entry(text, "file");
  if (content.entry.has_value() == content.problem.has_value()) std::abort();
  if (!content.entry) return 0;
  CacheEntry& entry = *content.entry;
  for (const std::string_view version : kSpecVersions) {
    const CachedResult result = cached_result(entry, *find_version(version));
    if (result.result.has_value() == result.problem.has_value()) std::abort();
  }
  for (std::string* name : {&entry.key.network, &entry.key.container_id, &entry.key.if_name}) {
    if (name->empty()) *name = "x";
  }
  const CacheContent again = parse_cache_entry(print_cache_entry(entry), "file");
  if (!again.entry || again.entry->key != entry.key || again.entry->config != entry.config ||
      again.entry->args != entry.args || again.entry->netns != entry.netns ||
      again.entry->capability_args != entry.capability_args ||
      again.entry->result != entry.result || again.entry->extra != entry.extra) {
    std::abort();
  }
  return 0;
}
