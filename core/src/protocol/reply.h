// The other documents that go to stdout or stderr.
#pragma once

#include <string>
#include <string_view>

#include "unicni/error.h"

namespace unicni::protocol {

/// {"cniVersion":…,"code":…,"msg":…,"details":…}, 4-space indent, no newline at the end; `version`
/// is the configuration's, or the newest. Without details there is no such key. Bytes that are not
/// UTF-8 become U+FFFD. Texts are bounded().
std::string print_error(const Error& error, std::string_view version);
/// What a person is told: a text that quotes an input of any length keeps its first 4,000 bytes,
/// and says how many more it had.
std::string bounded(std::string_view text);
/// How a plugin ended that failed.
struct Ending {
  std::string reason;          ///< "exit status 3", "signal 9 (SIGKILL)"
  Code code = Code::internal;  ///< of the error if the plugin says none
};
/// A delegate's error document → Error with its code, msg and details. Never throws: unparsable
/// output becomes an Error that quotes it (ERR-04 to ERR-06).
Error parse_error(std::string_view out, std::string_view stderr_tail, const Ending& ending);
/// Answer to VERSION, one line with newline: echoes a known version found on stdin, else the
/// newest. `supported` are the plugin's versions, ended by nullptr; without them all that this
/// program knows.
std::string print_version(std::string_view stdin_text, const char* const* supported = nullptr);
/// Lines for stderr when CNI_COMMAND is unset. The first two are the reference's, version and all:
/// Nomad takes the first semantic version for the plugin's and refuses jobs below 0.4.0, nerdctl
/// the one behind "CNI firewall plugin ". Ours is in the third, and the module's `version` if it
/// has one of its own.
std::string print_about(std::string_view type, const char* const* supported = nullptr,
                        std::string_view version = UNICNI_VERSION);

}  // namespace unicni::protocol
