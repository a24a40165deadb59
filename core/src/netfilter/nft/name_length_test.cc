// Names of nftables' objects may have any length where they come from: those that can't be are
// refused, or nobody's.
#include <gtest/gtest.h>
#include <linux/netfilter.h>

#include <chrono>
#include <string>
#include <vector>

#include "net/message_buffer.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/owned.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/rule.h"
#include "unicni/error.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/netfilter/iptables_firewall_removal.h"

namespace unicni::net::name_length_test {
namespace {

constexpr std::size_t kLengths[] = {0,     1,     15,    16,    127,    128,   254,
                                    255,   256,   257,   511,   512,    988,   2000,
                                    65530, 65531, 65532, 65536, 131072, 200000};

TEST(NftName, HasALimit) {
  for (const std::size_t length : kLengths) {
    const std::string name(length, 'n');
    const bool possible = length >= 1 && length <= 255;
    EXPECT_EQ(is_nft_name(name), possible) << length;
    const auto make = [&] {
      MessageBuffer buffer;
      NftRule rule(name, "filter");
      rule.counter().jump(name);
      rule.put(buffer.add(0, 0, 1024));
    };
    if (possible) {
      EXPECT_NO_THROW(make()) << length;
    } else {
      EXPECT_THROW(make(), Error) << length;
    }
  }
  EXPECT_FALSE(is_nft_name(std::string_view("a\0b", 3)));
}

class NameLengthTest : public PrivateNetnsTest {};

TEST_F(NameLengthTest, ANameThatIsImpossibleIsNobodys) {
  shell("iptables-nft -P FORWARD DROP; iptables-nft -N CNI-FORWARD");
  Nft nft;
  nft.add({forward_element("br0", IpAddress::parse("10.1.0.5").value(), "net/c1/eth0")}, {});
  nft.remove({forward_element("br0", IpAddress::parse("10.1.0.5").value(), "net/c1/eth0")});
  const std::vector<IpAddress> addresses{IpAddress::parse("10.1.0.5").value()};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  for (const std::size_t length : kLengths) {
    SCOPED_TRACE(length);
    const std::string name(length, 'n');
    EXPECT_EQ(remove_iptables_firewall(nft, addresses, name, {}, deadline), 0U);
    EXPECT_NO_THROW(remove_idle_forward_gate(nft, name));
    const auto found = find_chains(nft.socket(), {{NFPROTO_IPV4, name, "FORWARD"},
                                                  {NFPROTO_IPV4, "filter", "FORWARD"},
                                                  {NFPROTO_IPV4, "filter", name}});
    EXPECT_FALSE(found[0]);
    EXPECT_TRUE(found[1]) << "the others are found all the same";
    EXPECT_FALSE(found[2]);
    EXPECT_TRUE(list_rules(nft.socket(), {NFPROTO_IPV4, "filter", name}).empty());
    EXPECT_EQ(nft.find(name, "key"), std::nullopt);
    EXPECT_EQ(nft.find("masq4", name), std::nullopt);
    EXPECT_TRUE(nft.list(name).empty());
  }
}

}  // namespace
}  // namespace unicni::net::name_length_test
