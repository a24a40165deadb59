#include "journal/folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>

#include "journal/entry.h"
#include "journal/trust.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::journal {
namespace {

constexpr std::size_t kLongestName = 200;             // NAME_MAX is 255
constexpr std::size_t kKept = kLongestName - 1 - 16;  // before '~' and the hash

/// Names are validated before they get here; what would break the file name is escaped all the
/// same.
std::string component(std::string_view name) {
  std::string text;
  for (const char c : name) {
    const bool plain = c > ' ' && c != '\x7f' && c != '/' && c != ':' && c != '%' && c != '~';
    if (plain && !(text.empty() && c == '.')) {
      text += c;
    } else {
      text += fmt::format("%{:02X}", static_cast<std::uint8_t>(c));
    }
  }
  return text;
}

/// FNV-1a, 64 bits.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325U;
  for (const char c : text) value = (value ^ static_cast<std::uint8_t>(c)) * 0x100000001b3U;
  return value;
}

}  // namespace

/// One name for each key, and a name that a person can read. Long ones end in a hash; whoever reads
/// such a file compares the key inside.
std::string file_name(const AttachmentKey& key) {
  std::string name =
      component(key.network) + ':' + component(key.container_id) + ':' + component(key.if_name);
  if (name.size() <= kLongestName) return name;
  return fmt::format("{}~{:016x}", name.substr(0, kKept), hash(name));
}

namespace {

/// Names of what may be an entry, in a folder and in its parent, where earlier versions have them.
struct Paths {
  std::string folder;
  std::vector<std::string> names;
};

/// Every name of an entry has a colon or, if it was cut, a tilde. Other files in the folder are
/// left alone.
std::vector<Paths> list_paths(const std::string& folder) {
  std::vector<Paths> found;
  for (const std::string& each : {folder, former_folder(folder)}) {
    if (distrust_folder(each)) continue;
    try {
      auto names = sys::list_folder(each);
      std::erase_if(names, [](const auto& name) { return name.find_first_of(":~") == name.npos; });
      found.push_back({each, std::move(names)});
    } catch (const Error&) {  // unreadable: as if empty, see Journal::open
    }
  }
  return found;
}

/// What a file says, in a folder that nobody else can change; nullopt: it can't be had, or trusted.
std::optional<std::string> text_at(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || distrust_file(path, status)) return std::nullopt;
  try {
    return sys::read_file(path, kEntryLimit);
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<Entry> peek_at(const std::string& path) {
  const auto text = text_at(path);
  return text ? parse_entry(*text) : std::nullopt;
}

}  // namespace

std::optional<Entry> peek(const std::string& folder, const AttachmentKey& key) {
  const std::string name = file_name(key);
  for (const std::string& each : {folder, former_folder(folder)}) {
    if (distrust_folder(each)) continue;
    auto entry = peek_at(each + '/' + name);
    if (entry && entry->key == key) return entry;
  }
  return std::nullopt;
}

bool is_locked(const std::string& folder, const AttachmentKey& key) {
  const std::string name = file_name(key);
  for (const std::string& each : {folder, former_folder(folder)}) {
    const std::string path = each + '/' + name;
    const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    // Shared, so that two who ask at once don't take each other for a verb; closing it ends it.
    if (file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return true;
  }
  return false;
}

void peek_each(const std::string& folder, const std::function<bool(const Entry&)>& wants_more) {
  peek_some(folder, static_cast<std::size_t>(-1), wants_more);
}

/// STATUS looks at a part of the folder each time. The beginning is taken from the clock, so that
/// in the long run every entry has its turn without anything being remembered.
void peek_some(const std::string& folder, std::size_t most,
               const std::function<bool(const Entry&)>& wants_more) {
  for (Paths& paths : list_paths(folder)) {
    std::vector<std::string>& names = paths.names;
    if (most < names.size()) {
      const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
      const auto start = static_cast<std::size_t>(now) % names.size();
      std::rotate(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(start), names.end());
      names.resize(most);
    }
    for (const std::string& name : names) {
      const auto entry = peek_at(paths.folder + '/' + name);
      if (entry && file_name(entry->key) == name && !wants_more(*entry)) return;
    }
  }
}

std::vector<Entry> peek_all(const std::string& folder) {
  std::vector<Entry> entries;
  peek_each(folder, [&](const Entry& entry) {
    entries.push_back(entry);
    return true;
  });
  return entries;
}

/// A name with a tilde may have lost the container's part, so these are read as well.
std::vector<Entry> peek_container(const std::string& folder, const std::string& container_id) {
  const std::string part = ':' + component(container_id) + ':';
  std::vector<Entry> entries;
  for (const Paths& paths : list_paths(folder)) {
    for (const std::string& name : paths.names) {
      if (name.find(part) == name.npos && name.find('~') == name.npos) continue;
      auto entry = peek_at(paths.folder + '/' + name);
      if (entry && entry->key.container_id == container_id && file_name(entry->key) == name) {
        entries.push_back(*std::move(entry));
      }
    }
  }
  return entries;
}

namespace {

std::vector<AttachmentKey> read_keys(const std::string& folder, const std::string& prefix,
                                     const std::string& network) {
  std::vector<AttachmentKey> keys;
  for (const Paths& paths : list_paths(folder)) {
    for (const std::string& name : paths.names) {
      if (!name.starts_with(prefix)) continue;
      const auto text = text_at(paths.folder + '/' + name);
      auto key = text ? read_key(*text) : std::nullopt;
      if (key && key->network == network && file_name(*key) == name &&
          (paths.folder == folder || std::find(keys.begin(), keys.end(), *key) == keys.end())) {
        keys.push_back(std::move(*key));
      }
    }
  }
  return keys;
}

}  // namespace

std::vector<AttachmentKey> list_keys(const std::string& folder, const std::string& network) {
  return read_keys(folder, (component(network) + ':').substr(0, kKept), network);
}

/// The names begin alike up to the interface, which saves reading the entries of other containers.
std::vector<AttachmentKey> list_siblings(const std::string& folder, const AttachmentKey& key) {
  const std::string prefix = component(key.network) + ':' + component(key.container_id) + ':';
  std::vector<AttachmentKey> keys = read_keys(folder, prefix.substr(0, kKept), key.network);
  std::erase_if(keys, [&](const AttachmentKey& other) {
    return other.container_id != key.container_id || other.if_name == key.if_name;
  });
  return keys;
}

}  // namespace unicni::journal
