#include "unicni/net/netlink.h"

#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "net/attribute.h"
#include "net/message_buffer.h"
#include "net/netlink_socket.h"
#include "unicni/error.h"

namespace unicni::net {

Netlink::Netlink() { open(); }

Netlink::Netlink(const Netns& in) {
  in.run([this] { open(); });
}

Netlink::Netlink(const Netns& in, const Netns& back) {
  in.run([this] { open(); }, back);
}

Netlink::Netlink(const Services& services) { open(&services); }

Netlink::Netlink(const Netns& in, const Netns& back, const Services& services) {
  in.run([&] { open(&services); }, back);
}

Netlink::Netlink(Netlink&&) noexcept = default;
Netlink& Netlink::operator=(Netlink&&) noexcept = default;
Netlink::~Netlink() = default;

/// With strict checking the kernel applies the filters of a dump request, where it would otherwise
/// ignore them and report everything, and refuses header fields that it doesn't know.
void Netlink::open(const Services* services) {
  socket_ = std::make_unique<NetlinkSocket>(NETLINK_ROUTE, services);
  const int on = 1;
  if (::setsockopt(fd(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) != 0) {
    throw system_error(errno, "set NETLINK_GET_STRICT_CHK").advise("unicni needs Linux 4.20");
  }
  // The cookie (Linux 5.14) is never used again for another namespace, unlike an inode number.
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(fd(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0) {
    identity_ = "cookie:" + std::to_string(cookie);
  } else {
    identity_ = netns_identity(fd(), Netns::current());
  }
}

int Netlink::fd() const noexcept { return socket_->fd(); }

int Netlink::ask(nl_msg* request, const std::function<void(const nlmsghdr*)>& each) {
  using Expect = NetlinkSocket::Expect;
  // rtnetlink message types come in fours: NEW, DEL, GET, SET. Flags mean other things in each.
  nlmsghdr* header = header_of(request);
  const bool get = (header->nlmsg_type & 3U) == 2;
  Expect expect = Expect::acknowledgement;
  if (get && (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
    expect = Expect::dump;
  } else if (get && (header->nlmsg_flags & NLM_F_ACK) == 0) {
    expect = Expect::answer;
  } else {
    header->nlmsg_flags = static_cast<std::uint16_t>(header->nlmsg_flags | NLM_F_ACK);
  }
  return socket_->ask(request, expect, each);
}

struct Batch::Messages {
  struct Note {
    std::string what;
    std::vector<int> tolerated;
  };
  MessageBuffer buffer;
  std::vector<Note> notes;
  std::vector<int> errors;  ///< of the last commit()
};

Batch::Batch(Netlink& netlink) : netlink_(netlink), messages_(std::make_unique<Messages>()) {}
Batch::Batch(Batch&&) noexcept = default;
Batch::~Batch() = default;

/// Each message asks for its own acknowledgement. Without that the kernel would report errors only,
/// and a message that succeeded couldn't be told from one whose answer was lost.
nl_msg* Batch::add(std::uint16_t type, std::uint16_t flags, std::string what,
                   std::vector<int> tolerated, std::size_t space) {
  const auto all_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST | NLM_F_ACK);
  messages_->notes.push_back({std::move(what), std::move(tolerated)});
  return messages_->buffer.add(type, all_flags, space);
}

bool Batch::empty() const noexcept { return messages_->notes.empty(); }

/// The kernel goes on after a message that fails, as netlink_rcv_skb() handles each by itself. So
/// later messages of a batch may have taken effect although commit() throws; undo records are what
/// takes them back.
void Batch::commit() {
  messages_->errors.assign(messages_->notes.size(), 0);
  if (empty()) return;
  NetlinkSocket& socket = *netlink_.socket_;
  const std::vector<Messages::Note> notes = std::exchange(messages_->notes, {});
  const auto count = static_cast<std::uint32_t>(notes.size());
  Stretch stretch = socket.observe([&] {
    return count == 1 ? notes.front().what
                      : fmt::format("{} and {} more", notes.front().what, count - 1);
  });
  const std::uint32_t first = socket.take_sequence(count);
  messages_->buffer.number_from(first);
  const std::span<const char> bytes = messages_->buffer.bytes();
  socket.make_room(bytes.size(), count);
  socket.send(bytes);
  messages_->buffer.clear();

  // All answers are read even after a failure: the next request on this socket must not meet them.
  // The first failure is thrown, as later ones mostly follow from it.
  std::optional<Error> failure;
  for (std::uint32_t received = 0; received < count; ++received) {
    Acknowledgement answer = socket.receive_acknowledgement(first, first + count - 1);
    const Messages::Note& note = notes[answer.sequence - first];
    messages_->errors[answer.sequence - first] = answer.error;
    const bool fine = answer.error == 0 || std::ranges::count(note.tolerated, answer.error) > 0;
    if (!fine && !failure) {
      stretch.set_error(answer.error);
      failure = system_error(answer.error, note.what).advise(std::move(answer.text));
    }
  }
  if (failure) throw *failure;
}

int Batch::error_of(std::size_t index) const { return messages_->errors.at(index); }

}  // namespace unicni::net
