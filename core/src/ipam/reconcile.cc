#include "ipam/reconcile.h"

#include <algorithm>
#include <utility>

#include "ipam/boot.h"
#include "ipam/reservation.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

// The wall clock is set now and then, so the time when the boot began moves a little.
constexpr std::int64_t kClockSlack = 2'000'000'000;

// A new index has room for that many at first; it grows.
constexpr std::size_t kMost = 1U << 20U;

/// In which boot a file of which nothing is known was made: this one, or it can't be said. A file
/// of this boot can look older too, if the clock was wrong when it was made.
BootId boot_of(const FileIdentity& file, const BootId& boot, std::int64_t begun) {
  return file.modified >= begun - kClockSlack ? boot : BootId{};
}

/// ctime changes with every write and rename and can't be set by a program; an inode alone may be
/// used again for a new file.
bool is_same_file(const IndexEntry& entry, const FileIdentity& file) {
  return entry.state == EntryState::reserved && !entry.unreadable && entry.inode == file.inode &&
         entry.changed == file.changed;
}

/// What an index knows that the folder doesn't: boots, sticky keys, rests.
void carry_over(const Index& from, Index& to) {
  std::vector<IndexEntry> released;
  from.for_each([&](const IndexEntry& entry) {
    if (entry.state == EntryState::reserved) {
      to.put(entry);
    } else {
      released.push_back(entry);
    }
  });
  std::stable_sort(released.begin(), released.end(), [](const IndexEntry& a, const IndexEntry& b) {
    return a.released < b.released;
  });
  for (const IndexEntry& entry : released) to.put(entry);
}

/// Only files that changed are read. The others cost one lstat(2), so a folder that another program
/// has touched is compared in a fraction of the time of a rebuild.
void compare(Index& index, const std::string& folder, const std::vector<std::string>& names) {
  const std::int64_t begun = boot_time();
  std::vector<IpAddress> present;
  bool nobodys = false;
  bool unsure = false;
  for (const std::string& name : names) {
    const std::optional<IpAddress> address = reserved_by(name);
    if (!address) continue;
    const std::string path = folder + '/' + name;
    const std::optional<FileIdentity> file = identify(path);
    if (!file) continue;
    const std::optional<IndexEntry> known = index.find(*address);
    if (!known || !is_same_file(*known, *file)) {
      const ReservationFile found = read_reservation(path);
      nobodys = nobodys || found.state == FileState::nobodys;
      unsure = unsure || (found.state == FileState::unreadable && file->regular);
      if (found.state == FileState::absent || found.state == FileState::nobodys) continue;
      IndexEntry entry;
      entry.address = *address;
      entry.unreadable = found.state == FileState::unreadable;
      entry.boot = boot_of(*file, index.boot(), begun);
      if (!entry.unreadable) entry.owner = index.hash(print_owner(found.owner));
      entry.inode = file->inode;
      entry.changed = file->changed;
      index.put(entry);
    }
    present.push_back(*address);
  }
  std::sort(present.begin(), present.end());
  std::vector<IpAddress> gone;
  index.for_each([&](const IndexEntry& entry) {
    if (entry.state == EntryState::reserved &&
        !std::binary_search(present.begin(), present.end(), entry.address)) {
      gone.push_back(entry.address);
    }
  });
  for (const IpAddress& address : gone) index.erase(address);
  index.set_nobodys(nobodys);
  index.set_unsure(unsure);
}

}  // namespace

void reconcile(Index& index, const std::string& folder) {
  compare(index, folder, sys::list_folder(folder));
}

/// Three states: up to date (used as it is), whole but behind (compared), and damaged or of another
/// boot (made anew, with what could be saved).
Index load_index(const std::string& folder, const BootId& boot) {
  std::optional<Index> found;
  try {
    found = Index::open(folder, boot);
  } catch (const Error&) {  // it can't be read and is gone now
  }
  if (found && found->matches(Index::folder_time(folder))) return *std::move(found);
  if (found && found->is_whole()) {
    reconcile(*found, folder);
    return *std::move(found);
  }
  const std::vector<std::string> names = sys::list_folder(folder);
  const auto slots = static_cast<std::uint32_t>(std::min<std::size_t>(names.size() * 3 / 2, kMost));
  Index fresh = found ? found->successor(slots) : Index(folder, boot, slots);
  if (found) carry_over(*found, fresh);
  compare(fresh, folder, names);
  return fresh;
}

}  // namespace unicni::ipam
