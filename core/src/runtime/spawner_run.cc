#include "runtime/spawner_run.h"

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "base/program_runner.h"
#include "unicni/error.h"

namespace unicni::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kFullSocketPause{1};
constexpr milliseconds kKillTime{500};

}  // namespace

SpawnerRun::SpawnerRun(const SpawnerProcess& process, const std::string& program,
                       std::string_view request)
    : process_(process),
      program_(program),
      request_(request),
      streams_(std::move(in_.write), std::move(out_.read), std::move(err_.read)) {
  begin();
}

/// A program that nobody needs must not see the end of its input, which comes with the end of this:
/// it would take that for its turn.
SpawnerRun::~SpawnerRun() {
  if (ended_ || !channel_ || !request_.empty()) return;
  if (::send(channel_.get(), &spawner::kStop, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) return;
  const Deadline end = Clock::now() + kKillTime;
  while (!ended_ && !lost_ && error_ == 0 && Clock::now() < end) {
    pollfd report{channel_.get(), POLLIN, 0};
    constexpr int kShortWait = 10;
    if (::poll(&report, 1, kShortWait) > 0) read_reports();
  }
}

void SpawnerRun::begin() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
    throw system_error(errno, "create a socket to the spawner");
  }
  channel_ = sys::Fd(ends[0]);
  const sys::Fd its_end(ends[1]);
  send_request();
  int error = 0;
  // EAGAIN: hundreds of runs that the spawner hasn't seen yet.
  for (int i = 0; i < 1000; ++i) {
    error =
        spawner::send_message(process_.control(), {&spawner::kRun, 1},
                              {its_end.get(), in_.read.get(), out_.write.get(), err_.write.get()});
    if (error != EAGAIN) break;
    std::this_thread::sleep_for(kFullSocketPause);
  }
  lost_ = error == EPIPE || error == ECONNRESET;
  if (error != 0 && !lost_) throw system_error(error, "ask the spawner for " + program_);
  // Our copies of the far ends: while one is open, no end of file comes.
  in_.read.reset();
  out_.write.reset();
  err_.write.reset();
}

SpawnerRun::Outcome SpawnerRun::finish(std::string_view input, Deadline deadline, LogSink* log) {
  const sys::NoSigpipe no_sigpipe;
  streams_.begin(input, log);
  while (!lost_ && error_ == 0 && !has_ended(Clock::now())) {
    if (!grace_end_ && Clock::now() >= next_time(deadline)) {
      unanswered_ = true;
      throw Error(Code::try_again,
                  fmt::format("{} was given up: the spawner, process {}, does not answer", program_,
                              process_.pid()));
    }
    step(next_time(deadline));
  }
  if (error_ != 0) {
    ended_ = true;
    return Outcome::not_executed;
  }
  if (lost_ && !accepted_) return Outcome::not_taken;
  if (lost_) {
    throw Error(
        Code::internal,
        fmt::format("{} did not run to its end: the spawner, process {}, was killed under it",
                    program_, process_.pid()),
        "look for who kills processes: the kernel's log names those that it killed for "
        "want of memory");
  }
  ended_ = true;
  channel_.reset();
  // Everything that the program itself wrote is in the pipes by now; what its children still hold
  // isn't waited for.
  streams_.drain();
  streams_.move_to(result_);
  return Outcome::ran;
}

/// The end of the program is the end of the run, not the end of its output: a daemon that it
/// started may hold the pipes for ever.
bool SpawnerRun::has_ended(Deadline now) {
  if (!grace_end_) return ended_;
  // Closed pipes stand for "its children are gone, too".
  if (ended_) return streams_.ended() || now >= *grace_end_;
  if (now < *grace_end_ + sys::kReapTime) return false;
  result_.exit_status = -1;  // the kernel holds it
  result_.signal = SIGKILL;
  return true;
}

/// When something is due that no descriptor tells of.
Deadline SpawnerRun::next_time(Deadline deadline) const {
  if (!grace_end_) return deadline + sys::kTermGrace + sys::kReapTime;
  return ended_ ? *grace_end_ : *grace_end_ + sys::kReapTime;
}

void SpawnerRun::step(Deadline until) {
  const auto [in, out, err] = streams_.wanted();
  const short sending = request_.empty() ? 0 : POLLOUT;
  std::array<pollfd, 5> fds{in, out, err,
                            pollfd{channel_.get(), static_cast<short>(POLLIN | sending), 0},
                            pollfd{process_.pidfd(), POLLIN, 0}};
  const auto wait = std::chrono::ceil<milliseconds>(until - Clock::now());
  const auto limit = std::clamp<milliseconds::rep>(wait.count(), 0, 60'000);
  if (::poll(fds.data(), fds.size(), static_cast<int>(limit)) < 0) {
    if (errno == EINTR) return;
    throw system_error(errno, "wait for " + program_);
  }
  streams_.handle(fds);
  if ((fds[3].revents & POLLOUT) != 0) send_request();
  // The socket tells no end while a copy of this program, made by fork(2), has its other end.
  if (fds[3].revents != 0 || fds[4].revents != 0) read_reports();
  if (fds[4].revents != 0 && !ended_) lost_ = true;
}

void SpawnerRun::send_request() {
  while (!request_.empty()) {
    const ssize_t sent =
        ::send(channel_.get(), request_.data(), request_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) return;  // EAGAIN; or nobody is there, which read_reports() finds
    request_.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void SpawnerRun::read_reports() {
  for (;;) {
    spawner::Report report;
    const ssize_t size = ::recv(channel_.get(), &report, sizeof report, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size != sizeof report) {
      lost_ = lost_ || (!ended_ && error_ == 0);
      return;
    }
    take(report);
    if (ended_ || error_ != 0) return;
  }
}

void SpawnerRun::take(const spawner::Report& report) {
  switch (report.event) {
    case spawner::Progress::accepted:
      accepted_ = true;
      break;
    case spawner::Progress::failed:
      error_ = report.value;
      break;
    case spawner::Progress::deadline:
      result_.timed_out = true;
      grace_end_ = Clock::now() + sys::kTermGrace;
      break;
    case spawner::Progress::ended:
      ended_ = true;
      result_.exit_status = report.value;
      result_.signal = report.signal;
      break;
  }
}

}  // namespace unicni::runtime
