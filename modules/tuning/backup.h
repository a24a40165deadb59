// The file that holds what the interface was before tuning. It is the reference's, so that either
// program can restore what the other one changed; ours also names its attachment.
#pragma once

#include <optional>
#include <string>

#include "unicni/call.h"
#include "unicni/net/link.h"

namespace unicni::tuning {

struct Backup {
  net::LinkChange before;  ///< the settings that it has
  std::string network;     ///< empty: the reference wrote it; here and in the next two
  std::string container_id;
  std::string if_name;
};

/// <data_dir>/<container id>_<ifname>.json
std::string backup_path(const Call& call, const std::string& data_dir);
/// nullopt: there is none, or it is no backup.
std::optional<Backup> read_backup(const std::string& path);
/// JSON, indented by one blank.
std::string print_backup(const Call& call, const net::LinkChange& before);

}  // namespace unicni::tuning
