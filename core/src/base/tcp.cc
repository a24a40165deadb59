#include "unicni/sys/tcp.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys {
namespace {

class Connection {
 public:
  Connection(const IpAddress& server, std::uint16_t port, Deadline deadline)
      : name_(server.is_v4() ? fmt::format("{}:{}", server.str(), port)
                             : fmt::format("[{}]:{}", server.str(), port)),
        deadline_(deadline),
        fd_(::socket(server.is_v4() ? AF_INET : AF_INET6,
                     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    if (!fd_) throw failure("make a socket for", errno);
    if (int error = begin(server, port); error != 0) {
      if (error != EINPROGRESS) throw failure("connect to", error);
      wait(POLLOUT);
      socklen_t size = sizeof error;
      ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) throw failure("connect to", error);
    }
  }

  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      wait(POLLOUT);
      const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno != EINTR && errno != EAGAIN) {
        throw failure("send to", errno);
      }
    }
  }

  [[nodiscard]] std::string receive_all(std::size_t limit) const {
    std::string all;
    std::array<char, 4096> piece;
    for (;;) {
      wait(POLLIN);
      const auto got = ::recv(fd_.get(), piece.data(), piece.size(), 0);
      if (got == 0) return all;
      if (got > 0) {
        all.append(piece.data(), static_cast<std::size_t>(got));
        if (all.size() > limit) throw failure("receive from", EFBIG);
      } else if (errno != EINTR && errno != EAGAIN) {
        throw failure("receive from", errno);
      }
    }
  }

 private:
  /// 0, or errno.
  [[nodiscard]] int begin(const IpAddress& server, std::uint16_t port) const {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    void* const to = server.is_v4() ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr;
    std::memcpy(to, server.data(), server.size());
    const int result =
        server.is_v4() ? ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&v4), sizeof v4)
                       : ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
    return result == 0 ? 0 : errno;
  }

  void wait(short events) const {
    using std::chrono::milliseconds;
    for (;;) {
      const auto left = std::chrono::ceil<milliseconds>(deadline_ - Deadline::clock::now()).count();
      pollfd file{fd_.get(), events, 0};
      const int ready = ::poll(&file, 1, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
      if (ready > 0) return;
      if (ready == 0 && left <= 60'000) throw failure("wait for", ETIMEDOUT);
    }
  }

  [[nodiscard]] Error failure(const char* doing, int error) const {
    return {Code::try_again, system_error(error, fmt::format("{} server {}", doing, name_)).msg(),
            "look whether the server runs and whether this host reaches it"};
  }

  std::string name_;
  Deadline deadline_;
  Fd fd_;
};

}  // namespace

std::string ask_tcp(const IpAddress& server, std::uint16_t port, std::string_view request,
                    Deadline deadline, std::size_t limit) {
  const Connection connection(server, port, deadline);
  connection.send(request);
  return connection.receive_all(limit);
}

}  // namespace unicni::sys
