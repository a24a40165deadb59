// What a DHCPv6 server that lies can do to dhcp: nothing but no address.
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>

#include <atomic>
#include <functional>
#include <map>

#include "integration/dhcp_v6_host.h"

namespace unicni::test::dhcp_v6_malformed_test {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}
Bytes option(std::uint8_t code, const Bytes& value) {
  return Bytes{0, code, 0, static_cast<std::uint8_t>(value.size())} + value;
}

/// What the client said of itself: its options 1 and 3.
struct Asked {
  std::uint8_t type = 0;
  Bytes xid;
  Bytes duid;
  Bytes iaid;
};
Asked read(const Bytes& request) {
  Asked asked{request[0], {request.begin() + 1, request.begin() + 4}, {}, {}};
  for (std::size_t at = 4; at + 4 <= request.size();) {
    const std::size_t size = request[at + 2] * 256U + request[at + 3];
    const auto value = request.begin() + static_cast<std::ptrdiff_t>(at) + 4;
    if (request[at + 1] == 1) asked.duid.assign(value, value + static_cast<std::ptrdiff_t>(size));
    if (request[at + 1] == 3) asked.iaid.assign(value, value + 4);
    at += 4 + size;
  }
  return asked;
}

const Bytes kAddress{0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50};
const Bytes kTimes{0, 0, 0, 60, 0, 0, 0, 60};  // preferred, valid
const Bytes kServer = option(2, {0, 1, 9});

/// ADVERTISE for a SOLICIT, REPLY for all else, with these options behind the identifiers.
Bytes reply_to(const Asked& asked, const Bytes& options) {
  const std::uint8_t type = asked.type == 1 ? 2 : 7;
  return Bytes{type} + asked.xid + option(1, asked.duid) + kServer + options;
}
Bytes association(const Asked& asked, const Bytes& inner) {
  return option(3, asked.iaid + Bytes{0, 0, 0, 20, 0, 0, 0, 40} + inner);
}
Bytes good(const Asked& asked, const Bytes& more = {}) {
  return reply_to(asked, association(asked, option(5, kAddress + kTimes)) + more);
}

/// Answers each message of a client on "far" with what `answer` makes of it.
class Liar {
 public:
  using Answer = std::function<Bytes(const Asked& asked)>;
  Liar(int netns, Answer answer) : answer_(std::move(answer)) {
    thread_ = std::thread([this, netns] {
      if (::setns(netns, CLONE_NEWNET) == 0) serve();
    });
    EXPECT_TRUE(soon([&] { return ready_.load(); }));
  }
  Liar(const Liar&) = delete;
  Liar& operator=(const Liar&) = delete;
  ~Liar() {
    ends_ = true;
    thread_.join();
  }
  [[nodiscard]] int heard(std::uint8_t type) const { return heard_.at(type); }

 private:
  void serve() {
    const int fd = ::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 own{};
    own.sin6_family = AF_INET6;
    own.sin6_port = htons(547);
    ipv6_mreq group{};
    ::inet_pton(AF_INET6, "ff02::1:2", &group.ipv6mr_multiaddr);
    group.ipv6mr_interface = ::if_nametoindex("far");
    ready_ = ::bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) == 0 &&
             ::setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group) == 0;
    while (!ends_) {
      pollfd wait{fd, POLLIN, 0};
      if (::poll(&wait, 1, 20) != 1) continue;
      Bytes request(2000);
      sockaddr_in6 from{};
      socklen_t size_of_from = sizeof from;
      const ssize_t size = ::recvfrom(fd, request.data(), request.size(), 0,
                                      reinterpret_cast<sockaddr*>(&from), &size_of_from);
      if (size < 4) continue;
      request.resize(static_cast<std::size_t>(size));
      const Asked asked = read(request);
      if (asked.type < heard_.size()) ++heard_.at(asked.type);
      const Bytes reply = answer_(asked);
      ::sendto(fd, reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from),
               size_of_from);
    }
    ::close(fd);
  }
  Answer answer_;
  std::array<std::atomic<int>, 12> heard_{};
  std::atomic<bool> ready_{false};
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

class DhcpV6Malformed : public DhcpV6Test {
 protected:
  DhcpServer v4_ = dnsmasq_v4();  // for the other half
};

TEST_F(DhcpV6Malformed, RepliesThatAreNoneGiveNoAddressAndEndNobody) {
  const std::map<std::string, Liar::Answer> lies{
      {"cut off",
       [](const Asked& a) {
         Bytes reply = good(a);
         reply.resize(reply.size() - 3);
         return reply;
       }},
      {"three bytes",
       [](const Asked& a) { return Bytes{7} + Bytes(a.xid.begin(), a.xid.begin() + 2); }},
      {"an option longer than the message",
       [](const Asked& a) {
         return good(a, Bytes{0, 23, 1, 0, 1});
       }},
      {"an option longer than its IA_NA",
       [](const Asked& a) {
         return reply_to(a, association(a, Bytes{0, 5, 0, 90} + kAddress));
       }},
      {"another's transaction",
       [](const Asked& a) {
         Bytes reply = good(a);
         reply[3] ^= 1U;
         return reply;
       }},
      {"another's DUID",
       [](const Asked& a) {
         Asked other = a;
         other.duid.back() ^= 1U;
         return good(other);
       }},
      {"another's IAID",
       [](const Asked& a) {
         Asked other = a;
         other.iaid.back() ^= 1U;
         return good(other);
       }},
      {"no server",
       [](const Asked& a) {
         const std::uint8_t type = a.type == 1 ? 2 : 7;
         return Bytes{type} + a.xid + option(1, a.duid) +
                association(a, option(5, kAddress + kTimes));
       }},
      {"no address", [](const Asked& a) { return reply_to(a, association(a, {})); }},
      {"a link-local address",
       [](const Asked& a) {
         Bytes address = kAddress;
         address[0] = 0xfe;
         address[1] = 0x80;
         return reply_to(a, association(a, option(5, address + kTimes)));
       }},
      {"a time that contradicts itself", [](const Asked& a) {
         return reply_to(a, association(a, option(5, kAddress + Bytes{0, 0, 0, 61, 0, 0, 0, 60})));
       }}};
  int daemon = 0;
  for (const auto& [name, lie] : lies) {
    SCOPED_TRACE(name);
    const Liar liar(outside_.fd(), lie);
    const Attachment job = attachment(config_v6("required", R"({"ipam": {"timeout": 1}})"), "c1");
    const Json error = expect_error(job.add(), 11);
    EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("no IPv6 address from DHCP for eth0"));
    EXPECT_GE(liar.heard(1), 1);
    ASSERT_THAT(dhcp_daemons(), SizeIs(1));
    if (daemon == 0) daemon = dhcp_daemons()[0];
    EXPECT_EQ(dhcp_daemons()[0], daemon);
    EXPECT_TRUE(files_in(kLeases).empty());
    containers_.remove_if([](const Container& each) { return each.name() == "c1"; });
  }
}

TEST_F(DhcpV6Malformed, ValuesThatAreNoneAreLeftOutAndTheAddressIsGood) {
  const Liar liar(outside_.fd(), [](const Asked& asked) {
    return good(asked, option(23, Bytes(17)) + option(24, {1, 'a', 0xc0, 0}));
  });
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  EXPECT_EQ(address_v6_in(result), "2001:db8:1::50/128");
  EXPECT_EQ(result.value("dns", Json::object()), Json::object());
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return liar.heard(8) == 1; })) << "RELEASE";
}

TEST_F(DhcpV6Malformed, ABrokenAnswerIsNamedWithItsSender) {
  const Liar liar(outside_.fd(), [](const Asked& a) { return good(a, Bytes{0, 23, 1, 0, 1}); });
  const Attachment job = attachment(config_v6("required", R"({"ipam": {"timeout": 1}})"));
  const Json error = expect_error(job.add(), 11);
  EXPECT_THAT(error["msg"].get<std::string>(),
              HasSubstr("an answer that is not valid came from fe80:"));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("an option has a wrong length"));
}

TEST_F(DhcpV6Malformed, ARefusalOfEveryRequestIsToldWithItsServerAndItsWords) {
  const Liar liar(outside_.fd(), [](const Asked& asked) {
    if (asked.type == 1) return good(asked);
    return reply_to(asked, option(13, {0, 4, 'w', 'r', 'o', 'n', 'g', ' ', 'n', 'e', 't'}));
  });
  const Attachment job = attachment(config_v6("required", R"({"ipam": {"timeout": 2}})"));
  const Json error = expect_error(job.add(), 11);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("NotOnLink: wrong net"));
}

TEST_F(DhcpV6Malformed, AServerThatKnowsNothingOfTheLeaseIsAskedForTheSameAddressAnew) {
  const Liar liar(outside_.fd(), [](const Asked& asked) {
    if (asked.type == 5) return reply_to(asked, association(asked, option(13, {0, 3})));
    return reply_to(asked, option(3, asked.iaid + Bytes{0, 0, 0, 1, 0, 0, 0, 40} +
                                         option(5, kAddress + kTimes)));
  });
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  const std::string first = field("v6.expires");
  EXPECT_TRUE(soon([&] { return field("v6.expires") != first; }));
  EXPECT_EQ(liar.heard(3), 2) << "REQUEST";
  EXPECT_THAT(global_addresses(job),
              ::testing::ElementsAre(address_in(result), "2001:db8:1::50/128"));
  expect_silent_success(job.check(result));
}

TEST_F(DhcpV6Malformed, AnotherAddressAtRenewalMovesTheInterfaceAndCheckGoesByIt) {
  const Liar liar(outside_.fd(), [](const Asked& asked) {
    Bytes address = kAddress;
    if (asked.type == 5) address.back() = 0x51;
    return reply_to(asked, option(3, asked.iaid + Bytes{0, 0, 0, 1, 0, 0, 0, 40} +
                                         option(5, address + kTimes)));
  });
  const Attachment job = attachment(config_v6("required"));
  const Json result = must_add(job);
  EXPECT_EQ(address_v6_in(result), "2001:db8:1::50/128");
  EXPECT_TRUE(soon([&] {
    const auto now = global_addresses(job);
    return now == std::vector<std::string>{address_in(result), "2001:db8:1::51/128"};
  }));
  expect_silent_success(job.check(result));
  tool({"ip", "addr", "del", "2001:db8:1::51/128", "dev", "eth0"}, netns(job));
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("has for it by now, is missing"));
  expect_silent_success(job.del(result));
}

}  // namespace
}  // namespace unicni::test::dhcp_v6_malformed_test
