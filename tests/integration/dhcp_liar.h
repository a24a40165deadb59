// A server that says what a test wants it to say.
#pragma once

#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>

#include "integration/dhcp_host.h"

namespace unicni::test {

using DhcpBytes = std::vector<std::uint8_t>;

/// Answers each message on a link of a namespace with what `answer` makes of it.
class Liar {
 public:
  using Answer = std::function<DhcpBytes(const DhcpBytes& request)>;
  Liar(int netns, Answer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this, netns] {
      if (::setns(netns, CLONE_NEWNET) == 0) serve();
    });
    EXPECT_TRUE(soon([&] { return ready_.load(); }));
  }
  ~Liar() {
    ends_ = true;
    thread_.join();
  }

 private:
  void serve() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "far", 3);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(67);
    ready_ = ::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0;
    while (!ends_) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 20) != 1) continue;
      DhcpBytes request(2000);
      const ssize_t size = ::recv(fd, request.data(), request.size(), 0);
      if (size < 240) continue;
      request.resize(static_cast<std::size_t>(size));
      const DhcpBytes reply = answer_(request);
      sockaddr_in to = own;
      to.sin_port = htons(68);
      to.sin_addr.s_addr = INADDR_BROADCAST;
      ::sendto(fd, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof to);
    }
    ::close(fd);
  }
  Answer answer_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

/// A reply to the request that offers 10.1.2.50, with these options behind its type and server.
inline DhcpBytes reply_to(const DhcpBytes& request, std::uint8_t type, const DhcpBytes& options) {
  DhcpBytes reply(request.begin(), request.begin() + 240);
  reply[0] = 2;
  const DhcpBytes yours{10, 1, 2, 50};
  std::copy(yours.begin(), yours.end(), reply.begin() + 16);
  const DhcpBytes head{53, 1, type, 54, 4, 10, 1, 2, 1, 51, 4, 0, 0, 0, 60};
  reply.insert(reply.end(), head.begin(), head.end());
  reply.insert(reply.end(), options.begin(), options.end());
  return reply;
}

/// 2 for a DISCOVER, 5 for a REQUEST.
inline std::uint8_t answer_type(const DhcpBytes& request) {
  return request.size() > 242 && request[242] == 1 ? 2 : 5;
}

inline const DhcpBytes kMask{1, 4, 255, 255, 255, 0};

/// The acknowledgement of 10.1.2.50/24, or its offer, with more options.
inline DhcpBytes reply_with(const DhcpBytes& request, const DhcpBytes& more) {
  DhcpBytes options = kMask;
  options.insert(options.end(), more.begin(), more.end());
  return reply_to(request, answer_type(request), options);
}

}  // namespace unicni::test
