#include "support/traced.h"

#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <stdexcept>
#include <vector>

namespace unicni::test {

namespace {

[[noreturn]] void become_traced(const Spawn& spawn, int in, int out, int err) {
  std::vector<char*> argv;
  std::vector<char*> env;
  for (const std::string& each : spawn.argv) argv.push_back(const_cast<char*>(each.c_str()));
  for (const std::string& each : spawn.env) env.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::execve(argv[0], argv.data(), env.data());
  ::_exit(126);
}

std::string contents(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  ::lseek(fd, 0, SEEK_SET);
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

int file_in_memory(const std::string& text) {
  const int fd = ::memfd_create("traced", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("memfd_create");
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

constexpr int kSyscallStop = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD

}  // namespace

Traced::Traced(const Spawn& spawn) : out_(file_in_memory("")), err_(file_in_memory("")) {
  const int in = file_in_memory(spawn.in);
  pid_ = ::fork();
  if (pid_ == 0) become_traced(spawn, in, out_, err_);
  ::close(in);
  ::waitpid(pid_, &state_, 0);  // stopped by its own exec
  ended_ = !WIFSTOPPED(state_);
  ::ptrace(PTRACE_SETOPTIONS, pid_, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
}

Traced::~Traced() {
  if (!ended_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &state_, 0);
  }
  ::close(out_);
  ::close(err_);
}

bool Traced::step() {
  int deliver = 0;
  while (!ended_) {
    const bool going = ::ptrace(PTRACE_SYSCALL, pid_, nullptr, static_cast<long>(deliver)) == 0;
    if (!going && errno != ESRCH) throw std::runtime_error("PTRACE_SYSCALL");
    ::waitpid(pid_, &state_, 0);
    ended_ = !WIFSTOPPED(state_);
    if (ended_) break;
    if (WSTOPSIG(state_) == kSyscallStop) {
      ::ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof info_, &info_);
      return true;
    }
    deliver = WSTOPSIG(state_) == SIGTRAP ? 0 : WSTOPSIG(state_);
  }
  return false;
}

bool Traced::next_call() {
  while (step()) {
    if (info_.op == PTRACE_SYSCALL_INFO_ENTRY) return true;
  }
  return false;
}

std::int64_t Traced::finish_call() {
  return step() && info_.op == PTRACE_SYSCALL_INFO_EXIT ? info_.exit.rval : -ESRCH;
}

void Traced::fail_call(int error) {
#ifdef __x86_64__
  user_regs_struct registers{};
  ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
  registers.orig_rax = ~0ULL;  // no such call: the kernel skips it
  ::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
  finish_call();
  ::ptrace(PTRACE_GETREGS, pid_, nullptr, &registers);
  registers.rax = static_cast<unsigned long long>(-static_cast<long long>(error));
  ::ptrace(PTRACE_SETREGS, pid_, nullptr, &registers);
#else
  (void)error;
  throw std::runtime_error("failing system calls are only known for x86-64");
#endif
}

std::string Traced::descriptor(std::uint64_t fd) const {
  const std::string link =
      "/proc/" + std::to_string(pid_) + "/fd/" + std::to_string(static_cast<int>(fd));
  char target[PATH_MAX];
  const auto length = ::readlink(link.c_str(), target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

std::string Traced::bytes_at(std::uint64_t address, std::size_t size) const {
  std::string bytes(size, '\0');
  const iovec here{bytes.data(), size};
  const iovec there{reinterpret_cast<void*>(address), size};
  const auto got = ::process_vm_readv(pid_, &here, 1, &there, 1, 0);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

std::string Traced::text_at(std::uint64_t address) const {
  // A text may end just before a page that isn't there.
  constexpr std::uint64_t kPage = 4096;
  std::string bytes = bytes_at(address, kPage - address % kPage);
  if (bytes.find('\0') == bytes.npos) bytes += bytes_at(address + bytes.size(), kPage);
  return bytes.substr(0, bytes.find('\0'));
}

void Traced::put_bytes(std::uint64_t address, const std::string& bytes) const {
  std::string copy = bytes;
  const iovec here{copy.data(), copy.size()};
  const iovec there{reinterpret_cast<void*>(address), copy.size()};
  if (::process_vm_writev(pid_, &here, 1, &there, 1, 0) != static_cast<ssize_t>(copy.size())) {
    throw std::runtime_error("process_vm_writev");
  }
}

void Traced::let_go() { ::ptrace(PTRACE_DETACH, pid_, nullptr, nullptr); }

void Traced::kill() { ::kill(pid_, SIGKILL); }

Output Traced::output() {
  while (!ended_) {
    ::waitpid(pid_, &state_, 0);
    ended_ = !WIFSTOPPED(state_);
  }
  Output output;
  if (WIFEXITED(state_)) output.status = WEXITSTATUS(state_);
  if (WIFSIGNALED(state_)) output.signal = WTERMSIG(state_);
  output.out = contents(out_);
  output.err = contents(err_);
  return output;
}

}  // namespace unicni::test
