#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <optional>

#include "base/straggler.h"
#include "net/attribute.h"
#include "net/question.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net {
namespace {

constexpr std::uint32_t kFirstSequence = 0x80000000;  // far from those that a Netlink counts up
constexpr int kSlice = 20;    // ms until it is looked whether the child lives
constexpr int kSlices = 500;  // 10 s, as NetlinkSocket waits

/// The socket hears of every link of its namespace while this lives.
class Membership {
 public:
  explicit Membership(int fd) : fd_(fd) { set(NETLINK_ADD_MEMBERSHIP); }
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() {
    if (holds_) set(NETLINK_DROP_MEMBERSHIP);
  }
  explicit operator bool() const { return holds_; }

 private:
  void set(int option) {
    const int group = RTNLGRP_LINK;
    holds_ = ::setsockopt(fd_, SOL_NETLINK, option, &group, sizeof group) == 0;
  }
  int fd_;
  bool holds_ = false;
};

void send(int fd, const nlmsghdr* message) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  while (::sendto(fd, message, message->nlmsg_len, 0, reinterpret_cast<const sockaddr*>(&kernel),
                  sizeof kernel) < 0 &&
         errno == EINTR) {
  }
}

/// Another one each time: the answer to the last removal comes when its link has long gone.
std::uint32_t next_sequence() {
  static std::atomic<std::uint32_t> count{0};
  return kFirstSequence | count++;
}

/// What a message says of the deletion of link `index`: its errno, 0 for done. nullopt: nothing.
std::optional<int> verdict(const nlmsghdr* message, std::uint32_t sequence, int index) {
  if (message->nlmsg_type == NLMSG_ERROR && message->nlmsg_seq == sequence) {
    return -static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message))->error;
  }
  if (message->nlmsg_type != RTM_DELLINK) return std::nullopt;
  // A port that leaves its bridge is told of the same way, of family AF_BRIDGE.
  const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
  if (link->ifi_family != AF_UNSPEC || link->ifi_index != index) return std::nullopt;
  return 0;
}

/// Reads what is there. An errno of the socket counts as no verdict, but ends the wait (`lost`).
std::optional<int> read_verdict(int fd, std::uint32_t sequence, int index, bool& lost) {
  alignas(nlmsghdr) std::array<char, 8192> bytes;  // NOLINT(*-member-init): filled below
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(fd, bytes.data(), bytes.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0 && errno == EINTR) continue;
    lost = size < 0 && errno != EAGAIN;  // ENOBUFS: too much went on
    if (size < 0) return std::nullopt;
    if (from.nl_pid != 0) continue;  // other processes of root can send here too
    int left = static_cast<int>(size);
    for (const auto* message = reinterpret_cast<const nlmsghdr*>(bytes.data());
         mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
      if (const auto found = verdict(message, sequence, index)) return found;
    }
  }
}

/// Leaves the deletion to a child, as the sender of the request waits for everybody who might
/// still look at the link, long after it has gone. The errno, as soon as it is known; nullopt if
/// that way doesn't work.
std::optional<int> remove_by_child(int fd, nlmsghdr* request, int index) {
  const Membership membership(fd);
  if (!membership) return std::nullopt;
  request->nlmsg_seq = next_sequence();
  const pid_t child = sys::fork_straggler({&fd, 1});
  if (child == 0) {
    send(fd, request);
    ::_exit(0);
  }
  if (child < 0) return std::nullopt;
  bool lost = false;
  for (int slice = 0; slice < kSlices && !lost; ++slice) {
    pollfd readable{fd, POLLIN, 0};
    const bool ended = ::poll(&readable, 1, kSlice) == 0 && sys::has_straggler_ended(child);
    if (const auto found = read_verdict(fd, request->nlmsg_seq, index, lost)) return found;
    if (ended) break;
  }
  sys::end_straggler(child);
  return std::nullopt;
}

}  // namespace

bool remove_link(Netlink& netlink, int index) {
  const auto about = [index](Question question) {
    put_header<ifinfomsg>(question.message()).ifi_index = index;
    return question;
  };
  Question removal = about(Question(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK));
  auto error = remove_by_child(netlink.fd(), removal.message(), index);
  if (!error) error = netlink.ask(removal.message(), {});
  // Behind the lock under which the links of one deletion go: the other end of a veth has gone too.
  if (error == 0) netlink.ask(about(Question(RTM_GETLINK)).message(), {});
  if (*error == ENODEV) return false;
  if (*error != 0) throw system_error(*error, fmt::format("delete link {}", index));
  return true;
}

}  // namespace unicni::net
