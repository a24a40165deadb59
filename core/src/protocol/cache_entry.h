// What a runtime remembers of an attachment between its verbs, in libcni's format: a file
// <cache>/results/<network>-<container>-<ifname>, read and written by containerd, CRI-O, podman and
// whoever else uses libcni.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/version.h"
#include "unicni/attachment_key.h"
#include "unicni/error.h"
#include "unicni/result.h"

namespace unicni::protocol {

struct CacheEntry {
  AttachmentKey key;   ///< "networkName", "containerId", "ifName"; each may be missing in a file
  std::string config;  ///< "config": the bytes of the configuration that ADD was given
  std::string netns;   ///< "": none
  std::vector<std::pair<std::string, std::string>> args;  ///< "cniArgs", in their order
  /// A JSON object's text: all that the runtime offered, whoever took it. "": nothing.
  std::string capability_args;
  /// A JSON object's text: the final result of ADD, in the version that it was answered in. "": the
  /// list had none.
  std::string result;
  /// Members that we don't know, each as it is written: "key":value. Printed as they stand.
  std::vector<std::string> extra;
  /// An entry of an old libcni, whose file is the result and nothing else: the other fields are
  /// empty, the file's name has to tell whose it is.
  bool is_bare_result = false;
};

/// What a file of the cache says. Files break: a crash leaves empty ones, and disks fill up. So a
/// broken one is a value, and not an exception.
struct CacheContent {
  std::optional<CacheEntry> entry;
  std::optional<Error> problem;  ///< why there is no entry
};

/// `name` is the file's, for messages. Keys count in their letter case, the last of equal ones
/// counts, null is absent. Problems: no JSON object; a "kind" that isn't "cniCacheV1"; a value of a
/// wrong type; without "kind", what is no result. Names may be missing, as libcni does without.
CacheContent parse_cache_entry(std::string_view text, std::string_view name);

/// One line as libcni writes it, unknown keys behind its own. Always of kind "cniCacheV1". Bytes
/// of names that are no UTF-8 become U+FFFD, as in libcni. Error(invalid_config) without the three
/// names; Error(decode) for capability arguments or a result that are no JSON object.
std::string print_cache_entry(const CacheEntry& entry);

/// The result as prevResult of a configuration at `version`.
struct CachedResult {
  std::optional<Result> result;
  std::optional<Error> problem;  ///< why there is none: no result, or not to be told in `version`
};
/// A result without version is one of 0.1.0 if it has addresses as those had, else of `version`.
/// An entry without result has an empty one, as in libcni.
CachedResult cached_result(const CacheEntry& entry, SpecVersion version);

/// "<network>-<container>-<ifname>". Dashes may stand in the names too, so two attachments may have
/// one file: ask is_entry_of(). Error(invalid_config) if a name is empty or can't be in a file's
/// name ('/', NUL).
std::string cache_file_name(const AttachmentKey& key);
/// Whether the names in the entry are the attachment's, but for bytes that are no ASCII: what JSON
/// makes of bytes that are no UTF-8 differs between its writers. What names nobody is anybody's.
bool is_entry_of(const CacheEntry& entry, const AttachmentKey& key);
/// Equal but for bytes that are no ASCII, of which any number equals any other.
bool same_ascii(std::string_view a, std::string_view b);

}  // namespace unicni::protocol
