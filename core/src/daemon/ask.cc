// One request and its answer.
#include "daemon/ask.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "daemon/address.h"
#include "daemon/start.h"
#include "unicni/daemon.h"

namespace unicni {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestAnswer = 1U << 20U;

/// False: the deadline came first.
bool wait_for(int fd, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{fd, events, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) throw system_error(errno, "wait for a daemon");
    if (n == 0 && left <= 60'000) return false;
  }
}

/// The descriptor goes with the first byte. False: the other side has closed.
bool send(int fd, std::string_view text, int attached, Deadline deadline) {
  while (!text.empty()) {
    iovec part{const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (attached >= 0) {
      message.msg_control = control.data();
      message.msg_controllen = control.size();
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof attached);
      std::memcpy(CMSG_DATA(header), &attached, sizeof attached);
    }
    const ssize_t sent = ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      attached = -1;
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd, POLLOUT, deadline)) return true;  // reading will find the deadline
    } else if (errno == EPIPE || errno == ECONNRESET) {
      return false;
    } else if (errno != EINTR) {
      throw system_error(errno, "send to a daemon");
    }
  }
  return true;
}

struct Answer {
  std::string text;
  bool in_time = true;
};

/// Up to its newline, or to where the other side closed.
Answer receive(int fd, Deadline deadline) {
  Answer answer;
  std::array<char, 4096> buffer{};
  while (answer.text.find('\n') == std::string::npos && answer.text.size() < kLongestAnswer) {
    if (!wait_for(fd, POLLIN, deadline)) return {answer.text, false};
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size > 0) {
      answer.text.append(buffer.data(), static_cast<std::size_t>(size));
    } else if (size == 0 || errno == ECONNRESET) {
      break;
    } else if (errno != EINTR && errno != EAGAIN) {
      throw system_error(errno, "read a daemon's answer");
    }
  }
  return answer;
}

/// One of ours, for programs with another folder.
DaemonStranger lives_elsewhere(const DaemonPlace& place, pid_t pid, const std::string& folder) {
  return {Code::not_available,
          fmt::format("{} belongs to {}, a {} daemon that keeps its files in {}, not in {}",
                      place.socket, daemon::name_of(pid), place.name, folder, place.folder),
          fmt::format("take another path for the socket, or stop it: kill {}", pid)};
}

Error error_of(const Line& line) {
  unsigned code = static_cast<unsigned>(Code::internal);
  const std::string text = line.get("code");
  std::from_chars(text.data(), text.data() + text.size(), code);
  return {code, line.get("msg"), line.get("details")};
}

/// What went wrong on the way (a folder that nobody can write, no processes left) has no code of
/// its own; for who asks it is one thing.
daemon::Unreachable unreachable(const DaemonPlace& place, const Error& error) {
  if (!error.is(Code::internal)) return {error.code(), error.msg(), error.details()};
  return {Code::not_available,
          fmt::format("the {} daemon can't be reached: {}", place.name, error.msg()),
          "once that is mended, the next verb starts it: " + daemon::command_of(place)};
}

sys::Fd reach(const DaemonPlace& place, Deadline deadline) {
  try {
    auto connection = daemon::connect(place.name, place.socket, deadline);
    return connection ? *std::move(connection) : daemon::start(place, deadline);
  } catch (const DaemonStranger&) {
    throw;
  } catch (const DaemonSilent&) {
    throw;
  } catch (const Error& error) {
    throw unreachable(place, error);
  }
}

std::string text_of(const DaemonPlace& place, const Line& request) {
  Line whole = request;
  whole.fields.emplace_back("daemon", place.name);
  whole.fields.emplace_back("protocol", kDaemonProtocol);
  whole.fields.emplace_back("version", UNICNI_VERSION);
  if (!place.folder.empty()) whole.fields.emplace_back("folder", place.folder);
  return print_line(whole);
}

/// Of the process `pid`. nullopt: it ended before it answered.
std::optional<Line> ask(const DaemonPlace& place, const sys::Fd& connection, pid_t pid,
                        const std::string& request, int attached, Deadline deadline) {
  const bool sent = send(connection.get(), request, attached, deadline);
  const Answer answer = receive(connection.get(), deadline);
  if (answer.text.empty()) {
    if (answer.in_time || !sent) return std::nullopt;
    daemon::refuse_stranger(place.name, place.socket, pid);
    throw DaemonSilent(
        Code::try_again,
        fmt::format("the {} daemon, {}, did not answer in time", place.name, daemon::name_of(pid)),
        fmt::format("it listens on {}; if it hangs: kill -9 {}, the next verb starts "
                    "another one",
                    place.socket, pid));
  }
  const std::size_t end = answer.text.find('\n');
  auto line = end == std::string::npos ? std::nullopt
                                       : parse_line(std::string_view(answer.text).substr(0, end));
  if (!line || line->get("daemon") != place.name) {
    throw daemon::stranger(place.name, place.socket, pid);
  }
  if (line->word == kElsewhere) throw lives_elsewhere(place, pid, line->get("folder"));
  return line;
}

}  // namespace

Line ask_daemon(const DaemonPlace& place, const Line& request, int attached, Deadline deadline) {
  const std::string text = text_of(place, request);
  constexpr int kTries = 3;  // one that is just ending, one that was killed, one that stays
  pid_t pid = 0;
  for (int i = 0; i < kTries; ++i) {
    const sys::Fd connection = reach(place, deadline);
    pid = daemon::peer_of(connection.get());
    const auto answer = ask(place, connection, pid, text, attached, deadline);
    if (!answer) continue;
    if (answer->word == "error") throw error_of(*answer);
    return *answer;
  }
  daemon::refuse_stranger(place.name, place.socket, pid);
  throw DaemonSilent(Code::not_available,
                     fmt::format("the {} daemon ends before it answers", place.name),
                     "see what it says: " + daemon::command_of(place));
}

void daemon::leave_request(const DaemonPlace& place, const Line& request) noexcept {
  try {
    const Deadline now = Clock::now();
    const auto connection = connect(place.name, place.socket, now);
    if (connection) send(connection->get(), text_of(place, request), -1, now);
  } catch (const Error&) {
    return;
  }
}

Line Daemons::ask(const DaemonPlace& place, const Line& request, int attached, Deadline deadline) {
  const auto silent = std::find(sockets_.begin(), sockets_.end(), place.socket);
  if (silent != sockets_.end())
    throw DaemonSilent(silent_[static_cast<std::size_t>(silent - sockets_.begin())]);
  const auto note = [&](const DaemonSilent& error) {
    silent_.push_back(error);
    sockets_.push_back(place.socket);
  };
  try {
    return ask_daemon(place, request, attached, deadline);
  } catch (const DaemonSilent& error) {
    note(error);
    throw;
  } catch (const DaemonStranger& error) {
    note({error.code(), error.msg(), error.details()});
    throw;
  } catch (const daemon::Unreachable& error) {
    // A question for which none was to be started says nothing about one that starts it.
    if (!place.executable.empty()) note({error.code(), error.msg(), error.details()});
    throw;
  }
}

}  // namespace unicni
