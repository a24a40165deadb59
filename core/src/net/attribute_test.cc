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

namespace unicni::net::attribute_test {
namespace {

using testing::HasSubstr;

constexpr std::size_t kLengths[] = {0,     1,     15,    16,    127,    128,   254,
                                    255,   256,   257,   511,   512,    988,   2000,
                                    65530, 65531, 65532, 65536, 131072, 200000};

TEST(AttributeTest, LooksAsTheKernelWantsIt) {
  const auto owned = make_message(RTM_NEWLINK, NLM_F_CREATE, 256);
  nl_msg* message = owned.get();
  put_header<ifinfomsg>(message).ifi_index = 7;
  put_text(message, IFLA_IFNAME, "eth0");
  {
    const Nest nest(message, IFLA_LINKINFO);
    put_u8(message, 1, 0x11);
    put_u16(message, 2, 0x2222);
    put_u32(message, 3, 0x33333333);
    put_u64(message, 4, 0x4444444444444444);
  }
  const nlmsghdr* header = header_of(message);
  EXPECT_EQ(header->nlmsg_type, RTM_NEWLINK);
  EXPECT_EQ(header->nlmsg_flags, NLM_F_CREATE);
  EXPECT_EQ(header->nlmsg_pid, 0U);
  EXPECT_EQ(header->nlmsg_len, 16U + 16U + 12U + 4U + 8U + 8U + 8U + 12U);
  EXPECT_EQ(family_header<ifinfomsg>(header).ifi_index, 7);
  std::vector<std::uint16_t> types;
  for_each_attribute(header, sizeof(ifinfomsg), [&](std::uint16_t type, const nlattr* attribute) {
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
}

TEST(AttributeTest, PaddingIsZeroAlsoWhereAMessageStoodBefore) {
  const auto message = make_message(0, 0, 64);
  put_text(message.get(), 1, std::string(43, '\xff'));
  restart_message(message.get(), 7, 0);
  put_header<rtgenmsg>(message.get()).rtgen_family = 2;
  put_bytes(message.get(), 1, 3, "abc");
  put_text(message.get(), 2, "e");
  const nlmsghdr* header = header_of(message.get());
  EXPECT_EQ(header->nlmsg_type, 7);
  const std::string_view content(static_cast<const char*>(NLMSG_DATA(header)),
                                 header->nlmsg_len - 16U);
  constexpr std::string_view kWanted(
      "\2\0\0\0"
      "\7\0\1\0abc\0"
      "\6\0\2\0e\0\0\0",
      20);
  EXPECT_EQ(content, kWanted);
}

TEST(AttributeTest, ANestWithoutContentStays) {
  const auto message = make_message(0, 0, 64);
  { const Nest nest(message.get(), IFLA_LINKINFO); }
  EXPECT_EQ(header_of(message.get())->nlmsg_len, 20U);
  std::size_t seen = 0;
  for_each_attribute(header_of(message.get()), 0, [&](std::uint16_t type, const nlattr* nest) {
    EXPECT_EQ(type, IFLA_LINKINFO);
    EXPECT_TRUE(bytes_of(nest).empty());
    ++seen;
  });
  EXPECT_EQ(seen, 1U);
}

TEST(AttributeTest, NothingRunsOverTheEnd) {
  for (const std::size_t room : {16U, 20U, 64U, 640U, 1024U, 65535U}) {
    for (const std::size_t length : kLengths) {
      const auto owned = make_message(0, 0, room);
      const nlmsghdr* header = header_of(owned.get());
      const std::string text(length, 'x');
      const std::size_t whole = 4 + length + 1;
      const bool fits = whole <= 65535 && 16 + NLMSG_ALIGN(whole) <= NLMSG_ALIGN(room);
      for (const bool as_text : {true, false}) {
        restart_message(owned.get(), 0, 0);
        try {
          if (as_text) {
            put_text(owned.get(), 1, text);
          } else {
            put_bytes(owned.get(), 1, length + 1, text.c_str());
          }
          EXPECT_TRUE(fits) << room << ' ' << length;
          EXPECT_EQ(header->nlmsg_len, 16 + NLMSG_ALIGN(whole));
        } catch (const Error& error) {
          EXPECT_FALSE(fits) << room << ' ' << length;
          EXPECT_THAT(error.msg(), HasSubstr("netlink message"));
          EXPECT_EQ(header->nlmsg_len, 16U) << "as it was";
        }
      }
    }
  }
  EXPECT_THROW(make_message(0, 0, 65536), Error) << "lengths of attributes have 16 bits";
}

TEST(AttributeTest, HeadersAndNestsFitOrAreRefused) {
  const auto message = make_message(0, 0, 28);
  put_header<std::uint64_t>(message.get()) = 1;
  EXPECT_THROW(put_header<std::uint64_t>(message.get()), Error);
  {
    const Nest nest(message.get(), 1);
    EXPECT_THROW(Nest(message.get(), 2), Error);
  }
  EXPECT_EQ(header_of(message.get())->nlmsg_len, 28U);
}

TEST(AttributeTest, ABufferTakesWhatFitsIntoEachMessage) {
  MessageBuffer buffer;
  put_text(buffer.add(1, 0, 64), 1, std::string(43, 'a'));
  nl_msg* full = buffer.add(2, 0, 64);
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
}  // namespace unicni::net::attribute_test
