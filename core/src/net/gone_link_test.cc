// A namespace ends while somebody works on its links: what is asked about a link that went since is
// answered by "there is none", so that DEL goes on.
#include <gmock/gmock.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge.h"
#include "unicni/net/bridge_vlan.h"
#include "unicni/net/link.h"
#include "unicni/net/qdisc.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/vlan.h"

namespace unicni::net::gone_link_test {
namespace {

using testing::IsEmpty;

class GoneLinkTest : public PrivateNetnsTest {
 protected:
  static constexpr int kGone = 4711;
};

TEST_F(GoneLinkTest, LookUpsFindNothing) {
  Netlink netlink;
  EXPECT_FALSE(find_link(netlink, kGone));
  EXPECT_FALSE(find_link(netlink, "gone0"));
  EXPECT_THAT(list_ports(netlink, kGone), IsEmpty());
  EXPECT_THAT(list_addrs(netlink, kGone), IsEmpty());
  for (const Family family : {Family::v4, Family::v6}) {
    EXPECT_THAT(list_routes(netlink, family, kGone), IsEmpty());
  }
  EXPECT_THAT(list_port_vlans(netlink, kGone), IsEmpty());
  for (const QdiscPlace place : {QdiscPlace::root, QdiscPlace::ingress}) {
    EXPECT_FALSE(find_qdisc(netlink, {kGone, "gone0"}, place));
    EXPECT_FALSE(remove_qdisc(netlink, {kGone, "gone0"}, place));
  }
  EXPECT_FALSE(find_redirect(netlink, {kGone, "gone0"}));
  EXPECT_FALSE(find_vlan_id(netlink, "gone0"));
  EXPECT_FALSE(find_sysctl("net/ipv4/conf/gone0/forwarding"));
  EXPECT_FALSE(set_sysctl("net/ipv4/conf/gone0/forwarding", "1"));
  EXPECT_FALSE(remove_link(netlink, kGone));
}

TEST_F(GoneLinkTest, WhatIsTakenAwayHasGoneWithIt) {
  Netlink netlink;
  for (const char* net : {"10.9.0.1/24", "fd09::1/64"}) {
    Batch batch(netlink);
    remove_addr(batch, {kGone, "gone0"}, IpNet::parse(net).value(), true);
    remove_connected_route(batch, {kGone, "gone0"}, IpNet::parse(net).value());
    RouteEntry entry;
    entry.route.dst = IpNet::parse(net).value().masked();
    remove_route(batch, {kGone, "gone0"}, entry);
    remove_loopback_route(batch, {kGone, "gone0"});
    set_port_flag(batch, {kGone, "gone0"}, PortFlag::hairpin, false);
    EXPECT_NO_THROW(batch.commit()) << net;
  }
}

TEST_F(GoneLinkTest, WhatMustBeThereIsMissed) {
  Netlink netlink;
  EXPECT_THROW(static_cast<void>(get_link(netlink, "gone0")), Error);
  EXPECT_THROW(static_cast<void>(get_dad_state(netlink, kGone)), Error)
      << "an ADD must not take it for done";
  EXPECT_THROW(static_cast<void>(
                   ready_link_local(netlink, {kGone, "gone0"}, IpNet::parse("fe80::1/64").value())),
               Error);
}

}  // namespace
}  // namespace unicni::net::gone_link_test
