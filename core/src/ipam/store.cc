#include "unicni/ipam/store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>

#include "ipam/boot.h"
#include "ipam/reconcile.h"
#include "ipam/reservation.h"
#include "unicni/errors.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

/// Modes are those that the reference plugin gives its files, so that either program can open what
/// the other one made.
constexpr mode_t kFolderMode = 0755;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kLockMode = 0750;
/// A file is created and then filled. One without an owner may be the half-made file of another
/// program that is still at work, so GC leaves young ones alone.
constexpr std::time_t kAbandonedAfter = 10;  // seconds
constexpr std::int64_t kSecond = 1'000'000'000;
constexpr const char* kSticky = "sticky\n";  // tells the hash of a key from an owner's

constexpr Index::Planes bit(Plane plane) { return 1U << static_cast<unsigned>(plane); }

std::int64_t wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * kSecond + now.tv_nsec;
}

/// A network name is one path component: with a slash or ".." its folder could be anywhere on the
/// host.
std::string folder_of(const std::string& data_dir, const std::string& network) {
  if (network.empty() || network == "." || network == ".." ||
      network.find('/') != std::string::npos) {
    throw Error(Code::invalid_config,
                fmt::format("network name '{}' can't name a folder below {}", network, data_dir));
  }
  return data_dir + '/' + network;
}

/// The reference numbers the sets of a configuration, so a reordered list of sets continues at the
/// cursor of another set. That costs nothing but the order in which addresses come.
std::string cursor_name(int set_index) { return fmt::format("/last_reserved_ip.{}", set_index); }

}  // namespace

Store::Store(const std::string& data_dir, const std::string& network, Deadline deadline,
             bool create, std::string results)
    : network_(network), results_(std::move(results)), folder_(folder_of(data_dir, network)) {
  if (create) {
    sys::ensure_folder(folder_, kFolderMode);
  } else if (::access(folder_.c_str(), F_OK) != 0 &&
             (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)) {
    return;  // nothing can be there
  }
  // The lock is the reference's own file and flock(2) its own kind of lock: both programs exclude
  // each other on one node. O_NOFOLLOW, as a link here would let whoever may write the folder
  // create an empty file elsewhere with root's rights.
  const std::string path = folder_ + "/lock";
  // O_NONBLOCK: not to wait for the other end of a fifo.
  sys::Fd file(
      ::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kLockMode));
  if (!file) throw system_error(errno, "open lock " + path);
  lock_.emplace(std::move(file), path, sys::lock_deadline(deadline));
}

/// A destructor must not throw, and an index that could not be written is no failure of the verb:
/// the files of the reservations are the truth.
Store::~Store() {
  try {
    if (index_) index_->commit();
  } catch (const std::exception&) {  // the next verb finds that it doesn't match
  }
}

std::string Store::path(const IpAddress& address) const { return folder_ + '/' + address.str(); }

/// Loaded at the first question. A DEL of an empty store, or a STATUS that finds no folder, never
/// reads it.
Index& Store::index() {
  if (!index_) index_ = std::make_unique<Index>(load_index(folder_, current_boot()));
  return *index_;
}

/// For the case that a file says something else than the index: another program, which doesn't take
/// the lock or has changed a file in place, was at work.
void Store::compare_again() {
  try {
    reconcile(index(), folder_);
  } catch (const Error&) {
    index_.reset();  // half of it must not be written
    throw;
  }
}

/// Three answers are possible from the index alone: the boot is ours, it is another one, or nobody
/// knows it (a file that the reference made). Only the last one costs a look at the file and at
/// libcni's cache, and its positive answer is remembered.
bool Store::is_of_this_boot(IndexEntry& entry) {
  // What can't be read may name a living container, so its address must not be given to another.
  if (entry.unreadable) return true;
  const BootId& boot = index().boot();
  if (entry.boot == boot) return true;
  if (entry.boot != BootId{}) return false;
  const ReservationFile file = read_reservation(path(entry.address));
  if (file.state == FileState::absent || file.state == FileState::nobodys ||
      cached_netns_is_gone(results_, network_, file.owner)) {
    return false;
  }
  entry.boot = boot;  // asked once only
  index().put(entry);
  return true;
}

bool Store::is_taken(const IpAddress& address) {
  std::optional<IndexEntry> entry = index().find(address);
  return entry && entry->state == EntryState::reserved && is_of_this_boot(*entry);
}

/// The order here is the contract with crashes: look, announce, then create the file exclusively. A
/// kill before the file leaves an undo record that finds nothing; a kill after it leaves a record
/// that removes it.
bool Store::reserve(const IpAddress& address, const Attachment& owner, std::optional<int> set_index,
                    const Announce& will, const std::string& sticky) {
  if (is_taken(address)) return false;
  const std::string file = path(address);
  const std::string content = print_owner(owner);
  // Looked at before it is announced: what is taken by this very owner must not be undone with a
  // failed ADD.
  const ReservationFile found = read_reservation(file);
  // The index said free, but there is a file with an owner. Either it is of an earlier boot, which
  // the index knows, or the index is behind.
  if (found.state == FileState::owned || found.state == FileState::unreadable) {
    const std::optional<IndexEntry> entry = index().find(address);
    const bool known = entry && entry->owner == index().hash(print_owner(found.owner));
    if (!known) {  // made by somebody who doesn't heed the lock
      compare_again();
      if (is_taken(address)) return false;
    }
  }
  will(address, content);
  try {
    // Not replaced by rename(2), which takes milliseconds on ext4; between the two nobody has it.
    if (found.state != FileState::absent && sys::remove_file(file)) index().erase(address);
    // O_EXCL lost against a program without the lock: the address has an owner now, and the caller
    // takes the next one.
    if (!sys::create_file(file, content, kFileMode)) {
      compare_again();
      return false;
    }
    if (set_index) move_cursor(*set_index, address);
    IndexEntry entry;
    entry.address = address;
    entry.boot = index().boot();
    entry.owner = index().hash(content);
    if (!sticky.empty()) entry.sticky = index().hash(kSticky + sticky);
    // Inode and ctime let the next comparison skip files that nobody has touched. Zero matches
    // nothing, so the file is read again.
    const auto identity = identify(file);
    entry.inode = identity ? identity->inode : 0;
    entry.changed = identity ? identity->changed : 0;
    index().put(entry);
  } catch (const Error&) {
    index_.reset();  // it doesn't know what happened to the folder: it is not written
    throw;
  }
  return true;
}

/// Cursor and reservation belong together: an address whose cursor could not be written is given
/// back at once, so that a full disk doesn't use up the range.
void Store::move_cursor(int set_index, const IpAddress& address) {
  try {
    sys::overwrite_file(folder_ + cursor_name(set_index), address.str(), kFileMode);
  } catch (const Error&) {
    sys::remove_file(path(address));
    throw;
  }
}

/// Three rounds, each willing to take more than the one before. An address that was never used is
/// best; one of an earlier boot may come back to its old container; one that is remembered for a
/// sticky key is taken last.
std::optional<std::pair<IpAddress, const Range*>> Store::next(
    const RangeSet& set, const Intervals& excluded, int set_index,
    const std::function<bool(const IpAddress&)>& take) {
  const std::optional<IpAddress> last = last_reserved(set_index);
  Index::Planes avoided = bit(Plane::taken) | bit(Plane::stale) | bit(Plane::remembered);
  const FindFree find_free = [&](const IpAddress& from, const IpAddress& to) {
    return index().first_free(from, to, avoided);
  };
  auto got = ipam::allocate(set, excluded, last, find_free, take);
  if (!got && index().stale() > 0) {
    avoided = bit(Plane::taken) | bit(Plane::remembered);
    got = ipam::allocate(set, excluded, last, find_free, take);
  }
  if (!got && index().remembered() > 0) {
    avoided = bit(Plane::taken);
    got = ipam::allocate(set, excluded, last, find_free, take);
  }
  return got;
}

std::optional<std::pair<IpAddress, const Range*>> Store::allocate(
    const RangeSet& set, const Intervals& excluded, const Attachment& owner, int set_index,
    const Announce& will, const std::string& sticky) {
  return next(set, excluded, set_index, [&](const IpAddress& address) {
    return reserve(address, owner, set_index, will, sticky);
  });
}

/// STATUS must change nothing, so the question is put to the same walk with a `take` that only
/// looks.
bool Store::has_free(const RangeSet& set, const Intervals& excluded, int set_index) {
  if (!exists()) return capacity(set, excluded) > 0;
  return next(set, excluded, set_index,
              [&](const IpAddress& address) { return !is_taken(address); })
      .has_value();
}

/// Counts with the bitmaps, never file by file: STATUS and the error of a full pool cost the same
/// with 60,000 addresses. Excluded addresses and the gateway count in neither total nor use, as
/// they can't be had.
Usage Store::usage(const RangeSet& set, const Intervals& excluded, std::int64_t rest) {
  Usage usage;
  usage.total = capacity(set, excluded);
  if (!exists()) return usage;
  const auto counts = [&](const IpAddress& address) {
    const Range* range = find_range(set, address);
    return range != nullptr && address != range->gateway &&
           find_interval(excluded, address) == nullptr;
  };
  for (const Range& range : set) {
    usage.used += index().count(range.start, range.end);
    // Addresses may have been reserved before they were excluded.
    for (const Interval& each : excluded) {
      const Interval both{std::max(each.first, range.start), std::min(each.last, range.end)};
      if (both.first.family() == both.last.family() && both.first <= both.last)
        usage.used -= index().count(both.first, both.last);
    }
    const auto& gateway = range.gateway;
    const bool counted = gateway && range.contains(*gateway) &&
                         find_interval(excluded, *gateway) == nullptr &&
                         index().count(*gateway, *gateway) > 0;
    usage.used -= counted ? 1 : 0;
  }
  const std::int64_t now = wall_clock();
  index().for_each_resting([&](const IndexEntry& entry) {
    if (!counts(entry.address)) return true;
    if (usage.resting++ == 0) usage.next_rested = rest - (now - entry.released) / kSecond;
    return true;
  });
  usage.used -= usage.resting;
  return usage;
}

/// The old format has no interface name. Such files belong to the container as a whole, and they
/// count only if no file of the new format is there.
std::vector<IndexEntry> Store::entries_of(const Attachment& owner) {
  if (!exists()) return {};
  std::vector<IndexEntry> entries = index().of_owner(index().hash(print_owner(owner)));
  if (entries.empty()) entries = index().of_owner(index().hash(owner.container_id));
  return entries;
}

std::vector<IpAddress> Store::find(const Attachment& owner) {
  std::vector<IpAddress> result;
  for (IndexEntry& entry : entries_of(owner)) {
    if (is_of_this_boot(entry)) result.push_back(entry.address);
  }
  return result;
}

std::vector<IpAddress> Store::find_earlier(const Attachment& owner) {
  std::vector<IpAddress> result;
  for (IndexEntry& entry : entries_of(owner)) {
    if (!is_of_this_boot(entry)) result.push_back(entry.address);
  }
  return result;
}

/// Two attachments may have used one key in turn, so there can be several. A hash of 64 bits could
/// also meet another key: then an address is offered that is as good as any.
std::vector<IpAddress> Store::find_sticky(const std::string& key) {
  std::vector<IpAddress> result;
  if (!exists()) return result;
  for (const IndexEntry& entry : index().of_sticky(index().hash(kSticky + key)))
    result.push_back(entry.address);
  return result;
}

/// Asks the file, not the index: CHECK must see what another program wrote over it.
bool Store::names(const IpAddress& address, const Attachment& owner) const {
  const ReservationFile file = read_reservation(path(address));
  return file.state == FileState::owned && file.owner.container_id == owner.container_id &&
         (file.owner.if_name.empty() || file.owner.if_name == owner.if_name);
}

/// What stays in the index after a release is no reservation: it holds the address back for
/// `quarantine`, or remembers it for its sticky key. An entry with neither goes.
void Store::forget(const IndexEntry& entry, bool rests) {
  IndexEntry left;
  left.address = entry.address;
  left.sticky = entry.sticky;
  left.released = wall_clock();
  left.state = rests ? EntryState::resting : EntryState::remembered;
  if (rests || left.sticky != 0) {
    index().put(left);
  } else {
    index().erase(entry.address);
  }
}

std::size_t Store::release(const Attachment& owner, bool rests) {
  std::size_t removed = 0;
  Errors errors;
  // A file that is rewritten in place leaves the folder's time as it was, so the index may not know
  // its new owner. Each file is read before it is removed.
  const auto remove_all = [&] {
    bool as_expected = true;
    for (const IndexEntry& entry : entries_of(owner)) {
      const ReservationFile file = read_reservation(path(entry.address));
      if (file.state == FileState::unreadable) {
        errors.add(Error(Code::internal, file.problem));
        continue;
      }
      if (file.state != FileState::owned || index().hash(print_owner(file.owner)) != entry.owner) {
        as_expected = false;
        continue;
      }
      errors.attempt([&] {
        removed += sys::remove_file(path(entry.address)) ? 1U : 0U;
        forget(entry, rests);
      });
    }
    return as_expected;
  };
  if (!remove_all()) {  // a file was rewritten in place
    compare_again();
    errors = Errors();
    remove_all();
  }
  errors.finish();
  return removed;
}

/// The roll-back of an ADD. A file that was emptied by a power cut is ours as well, since the
/// record says that we made one for this address.
void Store::release_address(const IpAddress& address, const std::string& content, bool rests) {
  if (!exists()) return;
  const ReservationFile file = read_reservation(path(address));
  if (file.state == FileState::unreadable) throw Error(Code::internal, file.problem);
  const bool ours = file.state == FileState::nobodys ||
                    (file.state == FileState::owned && file.owner == parse_owner(content));
  if (!ours) return;
  const auto entry = index().find(address);  // before the folder changes
  sys::remove_file(path(address));
  if (entry) forget(*entry, rests);
}

/// The ADD that made this file failed before any container could have used the address, so it needs
/// no rest.
void Store::remove(const IpAddress& address) {
  const auto entry = index().find(address);
  sys::remove_file(path(address));
  if (entry) forget(*entry, false);
}

void Store::end_rests(std::int64_t seconds) {
  if (exists()) index().end_rests(seconds * kSecond, wall_clock());
}

std::optional<IpAddress> Store::last_reserved(int set_index) const {
  try {
    const std::optional<std::string> text =
        sys::read_file(folder_ + cursor_name(set_index), sys::kFileLimit, sys::Links::refuse);
    return text ? IpAddress::parse(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // only a hint where to begin
  }
}

/// Reads the folder itself and not the index: this is what a person or GC asks when the two may
/// differ.
std::vector<Reservation> Store::list() const {
  std::vector<Reservation> result;
  if (!exists()) return result;
  for (const std::string& name : sys::list_folder(folder_)) {
    const std::optional<IpAddress> address = reserved_by(name);
    if (!address) continue;
    ReservationFile file = read_reservation(path(*address));
    if (file.state == FileState::absent) continue;
    result.push_back({*address, std::move(file.owner.container_id), std::move(file.owner.if_name)});
  }
  std::sort(result.begin(), result.end(),
            [](const Reservation& a, const Reservation& b) { return a.address < b.address; });
  return result;
}

/// The age is that of the last change: a program that is about to fill its file has just touched
/// it. The state is read after the age, so a file that got an owner meanwhile stays.
bool Store::remove_abandoned(const IpAddress& address) {
  const std::string file = path(address);
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || std::time(nullptr) - status.st_mtime <= kAbandonedAfter)
    return false;
  return read_reservation(file).state == FileState::nobodys && sys::remove_file(file);
}

/// Walks up to the first folder that exists, as ADD would make all those below it. access(2) asks
/// with the real user, which for a plugin is the effective one too.
void require_writable(const std::string& data_dir, const std::string& network) {
  std::string folder = folder_of(data_dir, network);
  while (::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    if (errno != ENOENT || folder.find_last_of('/') == std::string::npos) {
      throw system_error(errno,
                         fmt::format("use {} for the addresses of network {}", folder, network));
    }
    const std::size_t slash = folder.find_last_of('/');
    folder.resize(std::max<std::size_t>(slash, 1));
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0) throw system_error(errno, "stat " + folder);
  if (!S_ISDIR(status.st_mode)) {
    throw system_error(ENOTDIR,
                       fmt::format("use {} for the addresses of network {}", folder, network));
  }
}

}  // namespace unicni::ipam
