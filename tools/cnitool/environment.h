// What cnitool's environment says: the variables of the reference's cnitool.
#pragma once

#include <string>
#include <vector>

#include "unicni/runtime.h"

namespace unicni::cnitool {

/// As filepath.Abs() of Go: below the working folder if it is relative, without "." and "..", no
/// '/' at its end. "" is the working folder.
std::string absolute(const std::string& path);
/// "cnitool-" and the first ten bytes of the SHA-512 of the namespace's absolute path: what the
/// reference calls the container.
std::string container_id_of(const std::string& netns);

/// NETCONFPATH, absolute; /etc/cni/net.d without it.
std::string network_folder();
/// CNI_PATH, absolute folders; empty without it.
std::vector<std::string> plugin_folders();
/// CAP_ARGS; "": none. Error(invalid_environment) unless it is a JSON object.
std::string capability_args();
/// CNI_ARGS. Error(invalid_environment) unless both sides of each pair say something.
RuntimePairs args();
/// `given`, else CNI_IFNAME, else eth0; nothing in it counts as absent.
std::string if_name(const std::string& given);

}  // namespace unicni::cnitool
