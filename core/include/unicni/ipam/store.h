// host-local's files, which are those of the reference plugin, so that the
// binaries can be exchanged on a live node: <dataDir>/<network>/<address> holds
// "<container>\r\n<ifname>", beside last_reserved_ip.<n> and lock. A hidden index beside them keeps
// every verb at the same cost however many there are; it is no authority (core/src/ipam/index.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/errors.h"
#include "unicni/ipam/allocate.h"
#include "unicni/sys/lock.h"
#include "unicni/valid_attachments.h"

namespace unicni::ipam {

class Index;
struct IndexEntry;

struct Reservation {
  IpAddress address;
  std::string container_id;
  std::string if_name;  ///< empty: the reference's old format
};

/// How full a set is.
struct Usage {
  std::uint64_t total = 0;
  std::uint64_t used = 0;        ///< reserved, of whatever boot
  std::uint64_t resting = 0;     ///< released, but not to be had yet
  std::int64_t next_rested = 0;  ///< seconds until the first of them can be had
};

/// A reservation is of this boot, or it says nothing: no container outlives its kernel. Of this
/// boot is what the index saw being made since, and what a file's time says so of; what is older by
/// its time counts as of this boot unless libcni's cache knows its namespace and that is gone,
/// since clocks can be wrong.
class Store {
 public:
  /// The folder `data_dir`/`network`; `network` must be one path component. With `create` (ADD) it
  /// is made 0755 if it isn't there; otherwise a missing folder is an empty store: exists() is
  /// false and nothing is locked or made. Holds the reference's flock while it lives; waits for it
  /// at most half of the time to `deadline`. `results`: libcni's cache, which may tell that the
  /// namespace of a reservation of unknown boot is gone; "": nobody tells. Throws Error.
  Store(const std::string& data_dir, const std::string& network, Deadline deadline, bool create,
        std::string results = {});
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();  ///< puts the index in order

  [[nodiscard]] bool exists() const { return lock_.has_value(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  /// Called with address and content right before its file is made.
  using Announce = std::function<void(const IpAddress& address, const std::string& content)>;
  /// Reserves exactly `address`, false if taken. A file that names nobody (empty or garbage after a
  /// power cut) or is of an earlier boot is not taken. With a set index its cursor moves there.
  /// `sticky`: remember the address for this key beyond its release.
  bool reserve(const IpAddress& address, const Attachment& owner, std::optional<int> set_index,
               const Announce& will, const std::string& sticky = {});
  /// reserve() of the address whose turn it is. First of all those that nobody knows; if there are
  /// none, those of an earlier boot; then those that are remembered for others.
  std::optional<std::pair<IpAddress, const Range*>> allocate(const RangeSet& set,
                                                             const Intervals& excluded,
                                                             const Attachment& owner, int set_index,
                                                             const Announce& will,
                                                             const std::string& sticky = {});
  /// Whether allocate() would find one.
  bool has_free(const RangeSet& set, const Intervals& excluded, int set_index);
  [[nodiscard]] Usage usage(const RangeSet& set, const Intervals& excluded, std::int64_t rest);

  /// Addresses of this owner (new format; the old one counts if no new one is there) in this boot.
  [[nodiscard]] std::vector<IpAddress> find(const Attachment& owner);
  /// Its addresses of earlier boots.
  [[nodiscard]] std::vector<IpAddress> find_earlier(const Attachment& owner);
  /// What was last given for this sticky key, taken or not.
  [[nodiscard]] std::vector<IpAddress> find_sticky(const std::string& key);
  /// Whether the file of `address` names this owner, or its container in the old format.
  [[nodiscard]] bool names(const IpAddress& address, const Attachment& owner) const;

  /// Removes all reservations of this owner, of whatever boot; how many. Goes on past a file that
  /// can't be removed and throws its Error at the end. With `rests` the addresses rest from now on.
  std::size_t release(const Attachment& owner, bool rests = false);
  /// Removes the file of `address` if it holds `content`, or nothing.
  void release_address(const IpAddress& address, const std::string& content, bool rests);
  void remove(const IpAddress& address);  ///< of whoever it is; it was never in use
  /// Ends the rest of the addresses that were released `seconds` ago or earlier.
  void end_rests(std::int64_t seconds);
  /// GC: releases what is of none of `valid`, of the old format what is of none of their
  /// containers, and files that name nobody and are older than 10 s. Returns what could not be
  /// removed.
  Errors collect(const ValidAttachments& valid, bool rests);

  [[nodiscard]] std::optional<IpAddress> last_reserved(int set_index) const;
  /// Every file whose name is an address, readable or not (one that is unreadable or names nobody
  /// has no container id), in order of the addresses. Reads every file.
  [[nodiscard]] std::vector<Reservation> list() const;

 private:
  [[nodiscard]] std::string path(const IpAddress& address) const;
  Index& index();
  void compare_again();  ///< the index with the files
  [[nodiscard]] std::vector<IndexEntry> entries_of(const Attachment& owner);
  bool is_of_this_boot(IndexEntry& entry);
  bool is_taken(const IpAddress& address);
  std::optional<std::pair<IpAddress, const Range*>> next(
      const RangeSet& set, const Intervals& excluded, int set_index,
      const std::function<bool(const IpAddress&)>& take);
  void move_cursor(int set_index, const IpAddress& address);
  void forget(const IndexEntry& entry, bool rests);
  bool remove_abandoned(const IpAddress& address);

  std::string network_;
  std::string results_;
  std::string folder_;
  std::optional<sys::Lock> lock_;
  std::unique_ptr<Index> index_;  // loaded when it is asked
};

/// Error unless the folder of the network can be read and written, or made where it is missing.
/// Makes nothing.
void require_writable(const std::string& data_dir, const std::string& network);

}  // namespace unicni::ipam
