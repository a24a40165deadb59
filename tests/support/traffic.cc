#include "support/traffic.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

#include "support/process.h"

namespace unicni::test {

namespace {

/// A socket belongs for ever to the namespace that it was made in.
int socket_in(int netns, int family) {
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::setns(netns, CLONE_NEWNET), 0) << std::strerror(errno);
  const int fd = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
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

UdpSender::UdpSender(int netns, const std::string& to_address, int port) {
  const Endpoint to = endpoint(to_address, port);
  fd_ = socket_in(netns, to.storage.ss_family);
  EXPECT_EQ(::connect(fd_, to.get(), to.size), 0) << to_address << ": " << std::strerror(errno);
}

UdpSender::~UdpSender() { ::close(fd_); }

void UdpSender::send() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  EXPECT_EQ(::send(fd_, "?", 1, 0), 1) << std::strerror(errno);
}

UdpReceiver::UdpReceiver(int netns, int port) : fd_(socket_in(netns, AF_INET6)) {
  const Endpoint any = endpoint("::", port);
  EXPECT_EQ(::bind(fd_, any.get(), any.size), 0) << port << ": " << std::strerror(errno);
}

UdpReceiver::~UdpReceiver() { ::close(fd_); }

std::string UdpReceiver::source_of_next() {
  pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, 2000) != 1) return {};
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  char byte = 0;
  if (::recvfrom(fd_, &byte, 1, 0, reinterpret_cast<sockaddr*>(&from), &size) != 1) return {};
  const std::string source = address_text(from);
  constexpr const char* kMapped = "::ffff:";
  return source.starts_with(kMapped) && source.find('.') != std::string::npos
             ? source.substr(std::strlen(kMapped))
             : source;
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

using Clock = std::chrono::steady_clock;

constexpr std::size_t kFullPayload = 1472;  // of a UDP packet, IPv4 and MTU 1500
constexpr double kFullFrame = 1514;         // bytes

/// Two full packets every half of a millisecond until it is told to end.
class Blast {
 public:
  Blast(int socket, const Endpoint& to)
      : thread_([this, socket, &to] {
          const std::vector<char> data(kFullPayload);
          auto next = Clock::now();
          while (!ends_) {
            // What doesn't fit into the queue is lost, here or later: that is the test.
            for (int i = 0; i < 2; ++i) {
              static_cast<void>(
                  ::sendto(socket, data.data(), data.size(), MSG_DONTWAIT, to.get(), to.size));
            }
            next += std::chrono::microseconds(500);
            std::this_thread::sleep_until(next);
          }
        }) {}
  ~Blast() {
    ends_ = true;
    thread_.join();
  }
  Blast(const Blast&) = delete;
  Blast& operator=(const Blast&) = delete;

 private:
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

struct Sample {
  double packets = 0;
  Clock::time_point time;
};

Sample received_by(const std::string& link, int netns) {
  const auto before = Clock::now();
  const Json shown = tool_json({"ip", "-s", "-j", "link", "show", link}, netns);
  return {shown[0]["stats64"]["rx"]["packets"].get<double>(), before + (Clock::now() - before) / 2};
}

}  // namespace

double steady_rate(int from_netns, int to_netns, const std::string& to_address, int port,
                   const std::string& link) {
  const Endpoint to = endpoint(to_address, port);
  const int server = socket_in(to_netns, to.storage.ss_family);  // never read
  const int client = socket_in(from_netns, to.storage.ss_family);
  EXPECT_EQ(::bind(server, to.get(), to.size), 0) << to_address << ": " << std::strerror(errno);
  double rate = 0;
  {
    const Blast blast(client, to);
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const Sample first = received_by(link, to_netns);
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const Sample last = received_by(link, to_netns);
    const double seconds = std::chrono::duration<double>(last.time - first.time).count();
    rate = (last.packets - first.packets) * kFullFrame * 8 / seconds;
  }
  ::close(client);
  ::close(server);
  return rate;
}

}  // namespace unicni::test
