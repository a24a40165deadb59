#include "support/traffic.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "support/process.h"

namespace unicni::test {

namespace {

/// A socket belongs for ever to the namespace that it was made in.
int socket_in(int netns, int family, int type = SOCK_DGRAM) {
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::setns(netns, CLONE_NEWNET), 0) << std::strerror(errno);
  const int fd = ::socket(family, type | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::setns(home, CLONE_NEWNET), 0) << std::strerror(errno);
  ::close(home);
  return fd;
}

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

Endpoint endpoint(const std::string& address, int port) {
  Endpoint result;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    result.size = sizeof *v4;
  } else {
    ::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<std::uint16_t>(port));
    result.size = sizeof *v6;
  }
  return result;
}

std::string address_text(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text,
                sizeof text);
  } else {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text,
                sizeof text);
  }
  return text;
}

}  // namespace

std::string source_seen(int from_netns, int to_netns, const std::string& to_address, int port) {
  const Endpoint to = endpoint(to_address, port);
  const int server = socket_in(to_netns, to.storage.ss_family);
  const int client = socket_in(from_netns, to.storage.ss_family);
  EXPECT_EQ(::bind(server, to.get(), to.size), 0) << to_address << ": " << std::strerror(errno);
  EXPECT_EQ(::sendto(client, "?", 1, 0, to.get(), to.size), 1) << std::strerror(errno);
  std::string source;
  pollfd wait{server, POLLIN, 0};
  if (::poll(&wait, 1, 2000) == 1) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    char byte = 0;
    if (::recvfrom(server, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size) == 1) {
      source = address_text(from);
    }
  }
  ::close(server);
  ::close(client);
  return source;
}

bool pings(int netns, const std::string& address) {
  return succeeds({"ping", "-n", "-c", "1", "-W", "2", address}, netns);
}

double first_packet_ms(int from_netns, int to_netns, const std::string& to_address, int port) {
  using Clock = std::chrono::steady_clock;
  constexpr double kAtMost = 2000;
  const Endpoint to = endpoint(to_address, port);
  const int server = socket_in(to_netns, to.storage.ss_family);
  const int client = socket_in(from_netns, to.storage.ss_family);
  EXPECT_EQ(::bind(server, to.get(), to.size), 0) << to_address << ": " << std::strerror(errno);
  const auto start = Clock::now();
  const auto passed = [&] {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  double result = kAtMost;
  while (passed() < kAtMost) {
    static_cast<void>(::sendto(client, "?", 1, 0, to.get(), to.size));
    pollfd wait{server, POLLIN, 0};
    if (::poll(&wait, 1, 1) == 1) {
      result = passed();
      break;
    }
  }
  ::close(server);
  ::close(client);
  return result;
}

namespace {

/// Bytes that arrive between the first second and the third, a second.
double receive_steadily(int connection) {
  using std::chrono::duration;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::vector<char> buffer(1U << 18U);
  double begun = 0;
  double bytes = 0;
  for (;;) {
    const ssize_t got = ::recv(connection, buffer.data(), buffer.size(), 0);
    const double now = elapsed();
    if (got <= 0) return 0;
    if (begun == 0) {
      if (now >= 1) begun = now;
      continue;
    }
    bytes += static_cast<double>(got);
    if (now - begun >= 2) return bytes / (now - begun);
  }
}

}  // namespace

double tcp_rate(int from_netns, int to_netns, const std::string& to_address, int port) {
  constexpr double kPayload = 1448;  // of a full packet: MTU 1500 without IPv4 and TCP headers
  constexpr double kFrame = 1514;
  const Endpoint to = endpoint(to_address, port);
  const int server = socket_in(to_netns, to.storage.ss_family, SOCK_STREAM);
  const int client = socket_in(from_netns, to.storage.ss_family, SOCK_STREAM);
  EXPECT_EQ(::bind(server, to.get(), to.size), 0) << to_address << ": " << std::strerror(errno);
  EXPECT_EQ(::listen(server, 1), 0) << std::strerror(errno);
  double rate = 0;
  if (::connect(client, to.get(), to.size) == 0) {
    const int connection = ::accept(server, nullptr, nullptr);
    std::thread sender([&] {
      const std::vector<char> data(1U << 16U);
      while (::send(client, data.data(), data.size(), MSG_NOSIGNAL) > 0) continue;
    });
    rate = receive_steadily(connection) * 8 * kFrame / kPayload;
    ::shutdown(connection, SHUT_RDWR);
    ::shutdown(client, SHUT_RDWR);
    sender.join();
    ::close(connection);
  }
  ::close(client);
  ::close(server);
  return rate;
}

}  // namespace unicni::test
