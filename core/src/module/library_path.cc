#include "module/library_path.h"

#include <dlfcn.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "module/elf_file.h"
#include "unicni/sys/file.h"

namespace unicni::module {
namespace {

constexpr std::size_t kLargestCache = 8U << 20U;  // bytes

/// glibc's sysdeps/generic/dl-cache.h, "cache_file_new" and "file_entry_new": the form since 2.2.
struct CacheHeader {
  char magic[20];
  std::uint32_t count;
  std::uint32_t strings_size;
  std::uint32_t others[5];
};
struct CacheEntry {
  std::int32_t flags;
  std::uint32_t name;  // offsets from the header
  std::uint32_t path;
  std::uint32_t os_version;
  std::uint64_t hardware;
};
constexpr std::string_view kCacheMagic = "glibc-ld.so.cache1.1";

/// Offsets come from a file of root that other programs write; each is checked all the same.
std::string_view text_at(std::string_view cache, std::size_t offset) {
  if (offset >= cache.size()) return {};
  const auto rest = cache.substr(offset);
  return rest.substr(0, rest.find('\0'));
}

/// The folders in which the loader looks for everybody. glibc tells them with those of
/// LD_LIBRARY_PATH as it was when the program started.
std::vector<std::string> loader_folders() {
  std::vector<std::string> folders;
  const std::unique_ptr<void, int (*)(void*)> self(::dlopen(nullptr, RTLD_LAZY), ::dlclose);
  Dl_serinfo size{};
  if (!self || ::dlinfo(self.get(), RTLD_DI_SERINFOSIZE, &size) != 0) return folders;
  std::vector<std::max_align_t> room(size.dls_size / sizeof(std::max_align_t) + 1);
  auto* const info = reinterpret_cast<Dl_serinfo*>(room.data());
  info->dls_size = size.dls_size;
  info->dls_cnt = size.dls_cnt;
  if (::dlinfo(self.get(), RTLD_DI_SERINFO, info) != 0) return folders;
  for (unsigned i = 0; i < info->dls_cnt; ++i) {
    folders.emplace_back(static_cast<const Dl_serpath*>(info->dls_serpath)[i].dls_name);
  }
  return folders;
}

/// A host may have libraries of several architectures under one name (multilib).
bool is_of_this_machine(const std::string& path) {
  try {
    (void)ElfFile(path).segments();
    return true;
  } catch (const Error&) {  // the loader passes it over as well
    return false;
  }
}

}  // namespace

/// ld.so(8): $ORIGIN stands for the folder of the file that has the search path.
std::string expand_origin(std::string folders, std::string_view path) {
  const auto origin = path.substr(0, path.rfind('/'));
  for (const std::string_view variable : {"${ORIGIN}", "$ORIGIN"}) {
    for (auto at = folders.find(variable); at != folders.npos;
         at = folders.find(variable, at + origin.size())) {
      folders.replace(at, variable.size(), origin);
    }
  }
  return folders;
}

bool is_relative_path(std::string_view needed) {
  return needed.find('/') != needed.npos && !needed.starts_with('/');
}

std::vector<std::string> find_in_cache(std::string_view cache, std::string_view name) {
  std::vector<std::string> paths;
  // The form before it may stand in front of it.
  const auto start = cache.find(kCacheMagic);
  if (start == cache.npos) return paths;
  cache.remove_prefix(start);
  CacheHeader header;
  if (cache.size() < sizeof header) return paths;
  std::memcpy(&header, cache.data(), sizeof header);
  const auto most = (cache.size() - sizeof header) / sizeof(CacheEntry);
  for (std::size_t i = 0; i < header.count && i < most; ++i) {
    CacheEntry entry;
    std::memcpy(&entry, cache.data() + sizeof header + i * sizeof entry, sizeof entry);
    if (text_at(cache, entry.name) == name) paths.emplace_back(text_at(cache, entry.path));
  }
  return paths;
}

/// In ld.so's order: the search path of the file, the cache, the standard folders. What would be
/// loaded is what must be looked at.
std::optional<std::string> find_library(std::string_view name, std::string_view folders) {
  std::optional<std::string> found;
  const auto is_it = [&](std::string path) {
    if (path.starts_with('/') && is_of_this_machine(path)) found = std::move(path);
    return found.has_value();
  };
  if (name.find('/') != name.npos) {
    is_it(std::string(name));
    return found;
  }
  const auto is_in = [&](std::string_view folder) {
    return is_it(std::string(folder).append("/").append(name));
  };
  while (!folders.empty()) {
    const auto folder = folders.substr(0, folders.find(':'));
    if (is_in(folder)) return found;
    folders.remove_prefix(std::min(folder.size() + 1, folders.size()));
  }
  const auto cache = sys::read_file("/etc/ld.so.cache", kLargestCache);
  for (auto& path : find_in_cache(cache.value_or(""), name)) {
    if (is_it(std::move(path))) return found;
  }
  for (const auto& folder : loader_folders()) {
    if (is_in(folder)) return found;
  }
  return found;
}

}  // namespace unicni::module
