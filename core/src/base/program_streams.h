// The three pipes of a program that we run, as seen from our side.
#pragma once

#include <poll.h>
#include <signal.h>

#include <array>
#include <span>
#include <string_view>

#include "unicni/log.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/process.h"

namespace unicni::sys {

struct Pipe {
  Fd read;
  Fd write;
};

/// Both ends above 2: a dup2 onto the child's stdin must not hit another pipe if our own stdio is
/// closed. Throws Error.
Pipe make_pipe();

/// A write to a pipe that nobody reads any more must not end us: SIGPIPE is blocked in this thread,
/// and one that this caused is taken back before it is unblocked. (A socket as the program's stdin
/// would need none of this, but nobody could open /dev/stdin then, as scripts do.)
class NoSigpipe {
 public:
  NoSigpipe();
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe();

 private:
  sigset_t only_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// Feeds stdin and reads stdout and stderr as they are ready, so that no side waits for the other.
/// Lives under a NoSigpipe.
class ProgramStreams {
 public:
  static constexpr std::size_t kCount = 3;

  /// Our ends.
  ProgramStreams(Fd in, Fd out, Fd err);

  /// First of all. `input` must live as long, `log` may be nullptr. What the pipe takes of the
  /// input is in it at once, mostly all, and nobody has to wait for the program to read.
  void begin(std::string_view input, LogSink* log);

  /// What to wait for; a closed pipe has no number, which poll(2) skips.
  [[nodiscard]] std::array<pollfd, kCount> wanted() const;
  /// Handles what poll(2) said of wanted().
  void handle(std::span<const pollfd> ready);
  /// stdout and stderr are closed by all who had them.
  [[nodiscard]] bool ended() const { return !out_ && !err_; }
  /// Reads what is in the pipes now. Whoever still holds them isn't waited for, and may write on.
  void drain();
  /// What was read, to fill `result` with.
  void move_to(ProcessResult& result);

 private:
  void feed();
  bool read_some(Fd& fd, std::span<char> buffer, std::string_view& got);
  bool read_out();
  bool read_err();

  std::string_view input_;
  Fd in_;
  Fd out_;
  Fd err_;
  LogSink* log_ = nullptr;
  std::string out_text_;
  std::string err_tail_;
};

}  // namespace unicni::sys
