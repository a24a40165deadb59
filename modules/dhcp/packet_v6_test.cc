#include "packet_v6.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ip_for_test.h"

namespace unicni::dhcp::packet_v6_test {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Bytes with(Bytes head, std::initializer_list<Bytes> parts) {
  for (const Bytes& part : parts) append(head, part);
  return head;
}
Bytes option(std::uint16_t code, const Bytes& value) {
  Bytes bytes;
  put16(bytes, code);
  put16(bytes, static_cast<std::uint32_t>(value.size()));
  append(bytes, value);
  return bytes;
}
const Bytes kReply{7, 0xab, 0xcd, 0xef};
const Bytes kTimes{0, 0, 0, 9, 0, 0, 0, 5, 0, 0, 0, 8};
const Bytes kAddress{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0,  0, 0, 0, 0,
                     0,    0, 0,   9,    0, 0, 0, 10, 0, 0, 0, 20};

PacketV6 packet() {
  PacketV6 packet;
  packet.type = MessageTypeV6::reply;
  packet.xid = 0xabcdef;
  packet.client = {0, 4, 1};
  packet.server = {0, 1, 2};
  packet.associations = {
      {1, 5, 8, {{ip("2001:db8::9"), 10, 20, StatusV6{0, "fine"}}, {ip("2001:db8::a"), 1, 2}}},
      {2, 0, 0, {}, StatusV6{2, "none left"}}};
  packet.requested = {23, 24};
  packet.preference = 255;
  packet.elapsed = 1234;
  packet.status = StatusV6{4, ""};
  packet.rapid_commit = true;
  packet.options = {{23, Bytes(16, 1)}, {99, {}}};
  return packet;
}

std::optional<PacketV6> decoded(const Bytes& bytes) {
  std::string problem;
  auto packet = decode_v6(bytes, problem);
  EXPECT_EQ(packet.has_value(), problem.empty());
  return packet;
}

TEST(PacketV6, IsReadAsItWasWritten) { EXPECT_EQ(decoded(encode(packet())), packet()); }

TEST(PacketV6, HasTheFormOfTheRfc) {
  PacketV6 solicit;
  solicit.xid = 0x1234567;  // 24 bits of it
  solicit.client = {0, 4, 7};
  solicit.associations = {{.id = 9}};
  solicit.elapsed = 1;
  solicit.rapid_commit = true;
  EXPECT_EQ(encode(solicit), (Bytes{1, 0x23, 0x45, 0x67, 0, 1, 0, 3, 0, 4, 7,                 //
                                    0, 3,    0,    12,   0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0,  //
                                    0, 8,    0,    2,    0, 1,                                //
                                    0, 14,   0,    0}));
}

TEST(PacketV6, ALengthThatLiesAtAnyDepthSpoilsTheMessage) {
  const Bytes whole = encode(packet());
  int refused = 0;
  for (std::size_t i = 4; i < whole.size(); ++i) {
    // Cut inside an option; between two of them a shorter message is whole.
    if (!decoded(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(i)))) ++refused;
  }
  EXPECT_GE(refused, static_cast<int>(whole.size()) - 4 - 12);
  const Bytes lie{0, 5, 0, 90};
  EXPECT_FALSE(decoded(with(kReply, {{0, 3, 0, 90}})));
  EXPECT_FALSE(decoded(with(kReply, {option(3, with(kTimes, {lie}))})));
  const Bytes status_lies{0, 13, 0, 3, 0, 1};
  EXPECT_FALSE(
      decoded(with(kReply, {option(3, with(kTimes, {option(5, with(kAddress, {status_lies}))}))})));
  EXPECT_TRUE(decoded(with(kReply, {option(3, with(kTimes, {option(5, kAddress)}))})));
}

TEST(PacketV6, ValuesHaveTheirSize) {
  for (const auto& [code, value] : std::vector<std::pair<std::uint16_t, Bytes>>{{1, {0, 4}},
                                                                                {1, Bytes(131)},
                                                                                {2, {}},
                                                                                {3, Bytes(11)},
                                                                                {6, Bytes(3)},
                                                                                {7, {}},
                                                                                {7, Bytes(2)},
                                                                                {8, Bytes(1)},
                                                                                {13, Bytes(1)},
                                                                                {14, Bytes(1)}}) {
    EXPECT_FALSE(decoded(with(kReply, {option(code, value)}))) << code << ' ' << value.size();
  }
  EXPECT_FALSE(decoded(with(kReply, {option(3, with(kTimes, {option(5, Bytes(23))}))})));
}

TEST(PacketV6, WhatIsNoMessageOfClientOrServerIsRefused) {
  EXPECT_FALSE(decoded({}));
  EXPECT_FALSE(decoded({7, 0, 0}));
  EXPECT_FALSE(decoded({0, 0, 0, 0}));
  EXPECT_FALSE(decoded({12, 0, 0, 0})) << "RELAY-FORW";
  EXPECT_TRUE(decoded({7, 0, 0, 0}));
}

TEST(PacketV6, OfAnOptionThatStandsTwiceTheFirstCounts) {
  const auto read = decoded(
      with(kReply, {option(2, {1, 2, 3}), option(2, {4, 5, 6}), option(7, {1}), option(7, {2}),
                    option(13, {0, 1}), option(13, {0, 2}), option(23, {1}), option(23, {2})}));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->server, ElementsAre(1, 2, 3));
  EXPECT_EQ(read->preference, 1);
  EXPECT_EQ(read->status->code, 1);
  EXPECT_THAT(*read->find(OptionCodeV6::dns_servers), ElementsAre(1));
}

TEST(PacketV6, AMappedAddressIsNoneThatAServerGives) {
  Bytes mapped(24);
  mapped[10] = mapped[11] = 0xff;
  const auto read =
      decoded(with(kReply, {option(3, with(kTimes, {option(5, mapped), option(5, kAddress)}))}));
  ASSERT_TRUE(read);
  EXPECT_THAT(read->associations[0].addresses, SizeIs(1));
}

TEST(PacketV6, AStatusIsToldByItsNameAndItsPrintableWords) {
  EXPECT_EQ(describe({2, "pool is empty"}), "NoAddrsAvail: pool is empty");
  EXPECT_EQ(describe({3, ""}), "NoBinding");
  EXPECT_EQ(describe({4, "line\nbreak"}), "NotOnLink");
  EXPECT_EQ(describe({77, "x"}), "status 77: x");
}

}  // namespace
}  // namespace unicni::dhcp::packet_v6_test
