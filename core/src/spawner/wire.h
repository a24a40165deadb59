// What a program and its spawner tell each other. Both ends may be of different versions, when the
// package was upgraded under the program: kGreeting changes with anything here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/sys/fd.h"

namespace unicni::spawner {

/// The spawner's argument and descriptors. The first is a SOCK_SEQPACKET socket, the second a pidfd
/// of the program, if the kernel has those.
inline constexpr const char* kArgument = "--spawner";
inline constexpr int kControlFd = 3;
inline constexpr int kProgramFd = 4;

/// The spawner's first message on the control socket.
inline constexpr std::string_view kGreeting = "unicni spawner 1";
/// The program's: a run begins, and comes with kRunFds descriptors: its channel, a stream socket
/// that is the run's own, and the program's ends of stdin, stdout and stderr.
inline constexpr char kRun = 'r';
inline constexpr std::size_t kRunFds = 4;
/// The program's last: nothing more will come.
inline constexpr char kQuit = 'q';

/// First on a channel; behind it `size` bytes of texts, each with a NUL at its end: path, arguments
/// (argv[0] is the path), environment.
struct Head {
  std::uint32_t size = 0;
  std::uint32_t arguments = 0;
  std::uint32_t variables = 0;
  std::uint32_t reserved = 0;
  std::int64_t deadline = 0;  ///< of CLOCK_MONOTONIC, in ns
};
/// More than execve(2) takes.
inline constexpr std::uint32_t kMostText = 16U << 20U;
/// Then one byte, if it is to end at once: SIGKILL to the group.
inline constexpr char kStop = 's';

/// What the spawner answers on a channel, in this order.
enum class Progress : std::uint32_t {
  accepted = 1,  ///< from now on it may have been started
  failed,        ///< to start; value: errno. The last one
  deadline,      ///< it got SIGTERM; what is left after kTermGrace gets SIGKILL
  ended,         ///< value: exit status or -1, signal: what ended it or 0
};
struct Report {
  Progress event = Progress::accepted;
  std::int32_t value = 0;
  std::int32_t signal = 0;
};

std::int64_t to_wire(Deadline deadline);
Deadline from_wire(std::int64_t nanoseconds);

/// Head and texts. Throws Error if that is more than kMostText.
std::string print_request(const std::string& program, const std::vector<std::string>& arguments,
                          const std::vector<std::string>& env, Deadline deadline);

/// A request as execve(2) wants it; points into the bytes that it was made of.
struct Parsed {
  const char* program = nullptr;
  std::vector<char*> argv;
  std::vector<char*> env;
};
/// False: the texts aren't what the head says.
bool parse_request(const Head& head, std::string& text, Parsed& parsed);

/// One message with descriptors; `bytes` not empty. Errno, or 0; never waits, raises no SIGPIPE.
int send_message(int socket, std::string_view bytes, const std::vector<int>& fds) noexcept;
struct Message {
  bool again = false;  ///< there is none now
  std::string bytes;   ///< empty otherwise: nothing more comes
  std::vector<sys::Fd> fds;
};
/// The next message, its descriptors CLOEXEC, kRunFds at most. Never waits.
Message receive_message(int socket);

}  // namespace unicni::spawner
