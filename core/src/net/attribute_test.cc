// Text of any length becomes an attribute that fits, or an error; never a byte too far.
#include "net/attribute.h"

#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <array>

#include "net/message_buffer.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLengths[] = {0,     1,     15,    16,    127,    128,   254,
                                    255,   256,   257,   511,   512,    988,   2000,
                                    65530, 65531, 65532, 65536, 131072, 200000};

TEST(AttributeTest, LooksAsTheKernelWantsIt) {
  alignas(nlmsghdr) std::array<char, 256> memory;
  memory.fill('\xff');
  auto* message = reinterpret_cast<nlmsghdr*>(memory.data());
  start_message(message, memory.size());
  put_header<ifinfomsg>(message).ifi_index = 7;
  put_text(message, IFLA_IFNAME, "eth0");
  {
    const Nest nest(message, IFLA_LINKINFO);
    put_u8(message, 1, 0x11);
    put_u16(message, 2, 0x2222);
    put_u32(message, 3, 0x33333333);
    put_u64(message, 4, 0x4444444444444444);
  }
  finish_message(message);
  EXPECT_EQ(message->nlmsg_pid, 0U);
  EXPECT_EQ(message->nlmsg_len, 16U + 16U + 12U + 4U + 8U + 8U + 8U + 12U);
  std::vector<std::uint16_t> types;
  for_each_attribute(message, sizeof(ifinfomsg), [&](std::uint16_t type, const nlattr* attribute) {
    types.push_back(type);
    if (type == IFLA_IFNAME) {
      EXPECT_EQ(text_of(attribute), "eth0");
      EXPECT_EQ(attribute->nla_len, 4U + 5U);
    }
    if (type != IFLA_LINKINFO) return;
    EXPECT_NE(attribute->nla_type & NLA_F_NESTED, 0);
    for_each_attribute(attribute, [&](std::uint16_t part, const nlattr* inner) {
      types.push_back(part);
      if (part != 4) return;
      EXPECT_EQ(value_of<std::uint64_t>(inner), 0x4444444444444444U);
    });
  });
  EXPECT_THAT(types, testing::ElementsAre(IFLA_IFNAME, IFLA_LINKINFO, 1, 2, 3, 4));
  EXPECT_EQ(memory[message->nlmsg_len], '\xff') << "nothing behind the end";
}

TEST(AttributeTest, NothingRunsOverTheEnd) {
  for (const std::size_t room : {16U, 20U, 64U, 640U, 1024U}) {
    for (const std::size_t length : kLengths) {
      std::vector<char> memory(room + 64, '\x5a');
      auto* message = reinterpret_cast<nlmsghdr*>(memory.data());
      start_message(message, room);
      const std::string text(length, 'x');
      const bool fits = 16 + NLMSG_ALIGN(4 + length + 1) <= room;
      try {
        put_text(message, 1, text);
        EXPECT_TRUE(fits) << room << ' ' << length;
      } catch (const Error& error) {
        EXPECT_FALSE(fits) << room << ' ' << length;
        EXPECT_THAT(error.msg(), HasSubstr("netlink message"));
        EXPECT_EQ(message->nlmsg_len, 16U) << "as it was";
      }
      for (std::size_t at = room; at < memory.size(); ++at) ASSERT_EQ(memory[at], '\x5a');
    }
  }
}

TEST(AttributeTest, ABufferTakesWhatFitsIntoEachMessage) {
  MessageBuffer buffer;
  put_text(buffer.add(1, 0, 64), 1, std::string(43, 'a'));
  nlmsghdr* full = buffer.add(2, 0, 64);
  EXPECT_THROW(put_text(full, 1, std::string(44, 'b')), Error);
  put_u32(full, 1, 2);
  put_text(buffer.add(3, 0, 64), 1, "c");
  const std::vector<std::size_t> second{1};
  buffer.drop(second);
  EXPECT_EQ(buffer.count(), 2U);
  const auto bytes = buffer.bytes();
  EXPECT_EQ(bytes.size(), 64U + 24U);
  EXPECT_EQ(buffer.last()->nlmsg_type, 3);
  EXPECT_EQ(buffer.last()->nlmsg_pid, 0U);
}

class LengthsTest : public PrivateNetnsTest {};

/// Looking a link up by ioctl, a longer name is not that of the link that it begins with.
TEST_F(LengthsTest, ALongNameIsNotTheLinkThatItBeginsWith) {
  shell("ip link add abcdefghijklmno type bridge");
  Netlink links;
  EXPECT_GT(get_link_index(links, "abcdefghijklmno"), 0);
  EXPECT_THROW(get_link_index(links, "abcdefghijklmnop"), Error);
  EXPECT_FALSE(find_link(links, std::string("abcdefghijklmno\0x", 17)));
  for (const std::size_t length : kLengths) {
    if (length <= 15) continue;
    EXPECT_FALSE(find_link(links, std::string(length, 'n')));
    EXPECT_THROW(get_link_index(links, std::string(length, 'n')), Error);
  }
}

}  // namespace
}  // namespace unicni::net
