#include "answer.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "unicni/error.h"

namespace unicni::exec {

void write_all(int fd, std::string_view text, std::string_view doing) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw Error(Code::io, system_error(errno, doing).msg());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Answer::keep_from_modules() {
  sys::Fd kept(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!kept) throw system_error(errno, "keep stdout for the answer");
  if (::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) throw system_error(errno, "lead stdout to stderr");
  kept_ = std::move(kept);
}

void Answer::write(std::string_view document) const {
  write_all(fd(), document, "write the answer to stdout");
}

}  // namespace unicni::exec
