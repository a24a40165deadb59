#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/straggler.h"
#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "net/question.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net {
namespace {

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

/// The verdict, as soon as there is one; nullopt if the child ended without, or takes too long.
/// Throws what the socket throws (ENOBUFS: too much went on).
std::optional<int> await_verdict(NetlinkSocket& socket, std::uint32_t sequence, int index,
                                 pid_t child) {
  for (int slice = 0; slice < kSlices; ++slice) {
    const bool ended = sys::has_straggler_ended(child);  // before the look at what it left
    pollfd readable{socket.fd(), POLLIN, 0};
    if (::poll(&readable, 1, ended ? 0 : kSlice) != 1) {
      if (ended) break;
      continue;
    }
    std::optional<int> found;
    for_each_message(socket.receive(), [&](const nlmsghdr* message) {
      if (!found) found = verdict(message, sequence, index);
    });
    if (found) return found;
  }
  return std::nullopt;
}

[[noreturn]] void send_and_exit(NetlinkSocket& socket, const nlmsghdr* request) {
  try {
    socket.send({reinterpret_cast<const char*>(request), request->nlmsg_len});
  } catch (const Error&) {
    ::_exit(1);
  }
  ::_exit(0);
}

/// Leaves the deletion to a child, as the sender of the request waits for everybody who might
/// still look at the link, long after it has gone. The errno, as soon as it is known; nullopt if
/// that way doesn't work.
std::optional<int> remove_by_child(NetlinkSocket& socket, nlmsghdr* request, int index) {
  const int fd = socket.fd();
  const Membership membership(fd);
  if (!membership) return std::nullopt;
  request->nlmsg_seq = socket.take_sequence();
  finish_message(request);
  const pid_t child = sys::fork_straggler({&fd, 1});
  if (child == 0) send_and_exit(socket, request);
  if (child < 0) return std::nullopt;
  sys::may_leave_stragglers();  // found out while the child works, as it must be known at the end
  try {
    if (const auto found = await_verdict(socket, request->nlmsg_seq, index, child)) return found;
  } catch (const Error&) {
    // What the socket missed is asked again.
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
  auto error = remove_by_child(*netlink.socket_, removal.message(), index);
  if (!error) error = netlink.ask(removal.message(), {});
  // Behind the lock under which the links of one deletion go: the other end of a veth has gone too.
  if (error == 0) netlink.ask(about(Question(RTM_GETLINK)).message(), {});
  if (*error == ENODEV) return false;
  if (*error != 0) throw system_error(*error, fmt::format("delete link {}", index));
  return true;
}

}  // namespace unicni::net
