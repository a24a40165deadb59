#include "descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>

namespace unicni::exec {

void fill_standard_descriptors() noexcept {
  std::array<pollfd, 3> places{
      {{STDIN_FILENO, 0, 0}, {STDOUT_FILENO, 0, 0}, {STDERR_FILENO, 0, 0}}};
  // One call that tells of all three. If it fails, each is looked at by the attempts below.
  if (::poll(places.data(), places.size(), 0) == 0) return;
  for (const pollfd& place : places) {
    if (::fcntl(place.fd, F_GETFD) >= 0) continue;
    // The lowest free number is this one, as those below are taken.
    int filled = ::open("/dev/null", place.fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    // A root without /dev has a root folder at least, which can't be read or written either.
    if (filled < 0) filled = ::open("/", O_PATH | O_DIRECTORY);
    if (filled != place.fd) ::_exit(1);
  }
}

}  // namespace unicni::exec
