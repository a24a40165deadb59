#include "unicni/net/neigh.h"

#include <gmock/gmock.h>

#include <optional>

#include "net/private_netns_for_test.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"

namespace unicni::net::neigh_test {
namespace {

using testing::HasSubstr;
using testing::Not;

const Mac kOld = Mac::parse("0a:58:00:00:00:01").value();
const Mac kNew = Mac::parse("0a:58:00:00:00:02").value();

class NeighTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    netlink_.emplace();
    Batch batch(*netlink_);
    add_bridge(batch, {"br0", Mac::parse("0a:58:00:00:00:09").value(), 0, "", false});
    batch.commit();
    index_ = get_link(*netlink_, "br0").index;
  }
  void refresh(const std::string& address) {
    Batch batch(*netlink_);
    refresh_neigh(batch, {index_, "br0"}, IpAddress::parse(address).value(), kNew);
    batch.commit();
  }
  std::optional<Netlink> netlink_;
  int index_ = 0;
};

TEST_F(NeighTest, EntryOfTheLastOwnerIsReplaced) {
  shell("ip neigh add 10.1.1.2 lladdr " + kOld.str() + " dev br0 nud reachable");
  shell("ip neigh add fd00::2 lladdr " + kOld.str() + " dev br0 nud reachable");
  refresh("10.1.1.2");
  refresh("fd00::2");
  EXPECT_THAT(shell("ip neigh show dev br0"), Not(HasSubstr(kOld.str())));
  EXPECT_THAT(shell("ip neigh get 10.1.1.2 dev br0"), HasSubstr(kNew.str()));
  EXPECT_THAT(shell("ip neigh get fd00::2 dev br0"), HasSubstr(kNew.str()));
}

TEST_F(NeighTest, NoEntryIsMade) {
  refresh("10.1.1.2");
  refresh("fd00::2");
  EXPECT_EQ(shell("ip neigh show dev br0"), "");
}

TEST_F(NeighTest, AnnouncementReachesANeighbourThatKnowsAnotherMac) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink there(inside);
  VethSpec spec;
  spec.name = "host0";
  spec.mac = kOld;
  spec.peer_name = "eth0";
  spec.peer_mac = kNew;
  spec.peer_netns = &inside;
  Batch batch(*netlink_);
  add_veth(batch, spec);
  batch.commit();
  shell("ip addr add 10.1.1.1/24 dev host0; ip addr add fd00::1/64 dev host0 nodad");
  inside.run([] { set_sysctl("net/ipv6/conf/eth0/ndisc_notify", "1"); });
  Batch up(there);
  const int eth0 = get_link(there, "eth0").index;
  LinkChange notify;
  notify.arp_notify = true;
  change_link(up, {eth0, "eth0"}, notify);
  add_addr(up, {eth0, "eth0"}, IpNet::parse("10.1.1.2/24").value(), Dad::skip, false);
  add_addr(up, {eth0, "eth0"}, IpNet::parse("fd00::2/64").value(), Dad::skip, false);
  LinkChange change;
  change.up = true;
  change_link(up, {eth0, "eth0"}, change);
  up.commit();
  sync_carrier(*netlink_, "host0");
  shell("ip neigh replace 10.1.1.2 lladdr " + kOld.str() + " dev host0 nud stale");
  shell("ip neigh replace fd00::2 lladdr " + kOld.str() + " dev host0 nud stale");
  announce_addrs(up, {eth0, "eth0"}, kNew);
  up.commit();
  EXPECT_THAT(shell("ip neigh show 10.1.1.2 dev host0"), HasSubstr(kNew.str()));
  EXPECT_THAT(shell("ip neigh show fd00::2 dev host0"), HasSubstr(kNew.str()));
}

}  // namespace
}  // namespace unicni::net::neigh_test
