// Undo record "lease".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/daemon.h"
#include "unicni/deadline.h"
#include "unicni/folders.h"
#include "unicni/ip.h"
#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"

namespace unicni {

/// An address that a daemon holds for an attachment as long as `file` exists, which is the
/// daemon's. Undone by asking the daemon to release it: a request "release" with network, container
/// and if_name. Where somebody else listens on its socket by now, the file goes, with a warning.
Undo undo_lease(const DaemonPlace& daemon, const std::string& file, const AttachmentKey& key);

/// The daemon of that name which keeps leases for programs with these folders. A program with a
/// `run` of its own has a daemon of its own: `socket` counts unless it is `default_socket`, in
/// whose place such a program has "<name>.sock" in its `run`.
DaemonPlace lease_daemon(const std::string& name, const std::string& socket,
                         const std::string& default_socket, const std::string& executable,
                         const Folders& folders);
/// The one that keeps `file`.
DaemonPlace lease_daemon(const std::string& name, const std::string& socket,
                         const std::string& executable, const std::string& file);

/// Where files of leases are.
std::string lease_folder(const Folders& folders);
/// "<network>:<container>:<ifname>" in there; a long one is cut and ends in a hash.
std::string lease_file(const std::string& folder, const AttachmentKey& key);
/// The addresses that such a file says the attachment has now, which renewals may have changed: its
/// fields "address" and "v6.address". Empty: there is no file, it is damaged, or the lease is lost.
std::vector<IpNet> find_leased_addresses(const std::string& file);

/// What the lease is by now and what renewals changed on the interface since ADD, which prevResult
/// can't say: the file's field "renewed", a list of words.
struct RenewedLease {
  std::vector<IpNet> addresses;  ///< as find_leased_addresses()
  bool routes = false;           ///< the lease's are there, not those of prevResult
  std::uint32_t mtu = 0;  ///< what the interface has now, the field "mtu"; 0: what ADD gave it
};
RenewedLease find_renewed(const std::string& file);

/// Has the daemon release the lease, which it answers at once: whether the server knows of it then
/// is known by nobody, but for what couldn't be sent, which is a warning. Where somebody else
/// listens on the daemon's socket by now, the file goes, with a warning. Throws Error.
void release_lease(Daemons&, HostKernel&, const DaemonPlace&, const AttachmentKey&,
                   const std::string& file, Deadline);

}  // namespace unicni
