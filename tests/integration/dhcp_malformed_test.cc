// What a server that lies can do to dhcp: nothing but no address.
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>

#include "integration/dhcp_host.h"

namespace unicni::test::dhcp_malformed_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Bytes = std::vector<std::uint8_t>;

/// Answers each message on a link of a namespace with what `answer` makes of it.
class Liar {
 public:
  using Answer = std::function<Bytes(const Bytes& request)>;
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
      Bytes request(2000);
      const ssize_t size = ::recv(fd, request.data(), request.size(), 0);
      if (size < 240) continue;
      request.resize(static_cast<std::size_t>(size));
      const Bytes reply = answer_(request);
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
Bytes reply_to(const Bytes& request, std::uint8_t type, const Bytes& options) {
  Bytes reply(request.begin(), request.begin() + 240);
  reply[0] = 2;
  const Bytes yours{10, 1, 2, 50};
  std::copy(yours.begin(), yours.end(), reply.begin() + 16);
  const Bytes head{53, 1, type, 54, 4, 10, 1, 2, 1, 51, 4, 0, 0, 0, 60};
  reply.insert(reply.end(), head.begin(), head.end());
  reply.insert(reply.end(), options.begin(), options.end());
  return reply;
}

/// 2 for a DISCOVER, 5 for a REQUEST.
std::uint8_t answer_type(const Bytes& request) {
  return request.size() > 242 && request[242] == 1 ? 2 : 5;
}

const Bytes kMask{1, 4, 255, 255, 255, 0};

class DhcpMalformed : public DhcpTest {
 protected:
  static Bytes with(const Bytes& request, const Bytes& more) {
    Bytes options = kMask;
    options.insert(options.end(), more.begin(), more.end());
    return reply_to(request, answer_type(request), options);
  }
};

TEST_F(DhcpMalformed, RepliesThatAreNoneGiveNoAddressAndEndNobody) {
  const std::map<std::string, Liar::Answer> lies{
      {"cut off", [](const Bytes& r) { return Bytes(r.begin(), r.begin() + 200); }},
      {"no cookie",
       [](const Bytes& r) {
         Bytes reply = with(r, {255});
         reply[236] = 0;
         return reply;
       }},
      {"an option longer than the message",
       [](const Bytes& r) {
         return with(r, {15, 200, 'x'});
       }},
      {"a length and nothing behind it", [](const Bytes& r) { return with(r, {15}); }},
      {"no type",
       [](const Bytes& r) {
         Bytes reply = with(r, {255});
         reply[240] = 99;
         return reply;
       }},
      {"another's transaction",
       [](const Bytes& r) {
         Bytes reply = with(r, {255});
         reply[4] ^= 1U;
         return reply;
       }},
      {"another's MAC",
       [](const Bytes& r) {
         Bytes reply = with(r, {255});
         reply[30] ^= 1U;
         return reply;
       }},
      {"no mask", [](const Bytes& r) { return reply_to(r, answer_type(r), {255}); }},
      {"a mask with holes",
       [](const Bytes& r) {
         return reply_to(r, answer_type(r), {1, 4, 255, 0, 255, 0, 255});
       }},
      {"no address", [](const Bytes& r) {
         Bytes reply = with(r, {255});
         std::fill_n(reply.begin() + 16, 4, 0);
         return reply;
       }}};
  int daemon = 0;
  for (const auto& [name, lie] : lies) {
    SCOPED_TRACE(name);
    const Liar liar(outside_.fd(), lie);
    const Attachment job = attachment(config(R"({"ipam": {"timeout": 1}})"), "c1");
    expect_error(job.add(), 11);
    ASSERT_THAT(dhcp_daemons(), SizeIs(1));
    if (daemon == 0) daemon = dhcp_daemons()[0];
    EXPECT_EQ(dhcp_daemons()[0], daemon);
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    containers_.remove_if([](const Container& each) { return each.name() == "c1"; });
  }
}

TEST_F(DhcpMalformed, ValuesThatAreNoneAreLeftOutAndTheAddressIsGood) {
  const Liar liar(outside_.fd(), [](const Bytes& request) {
    return with(request, {3,   3, 10,  1,   2,             // a router of three bytes
                          6,   5, 10,  1,   2,    3,   4,  // DNS servers of five
                          15,  4, 'a', ' ', ';',  'b',     // no domain name
                          26,  2, 0,   1,                  // an MTU of 1
                          119, 4, 1,   'a', 0xc0, 0,       // a name that leads round
                          121, 3, 99,  1,   2,             // a route with a prefix of 99
                          58,  4, 0,   0,   0,    90,      // T1 behind the end
                          255});
  });
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"], Json::parse(R"([{"address": "10.1.2.50/24", "interface": 0}])"));
  EXPECT_FALSE(result.contains("routes")) << result;
  EXPECT_EQ(result.value("dns", Json::object()), Json::object());
  EXPECT_EQ(result["interfaces"][0]["mtu"], 1500);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(DhcpMalformed, ARefusalOfEveryRequestIsToldWithItsServerAndItsWords) {
  const Liar liar(outside_.fd(), [](const Bytes& request) {
    const bool asks = answer_type(request) == 2;
    return asks ? with(request, {255})
                : reply_to(request, 6, {56, 9, 'w', 'r', 'o', 'n', 'g', ' ', 'n', 'e', 't', 255});
  });
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 2}})"));
  const Json error = expect_error(job.add(), 11);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("10.1.2.1 refused 10.1.2.50: wrong net"));
}

TEST_F(DhcpMalformed, ARefusedRenewalMovesTheInterfaceAtOnce) {
  std::atomic<int> refused{0};
  const Liar liar(outside_.fd(), [&](const Bytes& request) {
    const bool renews = request[12] != 0;  // ciaddr
    if (renews && refused++ == 0) return reply_to(request, 6, {255});
    // T1 is a second, T2 50.
    Bytes reply = with(request, {58, 4, 0, 0, 0, 1, 59, 4, 0, 0, 0, 50, 255});
    if (refused > 0) reply[19] = 51;
    return reply;
  });
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_EQ(address_in(result), "10.1.2.50/24");
  EXPECT_TRUE(soon([&] {
    return addresses_of("eth0", netns(job)) == std::vector<std::string>{"10.1.2.51/24"};
  }));
  EXPECT_GE(refused, 1);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

}  // namespace
}  // namespace unicni::test::dhcp_malformed_test
