// Where the one document of a call goes: the stdout that the caller gave us.
#pragma once

#include <unistd.h>

#include <string_view>

#include "unicni/sys/fd.h"

namespace unicni::exec {

/// stdout belongs to the protocol, and a module is anybody's code, which may print. So before the
/// first one is opened, number 1 is made to lead to stderr, where such text does no harm, and the
/// caller's stdout is kept under a number that no program inherits.
class Answer {
 public:
  /// Throws Error if there is no number left; the caller's stdout is number 1 then.
  void keep_from_modules();
  [[nodiscard]] int fd() const noexcept { return kept_ ? kept_.get() : STDOUT_FILENO; }
  /// Throws Error(io) if not all of it could be written.
  void write(std::string_view document) const;

 private:
  sys::Fd kept_;
};

/// All of `text`; throws Error(io) whose text begins with `doing`.
void write_all(int fd, std::string_view text, std::string_view doing);

}  // namespace unicni::exec
