#include "protocol/cache_folder.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "protocol/document.h"
#include "unicni/sys/file.h"

namespace unicni::protocol {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

/// As sys::write_file_atomically() names its temporary files. No network's name begins so.
bool is_temporary(std::string_view name) { return name.starts_with('.') && name.ends_with(".tmp"); }

bool may_be_of(std::string_view name, std::string_view container_id) {
  const std::string part = fmt::format("-{}-", container_id);
  const std::size_t at = name.find(part, 1);
  return at != std::string_view::npos && at + part.size() < name.size();
}

/// The interface that the file's name ends in, byte for byte, which JSON can't always tell;
/// nullopt: the file isn't named after `key`.
std::optional<std::string> find_if_name(const AttachmentKey& key, std::string_view name) {
  if (key.network.empty() || key.container_id.empty() || key.if_name.empty()) return std::nullopt;
  const std::string front = fmt::format("{}-{}-", key.network, key.container_id);
  if (!name.starts_with(front)) return std::nullopt;
  name.remove_prefix(front.size());
  return same_ascii(name, key.if_name) ? std::optional(std::string(name)) : std::nullopt;
}

Error misplaced(const std::string& name, const CacheEntry& entry) {
  return {Code::decode,
          fmt::format("{}: it is of network {}, container {}, interface {}", name,
                      quote(entry.key.network), quote(entry.key.container_id),
                      quote(entry.key.if_name)),
          "an entry of the attachment that its name says is expected"};
}

}  // namespace

std::optional<CacheContent> CacheFolder::read_file(const std::string& name) const {
  try {
    const auto text = sys::read_file(fmt::format("{}/{}", folder_, name), kCacheEntryLimit);
    if (!text) return std::nullopt;
    return parse_cache_entry(*text, name);
  } catch (const Error& error) {
    return CacheContent{std::nullopt, error};
  }
}

std::optional<CacheContent> CacheFolder::read(const AttachmentKey& key) const {
  std::string name;
  try {
    name = cache_file_name(key);
  } catch (const Error& error) {
    return CacheContent{std::nullopt, error};
  }
  auto content = read_file(name);
  if (!content || !content->entry) return content;
  if (!is_entry_of(*content->entry, key)) {
    return CacheContent{std::nullopt, misplaced(name, *content->entry)};
  }
  content->entry->key = key;
  return content;
}

std::vector<CacheFile> CacheFolder::list(std::string_view container_id) const {
  std::vector<std::string> names = sys::list_folder(folder_);
  std::sort(names.begin(), names.end());
  std::vector<CacheFile> files;
  for (std::string& name : names) {
    if (is_temporary(name) || (!container_id.empty() && !may_be_of(name, container_id))) continue;
    auto content = read_file(name);
    if (!content || is_folder(name)) continue;  // removed meanwhile, or nothing of a runtime's
    if (content->entry && !content->entry->is_bare_result) {
      CacheEntry& entry = *content->entry;
      if (!container_id.empty() && entry.key.container_id != container_id) continue;
      if (auto if_name = find_if_name(entry.key, name)) {
        entry.key.if_name = *std::move(if_name);
      } else {
        content = CacheContent{std::nullopt, misplaced(name, entry)};
      }
    }
    files.push_back({std::move(name), *std::move(content)});
  }
  return files;
}

bool CacheFolder::is_folder(const std::string& name) const {
  struct stat status {};
  return ::stat(fmt::format("{}/{}", folder_, name).c_str(), &status) == 0 &&
         S_ISDIR(status.st_mode);
}

void CacheFolder::write(const CacheEntry& entry) const {
  const std::string path = fmt::format("{}/{}", folder_, cache_file_name(entry.key));
  const std::string text = print_cache_entry(entry);
  if (text.size() > kCacheEntryLimit) {
    throw system_error(EFBIG, fmt::format("write {} (limit {} bytes)", path, kCacheEntryLimit));
  }
  sys::ensure_folder(folder_, kFolderMode);
  sys::write_file_atomically(path, text, kFileMode, sync_ == Sync::yes);
}

bool CacheFolder::remove(const AttachmentKey& key) const {
  std::string name;
  try {
    name = cache_file_name(key);
  } catch (const Error&) {
    return false;
  }
  return remove_file(name);
}

bool CacheFolder::remove_file(const std::string& name) const {
  return sys::remove_file(fmt::format("{}/{}", folder_, name));
}

std::size_t CacheFolder::remove_leftovers(std::chrono::seconds age) const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto limit = std::chrono::duration_cast<std::chrono::seconds>(now - age).count();
  std::size_t removed = 0;
  for (const std::string& name : sys::list_folder(folder_)) {
    if (!is_temporary(name)) continue;
    struct stat status {};
    if (::lstat(fmt::format("{}/{}", folder_, name).c_str(), &status) != 0) continue;
    if (status.st_mtim.tv_sec <= limit && remove_file(name)) ++removed;
  }
  return removed;
}

}  // namespace unicni::protocol
