#include "interruption.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <utility>

namespace unicni::cnitool {
namespace {

bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Interruption::Interruption(const app::Output& output, std::string advice)
    : output_(output), advice_(std::move(advice)) {
  sigset_t taken;
  sigemptyset(&taken);
  for (const int number : {SIGINT, SIGTERM}) {
    if (!is_ignored(number)) sigaddset(&taken, number);
  }
  ::pthread_sigmask(SIG_BLOCK, &taken, &before_);
  signals_ = sys::Fd(::signalfd(-1, &taken, SFD_CLOEXEC));
  end_ = sys::Fd(::eventfd(0, EFD_CLOEXEC));
  thread_ = std::thread([this] { wait(); });
}

Interruption::~Interruption() {
  const std::uint64_t one = 1;
  if (::write(end_.get(), &one, sizeof one) == sizeof one) thread_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

/// Ends the process without its destructors, which would wait for the verb.
void Interruption::wait() const {
  std::array<pollfd, 2> fds{pollfd{signals_.get(), POLLIN, 0}, pollfd{end_.get(), POLLIN, 0}};
  while (::poll(fds.data(), fds.size(), -1) < 0) {
  }
  signalfd_siginfo signal{};
  if (fds[0].revents == 0 || ::read(signals_.get(), &signal, sizeof signal) != sizeof signal) {
    return;
  }
  output_.say(advice_);
  constexpr int kOfSignal = 128;
  ::_exit(kOfSignal + static_cast<int>(signal.ssi_signo));
}

}  // namespace unicni::cnitool
