// The command line of `dhcp daemon`, as the reference has it.
#pragma once

#include <string>

#include "client_v4.h"

namespace unicni::dhcp {

struct DaemonFlags {
  bool help = false;  ///< nothing else counts
  std::string pid_file;
  std::string host_prefix;
  std::string socket_path;  ///< as verbs have it, without the prefix
  std::string folder;       ///< of lease files, the same
  bool broadcast = false;
  Span timeout{10'000};          ///< for one answer
  Span resend_max{62'000};       ///< between two tries
  Span resend_timeout{208'000};  ///< for one address
};

/// For people, of both commands.
const char* usage();

/// What is behind "daemon". One dash or two, "-flag value" or "-flag=value". Throws Error whose
/// details are the usage.
DaemonFlags parse_flags(int argc, const char* const* argv);

/// Go's form of a time: "1m30s", "1.5h", "300ms", "0". nullopt: it is none, or negative.
std::optional<Span> parse_duration(std::string_view text);

}  // namespace unicni::dhcp
