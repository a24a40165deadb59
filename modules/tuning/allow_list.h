// /etc/cni/tuning/allowlist.conf: which sysctls the administrator lets networks set.
#pragma once

#include <vector>

#include "config.h"
#include "unicni/error.h"

namespace unicni::tuning {

inline constexpr const char* kAllowList = "/etc/cni/tuning/allowlist.conf";

/// A line is a regular expression of Go's syntax (expression.h), as in the reference, that some
/// part of the key as written must match; blank lines don't count. Without the
/// file everything is allowed, with an empty one nothing. Throws Error with `code` that names the
/// sysctl, or the line that is no expression.
void require_allowed(const std::vector<Sysctl>& sysctls, Code code);

}  // namespace unicni::tuning
