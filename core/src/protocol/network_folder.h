// The folder of network configurations, /etc/cni/net.d: libcni's order and choice (CONF-04,
// CONF-14 to CONF-17, CONF-24 to CONF-30).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/network_list.h"
#include "unicni/error.h"

namespace unicni::protocol {

/// A file and the network that it is about.
struct SeenNetwork {
  std::string path;
  std::string name;
};

/// What a search found. Nothing found and nothing seen: the folder has no configurations at all, or
/// isn't there.
struct NetworkSearch {
  std::optional<NetworkList> found;
  std::vector<SeenNetwork> seen;  ///< those of other networks, in the order of the search
};

/// Looks for network `name`: through *.conflist by byte order of their names, then through *.conf
/// and *.json together; the first one counts, and nothing behind it is read. Folders are passed
/// over. The list has its drop-ins, <folder>/<name>/*.conf by byte order, unless it says otherwise.
/// Error naming the file for one that is broken and sorts before the match, and for a broken
/// drop-in of this network; Error(invalid_config) for a name that none can have.
NetworkSearch find_network(const std::string& folder, const std::string& name);
/// The same; Error(invalid_config) of no_network() if there is none.
NetworkList get_network(const std::string& folder, const std::string& name);
/// Says what there is instead.
Error no_network(const std::string& folder, const std::string& name, const NetworkSearch& search);

/// One file, with its drop-ins; .conf and .json are single plugins, .conflist lists, and what ends
/// otherwise is what it holds. Its name must be a valid one. Error naming the file, also if it
/// isn't there.
NetworkList get_network_file(const std::string& path);

/// Appends the drop-ins of a list whose file is `path`, unless it says otherwise.
/// Error(invalid_config) if it has no plugin then.
void add_drop_ins_of(NetworkList& list, const std::string& path);

/// A file of the folder and what is in it.
struct FolderEntry {
  std::string path;
  std::optional<NetworkList> list;  ///< without value: `problem` says why
  std::optional<Error> problem;
  std::string shadowed_by;  ///< path of the file that is taken for this name; "": this one
};
/// All configurations in the order of find_network(). Throws only if the folder can't be read.
std::vector<FolderEntry> list_networks(const std::string& folder);

}  // namespace unicni::protocol
