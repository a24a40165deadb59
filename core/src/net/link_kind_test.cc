#include "unicni/net/link_kind.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/if_link.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/dummy.h"
#include "unicni/net/ipvlan.h"
#include "unicni/net/link.h"
#include "unicni/net/macvlan.h"
#include "unicni/net/veth.h"
#include "unicni/net/vlan.h"

namespace unicni::net::link_kind_test {
namespace {

using testing::HasSubstr;

class LinkKindTest : public PrivateNetnsTest {
 protected:
  /// A veth in this namespace, as a parent; its index.
  static int make_parent(Netlink& netlink) {
    VethSpec spec;
    spec.name = "up0";
    spec.mac = Mac::parse("0a:58:00:00:00:01").value();
    spec.peer_name = "up0p";
    spec.peer_mac = Mac::parse("0a:58:00:00:00:02").value();
    Batch batch(netlink);
    add_veth(batch, spec);
    batch.commit();
    return get_link(netlink, "up0").index;
  }
  /// Commits; false: this kernel doesn't have the kind, and said so by name.
  static bool made(Batch& batch, const std::string& kind) {
    try {
      batch.commit();
      return true;
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), HasSubstr("create " + kind));
      EXPECT_THAT(error.msg(), HasSubstr("EOPNOTSUPP"));
      return false;
    }
  }
};

TEST_F(LinkKindTest, MacvlanIsBornInTheOtherNamespaceUnderItsName) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  LinkSpec spec;
  spec.name = "eth0";
  spec.mac = Mac::parse("0a:58:00:00:00:07").value();
  spec.mtu = 1400;
  spec.parent.index = make_parent(netlink);
  spec.netns = &inside;
  Batch batch(netlink);
  for (const auto mode : {MacvlanMode::bridge, MacvlanMode::private_, MacvlanMode::vepa}) {
    add_macvlan(batch, spec, mode, 2000);
    ASSERT_TRUE(made(batch, "macvlan"));
    const Link link = get_link(there, "eth0");
    EXPECT_EQ(link.kind, "macvlan");
    EXPECT_EQ(link.mac, *spec.mac);
    EXPECT_EQ(link.mtu, 1400U);
    EXPECT_EQ(link.iflink, spec.parent.index);
    EXPECT_TRUE(link.link_netnsid);
    EXPECT_EQ(find_macvlan_mode(there, "eth0"), mode);
    EXPECT_FALSE(find_vlan_id(there, "eth0"));
    EXPECT_FALSE(find_link(netlink, "eth0"));
    remove_link(there, link.index);
  }
}

// The name of the batch's own parent, which kernels before 6.15 take for the link to make.
TEST_F(LinkKindTest, WithAnIndexTheNameMayBeTakenWhereTheBatchIs) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  LinkSpec spec;
  spec.name = "up0";
  spec.parent.index = make_parent(netlink);
  spec.netns = &inside;
  spec.index = 40000;
  Batch batch(netlink);
  add_macvlan(batch, spec, MacvlanMode::bridge, 0);
  ASSERT_TRUE(made(batch, "macvlan"));
  EXPECT_EQ(get_link(there, "up0").index, 40000);
  EXPECT_EQ(get_link(netlink, "up0").kind, "veth");
}

TEST_F(LinkKindTest, ALinkBesideItsParentSaysSo) {
  Netlink netlink;
  LinkSpec spec;
  spec.name = "mac0";
  spec.parent.index = make_parent(netlink);
  Batch batch(netlink);
  add_macvlan(batch, spec, MacvlanMode::bridge, 0);
  ASSERT_TRUE(made(batch, "macvlan"));
  EXPECT_EQ(get_link(netlink, "mac0").iflink, spec.parent.index);
  EXPECT_FALSE(get_link(netlink, "mac0").link_netnsid);
}

TEST_F(LinkKindTest, TakenNameIsEexistAndNothingIsLeft) {
  Netlink netlink;
  LinkSpec spec;
  spec.name = "up0p";
  spec.parent.index = make_parent(netlink);
  Batch batch(netlink);
  add_macvlan(batch, spec, MacvlanMode::bridge, 0);
  EXPECT_THROW(batch.commit(), Error);
  EXPECT_EQ(get_link(netlink, "up0p").kind, "veth");
}

TEST_F(LinkKindTest, IpvlanVlanAndDummyWhereTheKernelHasThem) {
  Netlink netlink;
  LinkSpec spec;
  spec.parent.index = make_parent(netlink);
  Batch batch(netlink);
  spec.name = "ipv0";
  add_ipvlan(batch, spec, IpvlanMode::l3s);
  if (made(batch, "ipvlan")) {
    EXPECT_EQ(find_ipvlan_mode(netlink, "ipv0"), IpvlanMode::l3s);
    remove_link(netlink, get_link(netlink, "ipv0").index);
  }
  spec.name = "vlan7";
  add_vlan(batch, spec, 7);
  if (made(batch, "vlan")) {
    EXPECT_EQ(find_vlan_id(netlink, "vlan7"), 7);
  }
  LinkSpec dummy;
  dummy.name = "dum0";
  add_dummy(batch, dummy);
  if (made(batch, "dummy")) {
    EXPECT_EQ(get_link(netlink, "dum0").kind, "dummy");
  }
}

TEST_F(LinkKindTest, DataOfAnotherKindIsNone) {
  Netlink netlink;
  EXPECT_FALSE(find_macvlan_mode(netlink, "lo"));
}

TEST_F(LinkKindTest, AKindWithoutAHeaderHasItsValuesByNumber) {
  constexpr LinkKind kVxlan{"vxlan", "vxlan"};
  Netlink netlink;
  LinkSpec spec;
  spec.name = "vx0";
  Batch batch(netlink);
  add_link(
      batch, spec, kVxlan,
      {kind_value(IFLA_VXLAN_ID, std::uint32_t{42}), kind_value(IFLA_VXLAN_PORT, htons(4789))});
  if (!made(batch, "vxlan")) return;
  EXPECT_EQ(find_kind_value<std::uint32_t>(netlink, "vx0", kVxlan, IFLA_VXLAN_ID), 42U);
  EXPECT_EQ(find_kind_value<std::uint16_t>(netlink, "vx0", kVxlan, IFLA_VXLAN_PORT), htons(4789));
  EXPECT_FALSE(find_kind_value<std::uint64_t>(netlink, "vx0", kVxlan, IFLA_VXLAN_ID))
      << "too short";
  EXPECT_FALSE(find_kind_value<std::uint32_t>(netlink, "vx0", kVlan, IFLA_VXLAN_ID));
}

TEST(KernelModule, VlanIs8021q) { EXPECT_STREQ(kVlan.kernel_module, "8021q"); }

}  // namespace
}  // namespace unicni::net::link_kind_test
