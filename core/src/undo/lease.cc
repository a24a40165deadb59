// "lease": an address that a daemon got for the attachment and holds. It is the daemon that knows
// how to give it back; a dead one is started for that.
#include "unicni/undo/lease.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "daemon/ask.h"
#include "undo/farewell.h"
#include "undo/kinds.h"
#include "undo/lease_file.h"
#include "undo/record_fields.h"
#include "unicni/sha512.h"
#include "unicni/sys/file.h"

namespace unicni {

Undo undo_lease(const DaemonPlace& daemon, const std::string& file, const AttachmentKey& key) {
  return Undo{"lease",
              1,
              false,
              {{"daemon", daemon.name},
               {"socket", daemon.socket},
               {"executable", daemon.executable},
               {"file", file},
               {"network", key.network},
               {"container", key.container_id},
               {"if_name", key.if_name}}};
}

DaemonPlace lease_daemon(const std::string& name, const std::string& socket,
                         const std::string& default_socket, const std::string& executable,
                         const Folders& folders) {
  const bool is_own = socket == default_socket && folders.run != Folders{}.run;
  return {name, is_own ? folders.run + '/' + name + ".sock" : socket, executable,
          lease_folder(folders)};
}

DaemonPlace lease_daemon(const std::string& name, const std::string& socket,
                         const std::string& executable, const std::string& file) {
  return {name, socket, executable, file.substr(0, file.rfind('/'))};
}

std::string lease_folder(const Folders& folders) { return folders.run + "/dhcp"; }

std::string lease_file(const std::string& folder, const AttachmentKey& key) {
  constexpr std::size_t kLongest = 200;
  constexpr std::size_t kHashSize = 32;
  std::string name = fmt::format("{}:{}:{}", key.network, key.container_id, key.if_name);
  if (name.size() > kLongest) {
    name = name.substr(0, kLongest - kHashSize - 1) + '~' + sha512_hex(name).substr(0, kHashSize);
  }
  return folder + '/' + name;
}

namespace {

/// A lease's file as who ends the lease finds it.
struct LeftLease {
  const AttachmentKey& key;
  const std::string& file;
  bool is_there;             ///< something is
  std::optional<Line> line;  ///< nullopt: it is no lease of `key`
  std::string obstacle;      ///< why nothing leaves by its interface; "": nothing is seen

  /// "10.1.2.50/24 and 2001:db8::50/128"; "": it has none.
  [[nodiscard]] std::string addresses() const {
    const std::string four = line ? line->get("address") : "";
    const std::string six = line ? line->get("v6.address") : "";
    return four + (four.empty() || six.empty() ? "" : " and ") + six;
  }
  [[nodiscard]] std::string server() const {
    return line->get("address").empty() ? "its DHCP server" : line->get("server");
  }
};

bool is_lease_of(const Line& line, const AttachmentKey& key) {
  return line.get("network") == key.network && line.get("container") == key.container_id &&
         line.get("if_name") == key.if_name;
}

LeftLease find_lease(HostKernel& host, const AttachmentKey& key, const std::string& file) {
  LeftLease lease{key, file, undo::has_lease_file(file), {}, {}};
  if (!lease.is_there) return lease;
  lease.line = undo::read_lease_file(file);
  if (lease.line && !is_lease_of(*lease.line, key)) lease.line.reset();
  if (lease.line) lease.obstacle = undo::wake_link(*lease.line, host);
  return lease;
}

/// Who can't be asked can't take part, and the interface is about to go: what the lease's file has
/// ready is sent in the daemon's place. False: it couldn't be.
bool send_farewell(HostKernel& host, const LeftLease& lease, const std::string& why) {
  const std::string six = lease.line->get("v6.address");
  const bool is_six_silent = !six.empty() && lease.line->get("v6.farewell").empty();
  const std::string both = lease.addresses();
  try {
    undo::send_farewell(*lease.line, host);
    const std::string told = is_six_silent ? lease.line->get("address") : both;
    const std::string also = is_six_silent ? fmt::format("; {} ends by its time", six) : "";
    host.log(LogLevel::warning, fmt::format("{}: without it {} of {} went back to {}{}", why, told,
                                            lease.key.owner(), lease.server(), also));
    return true;
  } catch (const Error& error) {
    host.log(LogLevel::warning,
             fmt::format("{}: the release of {} for {} can't be sent, and {} waits until its time "
                         "is over: {}",
                         why, both, lease.key.owner(),
                         lease.server().starts_with("its") ? lease.server()
                                                           : "the DHCP server " + lease.server(),
                         error.msg()));
    return false;
  }
}

/// Whether there is nothing more to do for it, so that the file may go.
bool release_without_daemon(HostKernel& host, const LeftLease& lease, const Error& why) {
  if (!lease.addresses().empty()) return send_farewell(host, lease, why.msg());
  const std::string damaged =
      lease.line
          ? ""
          : fmt::format(", as {} is damaged; its DHCP server keeps it until its time is over",
                        lease.file);
  host.log(LogLevel::warning, fmt::format("{}: what it has of {} is not known{}", why.msg(),
                                          lease.key.owner(), damaged));
  return true;
}

/// The daemon's answer is that it has sent what it could: it doesn't see what the host's side does
/// with that.
void follow_answer(HostKernel& host, const LeftLease& lease, const Line& answer) {
  if (const auto* text = answer.find("warning")) {
    host.log(LogLevel::warning, *text);
    return;
  }
  if (lease.addresses().empty()) return;
  if (answer.get("left") == "1") {
    send_farewell(host, lease, "the daemon knows nothing of the lease");
  } else if (!lease.obstacle.empty()) {
    host.log(LogLevel::warning, fmt::format("the DHCP server is not told that {} of {} is free: {}",
                                            lease.addresses(), lease.key.owner(), lease.obstacle));
  }
}

/// Whatever somebody has put in its place stays, which is no reason for a DEL to fail.
void remove_lease_file(HostKernel& host, const std::string& file) {
  try {
    sys::remove_file(file);
  } catch (const Error& error) {
    host.log(LogLevel::warning, error.msg());
  }
}

}  // namespace

std::vector<IpNet> find_leased_addresses(const std::string& file) {
  return find_renewed(file).addresses;
}

RenewedLease find_renewed(const std::string& file) {
  RenewedLease renewed;
  const auto line = undo::read_lease_file(file);
  if (!line) return renewed;
  for (const char* key : {"address", "v6.address"}) {
    if (const auto address = IpNet::parse(line->get(key))) renewed.addresses.push_back(*address);
  }
  const std::string words = ',' + line->get("renewed") + ',';
  renewed.routes = words.find(",routes,") != std::string::npos;
  if (words.find(",mtu,") == std::string::npos) return renewed;
  const std::string mtu = line->get("mtu");
  std::uint32_t number = 0;
  const auto read = std::from_chars(mtu.data(), mtu.data() + mtu.size(), number);
  if (read.ec == std::errc()) renewed.mtu = number;
  return renewed;
}

/// What keeps the daemon from answering (it hangs, can't be started or reached, is somebody else or
/// refuses) costs the verb its time, and no error.
void release_lease(Daemons& daemons, HostKernel& host, const DaemonPlace& place,
                   const AttachmentKey& key, const std::string& file, Deadline deadline) {
  const Line request{
      "release",
      {{"network", key.network}, {"container", key.container_id}, {"if_name", key.if_name}}};
  const LeftLease lease = find_lease(host, key, file);
  const net::Netns* netns = undo::find_given_netns(host);
  try {
    follow_answer(host, lease,
                  daemons.ask(place, request, netns == nullptr ? -1 : netns->fd(), deadline));
  } catch (const DaemonStranger& error) {
    if (!lease.is_there) return;
    release_without_daemon(host, lease, error);
    remove_lease_file(host, file);
  } catch (const Error& error) {
    if (!lease.is_there || !release_without_daemon(host, lease, error)) return;
    // It would go on with the lease, if it lives again.
    daemon::leave_request(place, request);
    remove_lease_file(host, file);
  }
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// A daemon that hangs must not take a DEL more: with all else it is to end within 2 s. One that
/// has a hundred verbs to answer may need some of it.
constexpr std::chrono::milliseconds kPatience{1500};

/// An ADD that was killed has no file yet; the daemon sees that nobody waits any more, and gives
/// back what it gets. A file may also have been removed by hand.
Found find(const Undo& record, Undoing&) {
  return has_lease_file(field(record, "file")) ? Found::ours : Found::absent;
}

/// Without a file only a daemon that runs can know of the lease: none is started for it.
void undo_one(const Undo& record, Undoing& undoing) {
  const bool is_absent = find(record, undoing) == Found::absent;
  const std::string file = field(record, "file");
  const DaemonPlace place = lease_daemon(field(record, "daemon"), field(record, "socket"),
                                         is_absent ? "" : field(record, "executable"), file);
  const AttachmentKey key{field(record, "network"), field(record, "container"),
                          field(record, "if_name")};
  const Deadline deadline =
      std::min<Deadline>(undoing.deadline, std::chrono::steady_clock::now() + kPatience);
  release_lease(undoing.daemons, undoing.host, place, key, file, deadline);
}

std::string describe(const Undo& record) {
  return fmt::format("lease of {}/{}/{} that the {} daemon on {} holds", field(record, "network"),
                     field(record, "container"), field(record, "if_name"), field(record, "daemon"),
                     field(record, "socket"));
}

}  // namespace

const UndoKind kLeaseKind = {"lease", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
