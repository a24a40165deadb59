#include "support/knocks.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace unicni::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBacklog = 1024;      // all of a round come before the first is taken
constexpr std::size_t kMost = 256;  // bytes of an answer
constexpr std::chrono::milliseconds kAgain{150};

/// A socket belongs for ever to the namespace that it was made in.
int socket_in(int netns, int family, Transport transport) {
  const int type = transport == Transport::udp ? SOCK_DGRAM : SOCK_STREAM;
  const int protocol = transport == Transport::sctp ? IPPROTO_SCTP : 0;
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::setns(netns, CLONE_NEWNET), 0) << std::strerror(errno);
  const int fd = ::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  EXPECT_GE(fd, 0) << std::strerror(errno);
  EXPECT_EQ(::setns(home, CLONE_NEWNET), 0) << std::strerror(errno);
  ::close(home);
  return fd;
}

struct Place {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  Place() = default;
  Place(const std::string& address, int port) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
      v4.sin_family = AF_INET;
      v4.sin_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof v4;
    } else {
      EXPECT_EQ(::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr), 1) << address;
      v6.sin6_family = AF_INET6;
      v6.sin6_port = htons(static_cast<std::uint16_t>(port));
      size = sizeof v6;
    }
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] std::string text() const {
    char text[INET6_ADDRSTRLEN] = "";
    const void* address = &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
    if (storage.ss_family == AF_INET) {
      address = &reinterpret_cast<const sockaddr_in&>(storage).sin_addr;
    }
    ::inet_ntop(storage.ss_family, address, text, sizeof text);
    return text;
  }
};

/// One knock on its way.
class Client {
 public:
  explicit Client(const Knock& knock)
      : to_(knock.to, knock.port),
        udp_(knock.transport == Transport::udp),
        fd_(socket_in(knock.netns, to_.storage.ss_family, knock.transport)) {
    if (!knock.from.empty() || knock.from_port != 0) {
      const char* any = to_.storage.ss_family == AF_INET ? "0.0.0.0" : "::";
      Place from(knock.from.empty() ? any : knock.from, knock.from_port);
      EXPECT_EQ(::bind(fd_, from.get(), from.size), 0) << knock.from << std::strerror(errno);
    }
    if (::connect(fd_, to_.get(), to_.size) != 0 && errno != EINPROGRESS) {
      end();
      return;
    }
    remember_own();
    if (udp_) send();
  }
  Client(Client&& other) noexcept
      : to_(other.to_),
        udp_(other.udp_),
        fd_(std::exchange(other.fd_, -1)),
        sent_(other.sent_),
        answer_(std::move(other.answer_)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  Client& operator=(Client&&) = delete;
  ~Client() { end(); }

  /// -1: it is over.
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const KnockAnswer& answer() const { return answer_; }
  /// A datagram may be lost while a neighbour is looked for.
  void send_again() {
    if (udp_ && fd_ >= 0 && Clock::now() - sent_ > kAgain) send();
  }
  void read() {
    char bytes[kMost];
    const ssize_t size = ::recv(fd_, bytes, sizeof bytes, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size > 0) {
      const std::string text(bytes, static_cast<std::size_t>(size));
      answer_.server = text.substr(0, text.find(' '));
      answer_.seen = text.substr(text.find(' ') + 1);
      remember_own();
    }
    end();
  }

 private:
  void send() {
    sent_ = Clock::now();
    // An earlier datagram's refusal comes back here.
    if (::send(fd_, "?", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN) end();
  }
  void remember_own() {
    Place own;
    if (::getsockname(fd_, own.get(), &own.size) == 0) answer_.own = own.text();
  }
  void end() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  Place to_;
  bool udp_;
  int fd_;
  Clock::time_point sent_;
  KnockAnswer answer_;
};

}  // namespace

KnockServer::KnockServer(std::string name, int netns, const std::vector<int>& ports,
                         const std::vector<Transport>& transports)
    : name_(std::move(name)) {
  const int on = 1;
  for (const int port : ports) {
    for (const char* any : {"0.0.0.0", "::"}) {
      for (const Transport transport : transports) {
        Place place(any, port);
        const int fd = socket_in(netns, place.storage.ss_family, transport);
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (place.storage.ss_family == AF_INET6) {
          ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        }
        EXPECT_EQ(::bind(fd, place.get(), place.size), 0) << port << std::strerror(errno);
        if (transport != Transport::udp) {
          EXPECT_EQ(::listen(fd, kBacklog), 0) << std::strerror(errno);
        }
        sockets_.push_back(fd);
      }
    }
  }
}

KnockServer::~KnockServer() {
  for (const int fd : sockets_) ::close(fd);
}

void KnockServer::serve(int socket) const {
  Place from;
  const int guest = ::accept4(socket, from.get(), &from.size, SOCK_CLOEXEC);
  if (guest >= 0) {
    const std::string text = name_ + ' ' + from.text();
    static_cast<void>(::send(guest, text.data(), text.size(), MSG_NOSIGNAL));
    ::close(guest);
    return;
  }
  char byte = 0;
  from = {};
  if (::recvfrom(socket, &byte, 1, 0, from.get(), &from.size) < 0) return;
  const std::string text = name_ + ' ' + from.text();
  static_cast<void>(::sendto(socket, text.data(), text.size(), 0, from.get(), from.size));
}

std::vector<KnockAnswer> knock(const std::vector<const KnockServer*>& servers,
                               const std::vector<Knock>& knocks,
                               std::chrono::milliseconds patience) {
  std::vector<Client> clients;
  clients.reserve(knocks.size());
  for (const Knock& each : knocks) clients.emplace_back(each);
  const auto end = Clock::now() + patience;
  while (Clock::now() < end) {
    std::vector<pollfd> waits;
    std::vector<std::pair<const KnockServer*, Client*>> whose;
    for (const KnockServer* server : servers) {
      for (const int fd : server->sockets()) {
        waits.push_back({fd, POLLIN, 0});
        whose.emplace_back(server, nullptr);
      }
    }
    const std::size_t listening = waits.size();
    for (Client& client : clients) {
      client.send_again();
      if (client.fd() < 0) continue;
      waits.push_back({client.fd(), POLLIN, 0});
      whose.emplace_back(nullptr, &client);
    }
    if (waits.size() == listening) break;
    ::poll(waits.data(), waits.size(), static_cast<int>(kAgain.count()) / 2);
    for (std::size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents == 0) continue;
      if (whose[i].first != nullptr) {
        whose[i].first->serve(waits[i].fd);
      } else {
        whose[i].second->read();
      }
    }
  }
  std::vector<KnockAnswer> answers;
  for (const Client& client : clients) answers.push_back(client.answer());
  return answers;
}

}  // namespace unicni::test
