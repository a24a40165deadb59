#include "base/program_streams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "unicni/error.h"

namespace unicni::sys {
namespace {

constexpr std::size_t kErrTail = 4096;
constexpr std::size_t kPiece = 16384;

void set_nonblocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

}  // namespace

Pipe make_pipe() {
  std::array<int, 2> fds{-1, -1};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw system_error(errno, "create a pipe");
  Pipe pipe{Fd(fds[0]), Fd(fds[1])};
  for (Fd* end : {&pipe.read, &pipe.write}) {
    if (end->get() > 2) continue;
    Fd moved(::fcntl(end->get(), F_DUPFD_CLOEXEC, 3));
    if (!moved) throw system_error(errno, "duplicate a pipe");
    *end = std::move(moved);
  }
  return pipe;
}

NoSigpipe::NoSigpipe() {
  sigemptyset(&only_);
  sigaddset(&only_, SIGPIPE);
  sigset_t pending;
  sigpending(&pending);
  was_pending_ = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &only_, &before_);
}

NoSigpipe::~NoSigpipe() {
  const timespec now{};
  if (!was_pending_) {
    while (sigtimedwait(&only_, nullptr, &now) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

ProgramStreams::ProgramStreams(Fd in, Fd out, Fd err)
    : in_(std::move(in)), out_(std::move(out)), err_(std::move(err)) {
  for (const Fd* fd : {&in_, &out_, &err_}) set_nonblocking(*fd);
}

void ProgramStreams::begin(std::string_view input, LogSink* log) {
  input_ = input;
  log_ = log;
  if (input_.empty()) {
    in_.reset();
  } else {
    feed();
  }
}

std::array<pollfd, ProgramStreams::kCount> ProgramStreams::wanted() const {
  return {pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0},
          pollfd{err_.get(), POLLIN, 0}};
}

void ProgramStreams::handle(std::span<const pollfd> ready) {
  if (ready[0].revents != 0) feed();
  if (ready[1].revents != 0) read_out();
  if (ready[2].revents != 0) read_err();
}

void ProgramStreams::feed() {
  const ssize_t n = ::write(in_.get(), input_.data(), input_.size());
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n > 0) input_.remove_prefix(static_cast<std::size_t>(n));
  if (n < 0 || input_.empty()) in_.reset();  // EPIPE: it doesn't want to know
}

/// False when there is nothing to read now, or ever.
bool ProgramStreams::read_some(Fd& fd, std::span<char> buffer, std::string_view& got) {
  if (!fd) return false;
  const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
  if (n > 0) {
    got = std::string_view(buffer.data(), static_cast<std::size_t>(n));
    return true;
  }
  if (n == 0 || (errno != EAGAIN && errno != EINTR)) fd.reset();
  return false;
}

// What is beyond the limit is read and dropped, as a program that can't write hangs.
bool ProgramStreams::read_out() {
  std::array<char, kPiece> buffer;
  std::string_view got;
  if (!read_some(out_, buffer, got)) return false;
  out_text_ += got.substr(0, kOutputLimit - out_text_.size());
  return true;
}

// The last bytes are kept for the error, as the cause of a failure mostly stands at the end. All of
// it goes to the log.
bool ProgramStreams::read_err() {
  std::array<char, kPiece> buffer;
  std::string_view got;
  if (!read_some(err_, buffer, got)) return false;
  err_tail_ += got;
  if (err_tail_.size() > kErrTail) err_tail_.erase(0, err_tail_.size() - kErrTail);
  if (log_ != nullptr) log_->pass_on(got);
  return true;
}

void ProgramStreams::drain() {
  // Bounded, in case a child goes on writing.
  for (std::size_t i = 0; i < kOutputLimit / 4096 && read_out(); ++i) {
  }
  for (std::size_t i = 0; i < 1024 && read_err(); ++i) {
  }
}

void ProgramStreams::move_to(ProcessResult& result) {
  result.out = std::move(out_text_);
  result.err_tail = std::move(err_tail_);
}

}  // namespace unicni::sys
