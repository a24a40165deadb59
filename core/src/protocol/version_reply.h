// What a plugin answers to VERSION (VERN-01 to VERN-06): the runtime's side.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unicni/error.h"

namespace unicni::protocol {

/// What a runtime writes to a plugin's stdin for VERSION: its own newest version.
std::string make_version_request();

/// The versions that a plugin supports, as it writes them: support is equality of texts (VERN-07).
/// `out` is its stdout. A plugin of 0.2.0 needn't list them, it has that and 0.1.0. Error(decode)
/// for what is no answer.
std::vector<std::string> parse_version_reply(std::string_view out);

/// The versions of a plugin that failed on VERSION with `error`: from before that verb it is one of
/// 0.1.0. Throws `error` if it says anything else.
std::vector<std::string> versions_behind(const Error& error);

}  // namespace unicni::protocol
