#include "net/netlink_socket.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <optional>
#include <vector>

#include "base/straggler.h"
#include "net/attribute.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr timeval kPatience{10, 0};  // the kernel answers within the send; this is a guard
constexpr std::size_t kBufferSize = 1U << 16U;  // more than the 32 KiB of the largest dump datagram
constexpr std::size_t kDefaultRoom = 200'000;   // net.core.{w,r}mem_default is 212,992
constexpr std::size_t kAcknowledgementRoom = 1024;
constexpr int kDumpTries = 6;
constexpr timespec kFreeing{0, 200'000'000};  // grace periods take 10 to 30 ms, more under load

bool same(std::uint32_t a, const nlmsghdr* message) { return a == message->nlmsg_seq; }

Acknowledgement parse_acknowledgement(const nlmsghdr* message) {
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
  Acknowledgement result{message->nlmsg_seq, -error->error, {}};
  if ((message->nlmsg_flags & NLM_F_ACK_TLVS) != 0) {
    std::size_t skip = sizeof(nlmsgerr);
    if ((message->nlmsg_flags & NLM_F_CAPPED) == 0) skip += error->msg.nlmsg_len - NLMSG_HDRLEN;
    for_each_attribute(message, skip, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == NLMSGERR_ATTR_MSG) result.text = text_of(attribute);
    });
  }
  return result;
}

/// Answers of one request as they come in.
struct Conversation {
  std::uint32_t sequence;
  NetlinkSocket::Expect expect;
  std::vector<char> answers;
  std::optional<int> result;  ///< set: it is over
  bool interrupted = false;

  void take(const nlmsghdr* message) {
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) interrupted = true;
    if (message->nlmsg_type == NLMSG_ERROR) {
      result = parse_acknowledgement(message).error;
      return;
    }
    if (message->nlmsg_type == NLMSG_DONE) {
      // A dump that failed on its way says so here.
      const bool has_status = mnl_nlmsg_get_payload_len(message) >= sizeof(int);
      const int status = has_status ? *static_cast<int*>(mnl_nlmsg_get_payload(message)) : 0;
      result = std::max(0, -status);
      return;
    }
    const auto* bytes = reinterpret_cast<const char*>(message);
    answers.insert(answers.end(), bytes, bytes + NLMSG_ALIGN(message->nlmsg_len));
    if (expect == NetlinkSocket::Expect::answer) result = 0;
  }
};

}  // namespace

NetlinkSocket::NetlinkSocket(int protocol) : protocol_(protocol) {
  fd_ = sys::Fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd_) throw system_error(errno, fmt::format("open {} socket", name()));
  const int on = 1;
  // Neither is vital: without the first error texts are shorter, without the second answers longer.
  ::setsockopt(fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
}

NetlinkSocket::~NetlinkSocket() {
  // Without anybody to reap a child, the close waits.
  if (!lingers_ || !sys::may_leave_stragglers()) return;
  std::vector<int> kept{fd()};
  for (const NetlinkSocket& spare : spares_) kept.push_back(spare.fd());
  if (sys::fork_straggler(kept) != 0) return;
  ::nanosleep(&kFreeing, nullptr);
  ::_exit(0);
}

NetlinkSocket& NetlinkSocket::spare() { return spares_.emplace_front(protocol_); }

const char* NetlinkSocket::name() const noexcept {
  return protocol_ == NETLINK_ROUTE ? "rtnetlink" : "nftables netlink";
}

void NetlinkSocket::send(std::span<const char> bytes) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  ssize_t sent = 0;
  do {
    sent = ::sendto(fd(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&kernel),
                    sizeof kernel);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    throw system_error(errno, fmt::format("send {} bytes to {} socket", bytes.size(), name()));
  }
}

std::span<const char> NetlinkSocket::receive() {
  if (!buffer_) buffer_.reset(new char[kBufferSize]);  // not make_unique: no need to zero it
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_size = sizeof from;
    const ssize_t size = ::recvfrom(fd(), buffer_.get(), kBufferSize, MSG_TRUNC,
                                    reinterpret_cast<sockaddr*>(&from), &from_size);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) throw system_error(errno, fmt::format("receive from {} socket", name()));
    if (static_cast<std::size_t>(size) > kBufferSize) {
      throw system_error(EMSGSIZE, fmt::format("receive {} bytes from {} socket", size, name()));
    }
    // Other processes of root can send here too.
    if (from.nl_pid == 0) return {buffer_.get(), static_cast<std::size_t>(size)};
  }
}

Acknowledgement NetlinkSocket::receive_acknowledgement(std::uint32_t first, std::uint32_t last) {
  for (;;) {
    std::optional<Acknowledgement> found;
    for_each_message(receive(), [&](const nlmsghdr* message) {
      // Differences, as sequence numbers wrap.
      const bool ours = message->nlmsg_seq - first <= last - first;
      if (ours && message->nlmsg_type == NLMSG_ERROR) found = parse_acknowledgement(message);
    });
    if (found) return *std::move(found);
  }
}

int NetlinkSocket::ask(nlmsghdr* request, Expect expect,
                       const std::function<void(const nlmsghdr*)>& each) {
  request->nlmsg_flags = static_cast<std::uint16_t>(request->nlmsg_flags | NLM_F_REQUEST);
  finish_message(request);
  for (int tries = 0; tries < kDumpTries; ++tries) {
    request->nlmsg_seq = take_sequence();
    Conversation conversation{request->nlmsg_seq, expect, {}, {}};
    send({reinterpret_cast<const char*>(request), request->nlmsg_len});
    while (!conversation.result) {
      for_each_message(receive(), [&](const nlmsghdr* message) {
        if (same(conversation.sequence, message)) conversation.take(message);
      });
    }
    if (conversation.interrupted) continue;
    if (*conversation.result == 0 && each) for_each_message(conversation.answers, each);
    return *conversation.result;
  }
  return EINTR;
}

void NetlinkSocket::make_room(std::size_t bytes, std::size_t answers) {
  const auto set = [this](int forced, int plain, std::size_t size) {
    const int value = static_cast<int>(std::min<std::size_t>(size, 1U << 30U));
    if (::setsockopt(fd(), SOL_SOCKET, forced, &value, sizeof value) != 0) {
      ::setsockopt(fd(), SOL_SOCKET, plain, &value,
                   sizeof value);  // no CAP_NET_ADMIN in the first userns
    }
  };
  if (bytes > kDefaultRoom) set(SO_SNDBUFFORCE, SO_SNDBUF, bytes + kDefaultRoom);
  const std::size_t back = answers * kAcknowledgementRoom;
  if (back > kDefaultRoom) set(SO_RCVBUFFORCE, SO_RCVBUF, back);
}

}  // namespace unicni::net
