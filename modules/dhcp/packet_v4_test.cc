#include "packet_v4.h"

#include <gtest/gtest.h>

namespace unicni::dhcp::packet_v4_test {
namespace {

Packet discover() {
  Packet packet;
  packet.xid = 0x01020304;
  packet.secs = 7;
  packet.broadcast = true;
  packet.chaddr = *Mac::parse("02:00:00:00:00:01");
  packet.set(OptionCode::message_type, {1});
  packet.set(OptionCode::client_id, {0, 'c', '1'});
  return packet;
}

/// An empty reply with these bytes where options stand.
Bytes reply_with(const Bytes& options) {
  Packet packet = discover();
  packet.is_reply = true;
  packet.options.clear();
  Bytes bytes = encode(packet);
  bytes.resize(240);
  append(bytes, options);
  return bytes;
}

std::optional<Packet> read(const Bytes& bytes) {
  std::string problem;
  auto packet = decode(bytes, problem);
  EXPECT_EQ(packet.has_value(), problem.empty()) << problem;
  return packet;
}

std::string problem_of(const Bytes& bytes) {
  std::string problem;
  EXPECT_FALSE(decode(bytes, problem).has_value());
  return problem;
}

TEST(PacketV4, HasTheFieldsOfRfc2131) {
  const Bytes bytes = encode(discover());
  ASSERT_EQ(bytes.size(), 300U);
  EXPECT_EQ(Bytes(bytes.begin(), bytes.begin() + 12),
            (Bytes{1, 1, 6, 0, 1, 2, 3, 4, 0, 7, 0x80, 0}));
  EXPECT_EQ(Bytes(bytes.begin() + 28, bytes.begin() + 35), (Bytes{2, 0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(Bytes(bytes.begin() + 236, bytes.begin() + 249),
            (Bytes{0x63, 0x82, 0x53, 0x63, 53, 1, 1, 61, 3, 0, 'c', '1', 255}));
}

TEST(PacketV4, IsReadAsItWasWritten) {
  Packet packet = discover();
  packet.is_reply = true;
  packet.ciaddr = *IpAddress::parse("10.0.0.1");
  packet.yiaddr = *IpAddress::parse("10.0.0.2");
  packet.giaddr = *IpAddress::parse("10.0.0.3");
  EXPECT_EQ(read(encode(packet)), packet);
}

TEST(PacketV4, LongValuesGoInPartsAndComeBackWhole) {
  Packet packet = discover();
  Bytes longer(600);
  for (std::size_t i = 0; i < longer.size(); ++i) longer[i] = static_cast<std::uint8_t>(i);
  packet.set(OptionCode::vendor_class, longer);
  EXPECT_EQ(read(encode(packet)), packet);
}

// RFC 3396 §8: parts of one option needn't follow each other.
TEST(PacketV4, PartsOfAnOptionArePutTogether) {
  const auto packet = read(reply_with({67, 2, 'a', 'b', 53, 1, 5, 67, 1, 'c', 255}));
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->options.at(67), (Bytes{'a', 'b', 'c'}));
  EXPECT_EQ(packet->type(), MessageType::ack);
}

TEST(PacketV4, OverloadedFieldsAreReadInTheOrderOfTheRfc) {
  Bytes bytes = reply_with({53, 1, 2, 52, 1, 3, 67, 1, 'a', 255});
  bytes[108] = 67;  // file
  bytes[109] = 1;
  bytes[110] = 'b';
  bytes[111] = 255;
  bytes[44] = 67;  // sname
  bytes[45] = 1;
  bytes[46] = 'c';
  bytes[47] = 255;
  EXPECT_EQ(read(bytes)->options.at(67), (Bytes{'a', 'b', 'c'}));
  EXPECT_EQ(read(bytes)->find(OptionCode::overload), nullptr);
  bytes[245] = 1;  // the file alone
  EXPECT_EQ(read(bytes)->options.at(67), (Bytes{'a', 'b'}));
}

TEST(PacketV4, AnOverloadInsideOfAnOverloadedFieldIsNoLoop) {
  Bytes bytes = reply_with({52, 1, 1, 255});
  bytes[108] = 52;
  bytes[109] = 1;
  bytes[110] = 3;
  bytes[111] = 255;
  bytes[44] = 67;
  bytes[45] = 1;
  bytes[46] = 'c';
  EXPECT_TRUE(read(bytes)->options.empty());
}

TEST(PacketV4, ALengthThatLeadsBeyondItsFieldIsRefused) {
  EXPECT_EQ(problem_of(reply_with({53, 1})), "an option is longer than the message");
  EXPECT_EQ(problem_of(reply_with({53, 2, 5})), "an option is longer than the message");
  EXPECT_EQ(problem_of(reply_with({53})), "an option is longer than the message");
  Bytes bytes = reply_with({52, 1, 1, 255});
  bytes[108] = 67;
  bytes[109] = 127;  // the field has 128 bytes, two of them are code and length
  EXPECT_EQ(problem_of(bytes), "an option is longer than the message");
  bytes[109] = 126;
  EXPECT_EQ(read(bytes)->options.at(67).size(), 126U);
}

TEST(PacketV4, TheEndMarkMayBeMissing) {
  EXPECT_EQ(read(reply_with({0, 0, 53, 1, 5}))->type(), MessageType::ack);
  EXPECT_TRUE(read(reply_with({}))->options.empty());
}

TEST(PacketV4, WhatIsNoDhcpOfEthernetIsRefused) {
  const Bytes good = reply_with({53, 1, 5, 255});
  for (std::size_t size = 0; size < 240; ++size) {
    EXPECT_EQ(problem_of(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))),
              "it is too short for DHCP");
  }
  for (const std::size_t at : {0U, 1U, 2U, 236U}) {
    Bytes bad = good;
    bad[at] = 9;
    EXPECT_NE(problem_of(bad), "") << at;
  }
}

TEST(PacketV4, ATypeIsOneByteFromOneToEight) {
  EXPECT_EQ(read(reply_with({53, 1, 0, 255}))->type(), std::nullopt);
  EXPECT_EQ(read(reply_with({53, 1, 9, 255}))->type(), std::nullopt);
  EXPECT_EQ(read(reply_with({53, 2, 5, 5, 255}))->type(), std::nullopt);
  EXPECT_EQ(read(reply_with({53, 0, 255}))->type(), std::nullopt);
  EXPECT_EQ(read(reply_with({255}))->type(), std::nullopt);
  EXPECT_STREQ(name_of(MessageType::nak), "NAK");
}

}  // namespace
}  // namespace unicni::dhcp::packet_v4_test
