// Work that outlives a verb, as its verbs see it: a daemon is the universal executable under a
// module's name with the command "daemon". Verbs talk to it by a unix socket, one request and one
// answer a connection, each a line (unicni/line.h). The other side: unicni/daemon_listener.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/error.h"
#include "unicni/line.h"

namespace unicni {

/// Which daemon, and how it is started if nobody listens.
struct DaemonPlace {
  std::string name;    ///< the module's, "dhcp"
  std::string socket;  ///< absolute path; one daemon each
  /// The universal executable; "": nobody starts it.
  std::string executable;
  /// Where it keeps what it knows, absolute: it is started with `-folder`, and told with each
  /// request, as one that was started with another folder serves somebody else. "": its default.
  std::string folder = {};
};

/// Another program listens on the socket, or our daemon for programs with another folder.
class DaemonStranger final : public Error {
 public:
  using Error::Error;
};

/// What a daemon answers that was asked by a program with another DaemonPlace::folder, with its own
/// in the field "folder".
inline constexpr std::string_view kElsewhere = "elsewhere";

/// It listens, and didn't answer in time.
class DaemonSilent final : public Error {
 public:
  using Error::Error;
};

/// The number of the form of requests and answers. A daemon and a verb of different numbers (after
/// an upgrade) get on: fields that one doesn't know it passes over.
inline constexpr std::string_view kDaemonProtocol = "1";

/// Sends `request` with the descriptor `attached` (-1: none) and returns the answer. A daemon that
/// doesn't run is started, once, however many verbs want it; one that ends before it has answered
/// is asked again, so a request must be such that it does no harm twice. An answer "error" is
/// thrown as the Error that it holds. Throws DaemonSilent at `deadline`, naming who listens;
/// DaemonStranger; Error(not_available) if it can't be started.
Line ask_daemon(const DaemonPlace& place, const Line& request, int attached, Deadline deadline);

/// The daemons that one verb talks to: one that let it wait in vain is not waited for again,
/// however many questions there are yet.
class Daemons {
 public:
  /// ask_daemon(); throws DaemonSilent at once if the socket's has been silent before.
  Line ask(const DaemonPlace& place, const Line& request, int attached, Deadline deadline);

 private:
  std::vector<DaemonSilent> silent_;
  std::vector<std::string> sockets_;  ///< theirs
};

}  // namespace unicni
