// Where entries lie: their folder and names, the folder where versions before 0.2 have theirs, and
// what lies there now.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "journal/entry.h"
#include "unicni/attachment_key.h"

namespace unicni::journal {

/// Entries, and nothing else.
inline constexpr const char* kFolder = "/run/unicni/attachments";
/// Its parent: locks of the host. Versions before 0.2 had the entries here; one that is found there
/// is read, locked, written on and removed in its place, as their program may still run.
inline constexpr const char* kRunFolder = "/run/unicni";

/// The parent of `folder`, which ends in no '/'.
inline std::string former_folder(const std::string& folder) {
  return folder.substr(0, folder.rfind('/'));
}

/// File name of a key inside the folder: "<network>:<container>:<ifname>", each with ':', '/', '%',
/// '~', blanks and control bytes as %XX; a name beyond 200 bytes is cut and gets '~' and a hash.
/// The key inside the file is what counts.
std::string file_name(const AttachmentKey& key);

/// What an entry says now, unlocked: a verb may be working on it. nullopt: there is none, or it
/// can't be read.
std::optional<Entry> peek(const std::string& folder, const AttachmentKey& key);
/// Whether a verb holds the entry open (Journal): ADD, DEL or GC is at it. False if that can't be
/// known.
bool is_locked(const std::string& folder, const AttachmentKey& key);
/// The entries of all networks, in the same way, until `wants_more` says no.
void peek_each(const std::string& folder, const std::function<bool(const Entry&)>& wants_more);
/// As many of them as `most`, others each time (by the clock).
void peek_some(const std::string& folder, std::size_t most,
               const std::function<bool(const Entry&)>& wants_more);
/// All of them.
std::vector<Entry> peek_all(const std::string& folder);
/// What the entries of one container say, of all its networks, in the same way. Reads no others,
/// except those whose names were cut.
std::vector<Entry> peek_container(const std::string& folder, const std::string& container_id);
/// Keys of the other entries of `key`'s network and container: other interfaces of it.
std::vector<AttachmentKey> list_siblings(const std::string& folder, const AttachmentKey& key);
/// Keys of all entries of one network (from file names, checked against the header).
std::vector<AttachmentKey> list_keys(const std::string& folder, const std::string& network);

}  // namespace unicni::journal
