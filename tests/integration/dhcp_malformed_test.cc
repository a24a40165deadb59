// What a server that lies can do to dhcp: nothing but no address.
#include <map>

#include "integration/dhcp_liar.h"

namespace unicni::test::dhcp_malformed_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Bytes = DhcpBytes;

class DhcpMalformed : public DhcpTest {
 protected:
  static Bytes with(const Bytes& request, const Bytes& more) { return reply_with(request, more); }
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
