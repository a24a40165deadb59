#include "unicni/net/bridge_vlan.h"

#include <gmock/gmock.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"
#include "unicni/net/veth.h"

namespace unicni::net::bridge_vlan_test {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BridgeVlanTest : public PrivateNetnsTest {
 protected:
  /// A bridge with the port host0; false: this kernel has no VLAN filtering, and said so.
  bool made(Netlink& netlink) {
    Batch batch(netlink);
    add_bridge(batch, {"br0", Mac::parse("0a:58:00:00:00:09").value(), 0, "", true});
    try {
      batch.commit();
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), HasSubstr("create bridge br0: Operation not supported"));
      return false;
    }
    EXPECT_TRUE(get_link(netlink, "br0").vlan_filtering);
    VethSpec spec;
    spec.name = "host0";
    spec.mac = Mac::parse("0a:58:00:00:00:01").value();
    spec.peer_name = "eth0";
    spec.peer_mac = Mac::parse("0a:58:00:00:00:02").value();
    spec.master = get_link(netlink, "br0").index;
    add_veth(batch, spec);
    batch.commit();
    port_ = get_link(netlink, "host0").index;
    return true;
  }
  int port_ = 0;
};

TEST_F(BridgeVlanTest, VlansOfAPort) {
  Netlink netlink;
  if (!made(netlink)) return;
  EXPECT_THAT(list_port_vlans(netlink, port_), ElementsAre(PortVlan{1, 1, true, true}));
  Batch batch(netlink);
  remove_port_vlans(batch, {port_, "host0"});
  add_port_vlan(batch, {port_, "host0"}, {200, 210, false, false});
  batch.commit();
  EXPECT_THAT(list_port_vlans(netlink, port_), ElementsAre(PortVlan{200, 210, false, false}));
  add_port_vlan(batch, {port_, "host0"}, {100, 100, true, true});
  batch.commit();
  EXPECT_THAT(list_port_vlans(netlink, port_),
              ElementsAre(PortVlan{100, 100, true, true}, PortVlan{200, 210, false, false}));
}

TEST_F(BridgeVlanTest, ListingIsPossibleOnEveryKernel) {
  Netlink netlink;
  Batch batch(netlink);
  add_bridge(batch, {"br0", Mac::parse("0a:58:00:00:00:09").value(), 0, "", false});
  batch.commit();
  // Kernels with VLAN filtering give a bridge its default VLAN, also while it doesn't filter.
  EXPECT_THAT(list_port_vlans(netlink, get_link(netlink, "br0").index),
              AnyOf(IsEmpty(), ElementsAre(PortVlan{1, 1, true, true})));
}

}  // namespace
}  // namespace unicni::net::bridge_vlan_test
