// resolv.conf(5) as DNS settings of a result.
#pragma once

#include <string>
#include <string_view>

#include "unicni/result.h"

namespace unicni::host_local {

/// Lines "nameserver A", "domain D", "search D…", "options O…"; later domains win, the other lists
/// add up. Everything else is skipped.
Dns parse_resolv_conf(std::string_view text);

/// Error(invalid_config) naming the file if `path` is not absolute; Error(internal) if it can't be
/// read or is larger than 64 KiB.
Dns read_resolv_conf(const std::string& path);

}  // namespace unicni::host_local
