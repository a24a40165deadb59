// host-local's files, which are those of the reference plugin, so that the
// binaries can be exchanged on a live node: <dataDir>/<network>/<address> holds
// "<container>\r\n<ifname>", beside last_reserved_ip.<n> and lock.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/call.h"
#include "unicni/ipam/range.h"
#include "unicni/sys/lock.h"

namespace unicni::ipam {

struct Reservation {
  IpAddress address;
  std::string container_id;
  std::string if_name;  ///< empty: the reference's old format
};

class Store {
 public:
  /// The folder `data_dir`/`network`; `network` must be one path component. With `create` (ADD) it
  /// is made 0755 if it isn't there; otherwise a missing folder is an empty store: exists() is
  /// false and nothing is locked or made. Holds the reference's flock while it lives; waits for it
  /// at most half of the time to `deadline`. Throws Error.
  Store(const std::string& data_dir, const std::string& network, Deadline deadline, bool create);

  [[nodiscard]] bool exists() const { return lock_.has_value(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// Reserves exactly `address`, false if taken. `will` is called with path and content right
  /// before the file is made. A file that names nobody (empty or garbage after a power cut) is not
  /// taken: it is replaced atomically.
  using Announce = std::function<void(const std::string& path, const std::string& content)>;
  bool reserve(const IpAddress& address, const Attachment& owner, int set_index,
               const Announce& will);
  /// Addresses of this owner (new format; the old one counts if no new one is there).
  [[nodiscard]] std::vector<IpAddress> find(const Attachment& owner) const;
  /// Removes all reservations of this owner, as find() has them; how many. Goes on past a file that
  /// can't be removed and throws its Error at the end.
  std::size_t release(const Attachment& owner);
  [[nodiscard]] std::optional<IpAddress> last_reserved(int set_index) const;
  /// Every file whose name is an address, readable or not (one that is unreadable or names nobody
  /// has no container id), in order of the addresses. Reads every file.
  [[nodiscard]] std::vector<Reservation> list() const;
  /// The addresses that have a file, in order. Reads only the names.
  [[nodiscard]] std::vector<IpAddress> addresses() const;
  void remove(const IpAddress& address);
  /// Removes the file of `address` if it names nobody and is older than 10 s; false: left alone or
  /// gone.
  bool remove_abandoned(const IpAddress& address);

 private:
  [[nodiscard]] std::string path(const IpAddress& address) const;

  std::string folder_;
  std::optional<sys::Lock> lock_;
};

/// Error unless the folder of the network can be read and written, or made where it is missing.
/// Makes nothing.
void require_writable(const std::string& data_dir, const std::string& network);

/// The reference's walk: after the last reserved address, range by range, round once; skips
/// gateways. `try_reserve` returns true when it got the address. nullopt: exhausted.
std::optional<std::pair<IpAddress, const Range*>> allocate(
    const RangeSet& set, const std::optional<IpAddress>& last,
    const std::function<bool(const IpAddress&)>& try_reserve);

}  // namespace unicni::ipam
