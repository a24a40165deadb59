#include "support/fault.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>

#include "support/traced.h"

namespace unicni::test {

namespace {

/// A call that can fail: its name with its object, and the errno that fits it.
struct Fallible {
  std::string call;
  int error;
  bool needs_space = false;
};

const char* name_of(int error) { return ::strerrorname_np(error); }

class Injector {
 public:
  Injector(const Spawn& spawn, int k, Fault fault, const std::string& from)
      : program_(spawn), k_(k), fault_(fault), from_(from) {}
  Injection run();

 private:
  [[nodiscard]] std::optional<Fallible> fallible() const;
  bool has_started(const std::optional<Fallible>& call);
  [[nodiscard]] Fallible opening(std::uint64_t path, std::uint64_t flags) const;
  [[nodiscard]] std::string object(std::uint64_t fd) const;
  bool inject_call(const Fallible& call);
  void refuse_messages();
  void refuse_in(std::uint64_t address, std::size_t size, bool nftables);
  void go_on();

  Traced program_;
  int k_;
  Fault fault_;
  std::string from_;
  bool started_ = false;
  int seen_ = 0;
  std::map<std::uint64_t, std::string> sockets_;  // descriptor → protocol
  Injection result_;
};

std::string Injector::object(std::uint64_t fd) const {
  const auto socket = sockets_.find(fd);
  return socket != sockets_.end() ? socket->second : program_.descriptor(fd);
}

Fallible Injector::opening(std::uint64_t path, std::uint64_t flags) const {
  const std::string name = program_.text_at(path);
  const bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const bool makes = unnamed || ((flags & O_CREAT) != 0 && ::access(name.c_str(), F_OK) != 0);
  return {"openat " + name, makes ? ENOSPC : EMFILE, makes};
}

std::optional<Fallible> Injector::fallible() const {
  const auto argument = [this](int index) { return program_.argument(index); };
  const auto path = [&](int index) { return program_.text_at(argument(index)); };
  const auto fd = [&] { return object(argument(0)); };
  switch (program_.number()) {
    case SYS_open:
      return opening(argument(0), argument(1));
    case SYS_openat:
      return opening(argument(1), argument(2));
    case SYS_read:
      if (fd().starts_with("pipe:")) return std::nullopt;
      return Fallible{"read " + fd(), EIO};
    case SYS_pread64:
      return Fallible{"pread " + fd(), EIO};
    case SYS_write:
      if (argument(0) == STDERR_FILENO) return std::nullopt;
      // The caller's stdout, whatever its number is by then.
      return Fallible{"write " + fd(), ENOSPC, !fd().starts_with("/memfd:")};
    case SYS_pwrite64:
      return Fallible{"pwrite " + fd(), ENOSPC, true};
    case SYS_ftruncate:
      return Fallible{"ftruncate " + fd(), EIO};
    case SYS_fchmod:
      return Fallible{"fchmod " + fd(), EPERM};
    case SYS_mkdir:
      return Fallible{"mkdir " + path(0), ENOSPC, true};
    case SYS_mkdirat:
      return Fallible{"mkdir " + path(1), ENOSPC, true};
    case SYS_rename:
      return Fallible{"rename " + path(0), ENOSPC, true};
    case SYS_renameat:
    case SYS_renameat2:
      return Fallible{"rename " + path(1), ENOSPC, true};
    case SYS_link:
      return Fallible{"link " + path(1), ENOSPC, true};
    case SYS_linkat:
      return Fallible{"link " + path(3), ENOSPC, true};
    case SYS_unlink:
      return Fallible{"unlink " + path(0), EIO};
    case SYS_unlinkat:
      return Fallible{"unlink " + path(1), EIO};
    case SYS_flock:
      return Fallible{(argument(1) == LOCK_UN ? "unlock " : "flock ") + fd(), ENOLCK};
    case SYS_stat:
    case SYS_lstat:
      return Fallible{"stat " + path(0), EACCES};
    case SYS_newfstatat: {
      const std::string name = path(1);
      return Fallible{"stat " + (name.empty() ? fd() : name), EACCES};
    }
    case SYS_fstat:
      return Fallible{"stat " + fd(), EIO};
    case SYS_access:
      return Fallible{"access " + path(0), EACCES};
    case SYS_faccessat:
    case SYS_faccessat2:
      return Fallible{"access " + path(1), EACCES};
    case SYS_readlink:
      return Fallible{"readlink " + path(0), EACCES};
    case SYS_getdents64:
      return Fallible{"getdents " + fd(), EIO};
    case SYS_ioctl:
      return Fallible{"ioctl " + fd(), ENOTTY};
    case SYS_setns:
      return Fallible{"setns " + fd(), EPERM};
    case SYS_pipe2:
      return Fallible{"pipe", EMFILE};
    case SYS_vfork:
    case SYS_clone:
    case SYS_clone3:
      return Fallible{"start of a process", EAGAIN};
    case SYS_getrandom:
      return Fallible{"getrandom", ENOSYS};
    case SYS_socket:
      return Fallible{"socket", EMFILE};
    case SYS_bind:
      return Fallible{"bind " + fd(), ENOMEM};
    case SYS_setsockopt:
      return Fallible{"setsockopt " + fd() + " option " + std::to_string(argument(2)), ENOPROTOOPT};
    case SYS_getsockopt:
      return Fallible{"getsockopt " + fd() + " option " + std::to_string(argument(2)), ENOPROTOOPT};
    case SYS_getsockname:
      return Fallible{"getsockname " + fd(), ENOBUFS};
    case SYS_sendto:
    case SYS_sendmsg:
      return Fallible{"send " + fd(), ENOBUFS};
    case SYS_recvfrom:
    case SYS_recvmsg:
      return Fallible{"receive " + fd(), ENOMEM};
    default:
      return std::nullopt;
  }
}

/// Lets the call be done, and remembers what a new socket is.
void Injector::go_on() {
  if (program_.number() != SYS_socket) return;
  const bool nftables = program_.argument(2) == NETLINK_NETFILTER;
  const std::int64_t fd = program_.finish_call();
  if (fd >= 0) sockets_[static_cast<std::uint64_t>(fd)] = nftables ? "nftables" : "rtnetlink";
}

bool Injector::inject_call(const Fallible& call) {
  const bool persists = fault_ == Fault::disk_full;
  if (persists && !call.needs_space) return false;
  ++seen_;
  if (persists ? seen_ < k_ : seen_ != k_) return false;
  const int error = persists ? ENOSPC : call.error;
  if (!result_.reached) {
    result_.reached = true;
    result_.call = call.call;
    result_.error = name_of(error);
  }
  program_.fail_call(error);
  return true;
}

void Injector::refuse_in(std::uint64_t address, std::size_t size, bool nftables) {
  const std::string bytes = program_.bytes_at(address, size);
  nlmsghdr header{};
  for (std::size_t at = 0; at + sizeof header <= bytes.size();
       at += NLMSG_ALIGN(header.nlmsg_len)) {
    std::memcpy(&header, bytes.data() + at, sizeof header);
    if (header.nlmsg_len < sizeof header) return;
    if (header.nlmsg_type < NLMSG_MIN_TYPE ||
        (nftables && header.nlmsg_type <= NFNL_MSG_BATCH_END)) {
      continue;  // brackets of a transaction
    }
    if (++seen_ != k_) continue;
    // Beyond the last type of rtnetlink, and of nf_tables in nfnetlink.
    const std::uint16_t unknown = nftables ? NFNL_SUBSYS_NFTABLES << 8 | 0xff : 0x0fff;
    std::string type(sizeof unknown, '\0');
    std::memcpy(type.data(), &unknown, sizeof unknown);
    program_.put_bytes(address + at + offsetof(nlmsghdr, nlmsg_type), type);
    result_.reached = true;
    result_.call = (nftables ? "nftables message of type " : "rtnetlink message of type ") +
                   std::to_string(header.nlmsg_type & (nftables ? 0xff : 0xffff));
    result_.error = name_of(nftables ? EINVAL : EOPNOTSUPP);
  }
}

void Injector::refuse_messages() {
  if (program_.number() != SYS_sendto) return;
  const auto socket = sockets_.find(program_.argument(0));
  if (socket == sockets_.end()) return;
  refuse_in(program_.argument(1), program_.argument(2), socket->second == "nftables");
}

bool Injector::has_started(const std::optional<Fallible>& call) {
  if (started_) return true;
  if (from_.empty()) {
    started_ = program_.number() == SYS_read && program_.argument(0) == STDIN_FILENO;
  } else {
    started_ = call && call->call.ends_with(from_);
  }
  return started_;
}

Injection Injector::run() {
  while (program_.next_call()) {
    const auto call = fallible();
    if (has_started(call)) {
      if (fault_ != Fault::message) {
        if (call && inject_call(*call)) continue;
      } else if (!result_.reached) {
        refuse_messages();
      }
    }
    go_on();
  }
  result_.output = program_.output();
  return result_;
}

}  // namespace

Injection fail_at(const Spawn& spawn, int k, Fault fault, const std::string& from) {
  return Injector(spawn, k, fault, from).run();
}

}  // namespace unicni::test
