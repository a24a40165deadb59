// From attachment to file name and back.
#include <fmt/core.h>

#include <cstdint>

#include "journal/entry.h"
#include "journal/journal.h"
#include "unicni/error.h"
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

std::string file_name(const Key& key) {
  std::string name =
      component(key.network) + ':' + component(key.container_id) + ':' + component(key.if_name);
  if (name.size() <= kLongestName) return name;
  return fmt::format("{}~{:016x}", name.substr(0, kKept), hash(name));
}

namespace {

std::vector<std::string> names_in(const std::string& folder) {
  try {
    return sys::list_folder(folder);
  } catch (const Error&) {  // unreadable: as if empty, see Journal::open
    return {};
  }
}

std::optional<Entry> peek_at(const std::string& path) {
  try {
    const auto text = sys::read_file(path, kEntryLimit);
    return text ? parse_entry(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

std::optional<Entry> peek(const std::string& folder, const Key& key) {
  auto entry = peek_at(folder + '/' + file_name(key));
  if (entry && entry->key != key) entry.reset();
  return entry;
}

void peek_each(const std::string& folder, const std::function<bool(const Entry&)>& wants_more) {
  for (const std::string& name : names_in(folder)) {
    const auto entry = peek_at(folder + '/' + name);
    if (entry && file_name(entry->key) == name && !wants_more(*entry)) return;
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

namespace {

std::vector<Key> read_keys(const std::string& folder, const std::string& prefix,
                           const std::string& network) {
  std::vector<Key> keys;
  for (const std::string& name : names_in(folder)) {
    if (!name.starts_with(prefix)) continue;
    try {
      const auto text = sys::read_file(folder + '/' + name, kEntryLimit);
      auto key = text ? read_key(*text) : std::nullopt;
      if (key && key->network == network && file_name(*key) == name)
        keys.push_back(std::move(*key));
    } catch (const Error&) {
    }
  }
  return keys;
}

}  // namespace

std::vector<Key> list_keys(const std::string& folder, const std::string& network) {
  return read_keys(folder, (component(network) + ':').substr(0, kKept), network);
}

std::vector<Key> list_siblings(const std::string& folder, const Key& key) {
  const std::string prefix = component(key.network) + ':' + component(key.container_id) + ':';
  std::vector<Key> keys = read_keys(folder, prefix.substr(0, kKept), key.network);
  std::erase_if(keys, [&](const Key& other) {
    return other.container_id != key.container_id || other.if_name == key.if_name;
  });
  return keys;
}

}  // namespace unicni::journal
