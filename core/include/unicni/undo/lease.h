// Undo record "lease".
#pragma once

#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/daemon.h"
#include "unicni/folders.h"
#include "unicni/ip.h"
#include "unicni/undo.h"

namespace unicni {

/// An address that a daemon holds for an attachment as long as `file` exists, which is the
/// daemon's. Undone by asking the daemon to release it: a request "release" with network, container
/// and if_name. Where somebody else listens on its socket by now, the file goes, with a warning.
Undo undo_lease(const DaemonPlace& daemon, const std::string& file, const AttachmentKey& key);

/// Where files of leases are.
std::string lease_folder(const Folders& folders);
/// "<network>:<container>:<ifname>" in there; a long one is cut and ends in a hash.
std::string lease_file(const std::string& folder, const AttachmentKey& key);
/// The addresses that such a file says the attachment has now, which renewals may have changed: its
/// fields "address" and "v6.address". Empty: there is no file, it is damaged, or the lease is lost.
std::vector<IpNet> find_leased_addresses(const std::string& file);

/// That request. Its answer comes at once: whether the address is free then is known by nobody.
Line release_request(const AttachmentKey& key);

}  // namespace unicni
