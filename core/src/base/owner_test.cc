#include "base/owner.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "unicni/attachment_key.h"

namespace unicni::owner_test {
namespace {

const std::string kLongNetwork(230, 'n');
const std::string kId(64, 'c');

TEST(Owner, OneThatFitsIsItself) {
  EXPECT_EQ((AttachmentKey{"net", "c1", "eth0"}).alias(), "net/c1/eth0");
  const AttachmentKey longest = AttachmentKey{std::string(185, 'n'), kId, "eth0"};
  ASSERT_EQ(longest.owner().size(), 255U);
  EXPECT_EQ(longest.alias(), longest.owner());
  EXPECT_EQ(owner_comment("net/c1/eth0"), "net/c1/eth0");
}

TEST(Owner, ContainersOfALongNetworkStayApart) {
  const AttachmentKey one = AttachmentKey{kLongNetwork, std::string(63, 'c') + '1', "eth0"};
  const AttachmentKey two = AttachmentKey{kLongNetwork, std::string(63, 'c') + '2', "eth0"};
  const AttachmentKey interface = AttachmentKey{kLongNetwork, one.container_id, "eth1"};
  EXPECT_NE(one.alias(), two.alias());
  EXPECT_NE(one.alias(), interface.alias());
  EXPECT_LE(one.alias().size(), 255U);
  EXPECT_TRUE(one.alias().ends_with("c1/eth0"));
  // As 0.1.0 had it they were the same.
  const std::string cut = one.owner().substr(0, 255);
  EXPECT_EQ(cut, two.owner().substr(0, 255));
  EXPECT_TRUE(one.may_be_cut_alias(cut));
  EXPECT_TRUE(two.may_be_cut_alias(cut));
  EXPECT_FALSE((AttachmentKey{"net", "c1", "eth0"}).may_be_cut_alias(cut));
  EXPECT_FALSE(one.may_be_cut_alias(one.alias()));
  EXPECT_FALSE(one.may_be_cut_alias(""));
}

TEST(Owner, AnAliasTellsItsNetwork) {
  for (const std::string& network : {std::string("net"), kLongNetwork, std::string(255, 'n')}) {
    const std::string alias = AttachmentKey{network, kId, "eth0"}.alias();
    EXPECT_TRUE(is_owner_alias(alias));
    EXPECT_TRUE(is_owner_alias_of(alias, network));
    EXPECT_FALSE(is_owner_alias_of(alias, network + 'n'));
    EXPECT_FALSE(is_owner_alias_of(alias, network.substr(1)));
    EXPECT_TRUE(is_same_owner(alias, owner_comment(network + '/' + kId + "/eth0")));
    EXPECT_FALSE(is_same_owner(alias, owner_comment(network + '/' + kId + "/eth1")));
  }
  for (const char* text : {"", "uplink", "0123456789abcdef~", "0123456789abcdef~a/b", "a/b"}) {
    EXPECT_FALSE(is_owner_alias(text)) << text;
  }
}

/// Every byte that a name may have, and every length: networks' and containers' names are of
/// letters, digits and "_.-", an interface's of anything but "/", ":" and blanks.
TEST(Owner, NoTwoLookTheSame) {
  std::mt19937 random(11);
  const auto name = [&](std::size_t most, bool of_interface) {
    static constexpr std::string_view kNames =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    std::string text(1, kNames[random() % 52]);
    for (std::size_t size = 1 + random() % most; text.size() < size;) {
      const char byte = static_cast<char>(random() % 256);
      const bool possible = byte != '\0' && byte != '/' && byte != ':' && byte != ' ' &&
                            !(byte >= '\t' && byte <= '\r');
      if (!of_interface) text += kNames[random() % kNames.size()];
      if (of_interface && possible) text += byte;
    }
    return text;
  };
  std::set<std::string> owners;
  std::set<std::string> comments;
  std::set<std::string> aliases;
  const auto put = [&](const std::string& network, const std::string& container,
                       const std::string& if_name) {
    const AttachmentKey made = AttachmentKey{network, container, if_name};
    if (!owners.insert(made.owner()).second) return;
    const std::string comment = owner_comment(made.owner());
    EXPECT_TRUE(comments.insert(comment).second) << made.owner();
    EXPECT_TRUE(aliases.insert(made.alias()).second) << made.owner();
    EXPECT_LE(comment.size(), 128U);
    EXPECT_LE(made.alias().size(), 255U);
    EXPECT_EQ(owner_comment(comment), comment);
    EXPECT_TRUE(is_owner_alias_of(made.alias(), network));
    EXPECT_TRUE(is_same_owner(made.alias(), comment));
    EXPECT_EQ(comment.find_first_of("\"\n"), std::string::npos);
    EXPECT_EQ(is_shortened_owner(comment), comment != made.owner());
  };
  for (int round = 0; round < 3000; ++round) {
    put(name(255, false), name(128, false), name(15, true));
  }
  // Each that differs from a long one in one byte, wherever that is.
  for (const std::size_t length : {100U, 128U, 200U, 255U}) {
    const std::string network(length, 'n');
    put(network, kId, "eth0");
    for (std::size_t at = 0; at < length; ++at) {
      std::string other = network;
      other[at] = 'o';
      put(other, kId, "eth0");
      put(network.substr(at) + 'x', kId, "eth0");
    }
    for (std::size_t at = 0; at < kId.size(); ++at) {
      std::string other = kId;
      other[at] = 'o';
      put(network, other, "eth0");
    }
    for (int byte = 1; byte < 256; ++byte) {
      put(network, kId, std::string("eth") + static_cast<char>(byte));
    }
  }
}

}  // namespace
}  // namespace unicni::owner_test
