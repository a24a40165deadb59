#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "net/single_request.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net {
namespace {

constexpr int kSlice = 20;    // ms until it is looked whether the request is still being sent
constexpr int kSlices = 500;  // 10 s, as NetlinkSocket waits

/// The socket hears of every link of its namespace while this lives.
class Membership {
 public:
  explicit Membership(NetlinkSocket& socket) : socket_(socket), holds_(socket.join(RTNLGRP_LINK)) {}
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;
  ~Membership() {
    if (holds_) socket_.leave(RTNLGRP_LINK);
  }
  explicit operator bool() const { return holds_; }

 private:
  NetlinkSocket& socket_;
  bool holds_;
};

/// Waits for what tells of the deletion of link `index`.
class Verdict : public Listener {
 public:
  Verdict(std::uint32_t sequence, int index) : sequence_(sequence), index_(index) {}

  /// The news of a deletion carry the number of anybody's request, or none.
  [[nodiscard]] bool expects(std::uint32_t) const noexcept override { return true; }
  bool on_answer(nl_msg* message) override {
    if (header_of(message)->nlmsg_type != RTM_DELLINK) return true;
    // A port that leaves its bridge is told of the same way, of family AF_BRIDGE.
    const auto& link = family_header<ifinfomsg>(message);
    if (link.ifi_family == AF_UNSPEC && link.ifi_index == index_) error = 0;
    return !error;
  }
  bool on_result(const Acknowledgement& result) override {
    if (result.sequence == sequence_) error = result.error;
    return !error;
  }

  std::optional<int> error;  ///< 0: done

 private:
  std::uint32_t sequence_;
  int index_;
};

/// The verdict, as soon as there is one; nullopt if the sending ended without, or takes too long.
/// Throws what the socket throws (ENOBUFS: too much went on).
std::optional<int> await_verdict(NetlinkSocket& socket, std::uint32_t sequence, int index,
                                 sys::BackgroundSend& sending) {
  Verdict verdict(sequence, index);
  for (int slice = 0; slice < kSlices; ++slice) {
    const bool ended = sending.has_ended();  // before the look at what it left
    pollfd readable{socket.fd(), POLLIN, 0};
    if (::poll(&readable, 1, ended ? 0 : kSlice) != 1) {
      if (ended) break;
      continue;
    }
    socket.receive(verdict);
    if (verdict.error) return verdict.error;
  }
  return std::nullopt;
}

/// Leaves the deletion to the background child, as the sender of the request waits for everybody
/// who might still look at the link, long after it has gone. The errno, as soon as it is known;
/// nullopt if that way doesn't work.
std::optional<int> remove_in_background(NetlinkSocket& socket, nl_msg* request, int index) {
  if (socket.background() == nullptr) return std::nullopt;
  const Membership membership(socket);
  if (!membership) return std::nullopt;
  const std::uint32_t sequence = socket.take_sequence();
  nlmsghdr* header = header_of(request);
  header->nlmsg_seq = sequence;
  const auto sending = socket.background()->send(
      socket.fd(), {reinterpret_cast<const char*>(header), header->nlmsg_len});
  if (!sending) return std::nullopt;
  try {
    if (const auto found = await_verdict(socket, sequence, index, *sending)) return found;
  } catch (const Error&) {
    // What the socket missed is asked again.
  }
  sending->end();
  return std::nullopt;
}

}  // namespace

/// Where the child's way fails the request is sent from here. A link that has gone by then answers
/// ENODEV, which is what the caller wants.
bool remove_link(Netlink& netlink, int index) {
  const auto about = [index](SingleRequest request) {
    put_header<ifinfomsg>(request).ifi_index = index;
    return request;
  };
  const Stretch stretch =
      netlink.socket_->observe([&] { return fmt::format("delete link {} and wait", index); });
  SingleRequest removal = about(SingleRequest(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK));
  auto error = remove_in_background(*netlink.socket_, removal, index);
  if (!error) error = netlink.ask(removal, {});
  // Behind the lock under which the links of one deletion go: the other end of a veth has gone too.
  if (error == 0) netlink.ask(about(SingleRequest(RTM_GETLINK)), {});
  if (*error == ENODEV) return false;
  if (*error != 0) throw system_error(*error, fmt::format("delete link {}", index));
  return true;
}

}  // namespace unicni::net
