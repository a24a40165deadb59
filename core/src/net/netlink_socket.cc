#include "net/netlink_socket.h"

#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "net/attribute.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::net {
namespace {

constexpr timeval kPatience{10, 0};  // the kernel answers within the send; this is a guard
constexpr std::size_t kBufferSize = 1U << 16U;  // more than the 32 KiB of the largest dump datagram
constexpr std::size_t kDefaultRoom = 200'000;   // net.core.{w,r}mem_default is 212,992
constexpr std::size_t kAcknowledgementRoom = 1024;
constexpr int kDumpTries = 6;

/// With NETLINK_CAP_ACK the answer holds only the header of the request. Where a kernel doesn't
/// know that option it repeats the whole request, and the extended error text comes behind that.
Acknowledgement parse_acknowledgement(const nlmsghdr* message) {
  const auto* error = static_cast<const nlmsgerr*>(nlmsg_data(message));
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

/// The message that ends a dump carries the result of the dump as a negative errno. A short one
/// means success.
Acknowledgement parse_end(const nlmsghdr* message) {
  const bool has_status = nlmsg_datalen(message) >= static_cast<int>(sizeof(int));
  const int status = has_status ? *static_cast<const int*>(nlmsg_data(message)) : 0;
  return {message->nlmsg_seq, std::max(0, -status), {}};
}

/// For an observer. rtnetlink's message types come in fours, NEW, DEL, GET and SET, from 16 on.
std::string describe(int protocol, unsigned type) {
  constexpr std::array kVerbs = {"new", "delete", "get", "set"};
  constexpr std::array kNouns = {"link", "addr", "route", "neigh", "rule", "qdisc"};
  constexpr unsigned kNetconf = 80;
  if (protocol != NETLINK_ROUTE) {
    return fmt::format("request {} of subsystem {}", type & 0xffU, type >> 8U);
  }
  const std::size_t noun = (type - RTM_BASE) / kVerbs.size();
  const char* verb = kVerbs.at(type % kVerbs.size());
  if (noun < kNouns.size()) return fmt::format("{} {}", verb, kNouns.at(noun));
  if (type - type % kVerbs.size() == kNetconf) return fmt::format("{} netconf", verb);
  return fmt::format("{} (type {})", verb, type);
}

/// Answers of one request as they come in.
class Conversation : public Listener {
 public:
  Conversation(std::uint32_t sequence, NetlinkSocket::Expect expect)
      : sequence_(sequence), expect_(expect) {}

  [[nodiscard]] bool expects(std::uint32_t sequence) const noexcept override {
    return sequence == sequence_;
  }
  // libnl lets go of its message when the callback returns; nlmsg_get() keeps it.
  bool on_answer(nl_msg* message) override {
    nlmsg_get(message);
    answers.emplace_back(message);
    if (expect_ == NetlinkSocket::Expect::answer) result = 0;
    return !result;
  }
  bool on_result(const Acknowledgement& answer) override {
    result = answer.error;
    return false;
  }
  void on_interruption() noexcept override { interrupted = true; }

  std::vector<NlOwned<nl_msg>> answers;
  std::optional<int> result;  ///< set: it is over
  bool interrupted = false;

 private:
  std::uint32_t sequence_;
  NetlinkSocket::Expect expect_;
};

/// The first acknowledgement of a row of messages.
class FirstAcknowledgement : public Listener {
 public:
  FirstAcknowledgement(std::uint32_t first, std::uint32_t last) : first_(first), last_(last) {}

  [[nodiscard]] bool expects(std::uint32_t sequence) const noexcept override {
    return sequence - first_ <= last_ - first_;  // differences, as sequence numbers wrap
  }
  bool on_answer(nl_msg*) override { return true; }
  bool on_result(const Acknowledgement& result) override {
    found = result;
    return false;
  }

  std::optional<Acknowledgement> found;

 private:
  std::uint32_t first_;
  std::uint32_t last_;
};

}  // namespace

/// libnl's callbacks, all of which get the Reading of a socket.
struct NetlinkSocket::Callbacks {
  static NlOwned<nl_cb> make(Reading& reading) {
    auto callbacks = own_nl(nl_cb_alloc(NL_CB_DEFAULT));
    const auto set = [&](nl_cb_type type, nl_recvmsg_msg_cb_t function) {
      nl_cb_set(callbacks.get(), type, NL_CB_CUSTOM, function, &reading);
    };
    set(NL_CB_MSG_IN, check_sender);
    set(NL_CB_SEQ_CHECK, check_sequence);
    set(NL_CB_DUMP_INTR, take_interruption);
    set(NL_CB_VALID, take_answer);
    set(NL_CB_ACK, take_acknowledgement);
    set(NL_CB_FINISH, take_end);
    nl_cb_err(callbacks.get(), NL_CB_CUSTOM, take_error, &reading);
    return callbacks;
  }

 private:
  template <class Tell>
  static int tell(void* argument, const Tell& tell) noexcept {
    auto& reading = *static_cast<Reading*>(argument);
    try {
      if (tell(*reading.listener)) return NL_OK;
    } catch (...) {
      reading.failure = std::current_exception();
    }
    reading.stopped = true;
    return NL_STOP;
  }

  /// Other processes of root can send here too.
  static int check_sender(nl_msg* message, void*) {
    return nlmsg_get_src(message)->nl_pid == 0 ? NL_OK : NL_SKIP;
  }
  static int check_sequence(nl_msg* message, void* argument) {
    const Listener& listener = *static_cast<const Reading*>(argument)->listener;
    return listener.expects(nlmsg_hdr(message)->nlmsg_seq) ? NL_OK : NL_SKIP;
  }
  static int take_interruption(nl_msg*, void* argument) {
    static_cast<Reading*>(argument)->listener->on_interruption();
    return NL_OK;
  }
  static int take_answer(nl_msg* message, void* argument) {
    return tell(argument, [&](Listener& to) { return to.on_answer(message); });
  }
  static int take_acknowledgement(nl_msg* message, void* argument) {
    return tell(argument, [&](Listener& to) {
      return to.on_result(parse_acknowledgement(nlmsg_hdr(message)));
    });
  }
  static int take_end(nl_msg* message, void* argument) {
    return tell(argument,
                [&](Listener& to) { return to.on_result(parse_end(nlmsg_hdr(message))); });
  }
  /// `error` is part of the message as it was received, behind its header.
  static int take_error(sockaddr_nl*, nlmsgerr* error, void* argument) {
    const auto* message = reinterpret_cast<const nlmsghdr*>(error) - 1;
    return tell(argument,
                [&](Listener& to) { return to.on_result(parse_acknowledgement(message)); });
  }
};

NetlinkSocket::NetlinkSocket(int protocol, const Services* services)
    : protocol_(protocol),
      services_(services),
      socket_(own_nl(nl_socket_alloc_cb(Callbacks::make(reading_).get()))) {
  // Not nl_connect(): it makes the socket's buffers six times smaller, and binds to a port that it
  // looks for itself, where the kernel finds one while it sends.
  sys::Fd opened(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!opened || nl_socket_set_fd(socket_.get(), protocol, opened.get()) < 0) {
    throw system_error(errno, fmt::format("open {} socket", name()));
  }
  static_cast<void>(opened.release());
  // Else libnl looks at each datagram's size before it reads it, with a call of its own.
  nl_socket_set_msg_buf_size(socket_.get(), kBufferSize);
  const int on = 1;
  // Neither is vital: without the first error texts are shorter, without the second answers longer.
  ::setsockopt(fd(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
}

NetlinkSocket::~NetlinkSocket() {
  if (!lingers_ || background() == nullptr) return;
  std::vector<int> kept{fd()};
  for (const NetlinkSocket& spare : spares_) kept.push_back(spare.fd());
  background()->keep_open(kept);
}

NetlinkSocket& NetlinkSocket::spare() { return spares_.emplace_front(protocol_, services_); }

const char* NetlinkSocket::name() const noexcept {
  return protocol_ == NETLINK_ROUTE ? "rtnetlink" : "nftables netlink";
}

int NetlinkSocket::fd() const noexcept { return nl_socket_get_fd(socket_.get()); }

bool NetlinkSocket::join(int group) noexcept {
  return nl_socket_add_membership(socket_.get(), group) == 0;
}

void NetlinkSocket::leave(int group) noexcept { nl_socket_drop_membership(socket_.get(), group); }

/// The numbers of a batch follow one another, so that an answer tells by its number which message
/// it is for.
std::uint32_t NetlinkSocket::take_sequence(std::size_t count) noexcept {
  const std::uint32_t first = nl_socket_use_seq(socket_.get());
  for (std::size_t taken = 1; taken < count; ++taken) nl_socket_use_seq(socket_.get());
  return first;
}

/// The kernel handles all messages within this one call, on the caller's thread: when it returns,
/// the work is done and the answers wait to be read.
void NetlinkSocket::send(std::span<const char> bytes) {
  int sent = 0;
  do {
    // Unlike nl_send() it takes several messages. It only reads them.
    sent = nl_sendto(socket_.get(), const_cast<char*>(bytes.data()), bytes.size());
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    throw system_error(errno, fmt::format("send {} bytes to {} socket", bytes.size(), name()));
  }
}

void NetlinkSocket::send(nl_msg* message) {
  const nlmsghdr* header = nlmsg_hdr(message);
  send({reinterpret_cast<const char*>(header), header->nlmsg_len});
}

/// An exception must not pass through the C code of libnl. A callback keeps it in `reading_`, and
/// it goes on from here.
void NetlinkSocket::receive(Listener& listener) {
  reading_ = {&listener, false, nullptr};
  const int code = nl_recvmsgs_default(socket_.get());
  const int error = errno;
  if (reading_.failure) std::rethrow_exception(std::exchange(reading_.failure, nullptr));
  if (code < 0 && !reading_.stopped) fail_receiving(code, error);
}

void NetlinkSocket::fail_receiving(int code, int error) const {
  const std::string what = fmt::format("receive from {} socket", name());
  switch (-code) {
    // What libnl finds out itself, without a system call that failed.
    case NLE_MSG_TRUNC:
      throw system_error(EMSGSIZE, what);
    case NLE_NOADDR:
    case NLE_MSG_OVERFLOW:
      throw system_error(EPROTO, what).advise(nl_geterror(code));
    default:
      throw system_error(error, what);
  }
}

/// Answers to earlier requests, which may still be in the queue after a failure, are passed over by
/// their numbers.
Acknowledgement NetlinkSocket::receive_acknowledgement(std::uint32_t first, std::uint32_t last) {
  FirstAcknowledgement listener(first, last);
  while (!listener.found) receive(listener);
  return *std::move(listener.found);
}

/// A dump that the kernel marks as interrupted (NLM_F_DUMP_INTR) may have left out or doubled
/// objects, since something changed between two of its datagrams. It is asked for again. `each`
/// sees only the answers of a whole one.
int NetlinkSocket::ask(nl_msg* request, Expect expect,
                       const std::function<void(const nlmsghdr*)>& each) {
  nlmsghdr* header = nlmsg_hdr(request);
  Stretch stretch = observe([&] { return describe(protocol_, header->nlmsg_type); });
  header->nlmsg_flags = static_cast<std::uint16_t>(header->nlmsg_flags | NLM_F_REQUEST);
  for (int tries = 0; tries < kDumpTries; ++tries) {
    header->nlmsg_seq = take_sequence();
    Conversation conversation(header->nlmsg_seq, expect);
    send(request);
    while (!conversation.result) receive(conversation);
    if (conversation.interrupted) continue;
    stretch.set_error(*conversation.result);
    if (*conversation.result == 0 && each) {
      for (const auto& answer : conversation.answers) each(nlmsg_hdr(answer.get()));
    }
    return *conversation.result;
  }
  return EINTR;
}

/// A batch that doesn't fit into the send buffer fails with EMSGSIZE, and answers that don't fit
/// into the receive buffer are lost with ENOBUFS after the work was done. Both buffers are enlarged
/// before the send.
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
