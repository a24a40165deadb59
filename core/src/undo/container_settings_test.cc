#include <gmock/gmock.h>

#include <algorithm>

#include "net/private_netns_for_test.h"
#include "undo/fake_kernel_for_test.h"
#include "undo/replay.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/net/sysctl.h"
#include "unicni/undo/added_route.h"
#include "unicni/undo/host_link.h"
#include "unicni/undo/link_settings.h"
#include "unicni/undo/qdisc.h"
#include "unicni/undo/removed_route.h"
#include "unicni/undo/rule.h"
#include "unicni/undo/sysctl.h"

namespace unicni::undo::container_settings_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ContainerSettings : public net::PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    host_.emplace();
    shell(
        "ip link add v0 type veth peer name v1; ip link set v0 alias net/c1/eth0; ip link set v0 "
        "up; ip link set v1 up; ip addr add 10.1.0.2/24 dev v0");
  }
  net::Link v0() { return net::get_link(host_->host_links(), "v0"); }
  std::vector<Error> undo(const std::vector<Undo>& records) {
    Daemons daemons;
    Replay replay({*host_, Why::removal, {}, records, daemons});
    EXPECT_FALSE(replay.next_program());
    return replay.errors().all();
  }
  std::optional<FakeKernel> host_;
};

TEST_F(ContainerSettings, HostLinkGoesIfKindAndAliasAreTheRecords) {
  shell("ip link add b0 type ifb; ip link set b0 alias net/c1/eth0");
  EXPECT_THAT(undo({undo_host_link("b0", "ifb", "net/c2/eth0"),
                    undo_host_link("b0", "dummy", "net/c1/eth0")}),
              IsEmpty());
  EXPECT_TRUE(net::find_link(host_->host_links(), "b0"));
  EXPECT_THAT(undo({undo_host_link("b0", "ifb", "net/c1/eth0")}), IsEmpty());
  EXPECT_FALSE(net::find_link(host_->host_links(), "b0"));
  EXPECT_THAT(undo({undo_host_link("b0", "ifb", "net/c1/eth0")}), IsEmpty());
}

TEST_F(ContainerSettings, QdiscGoesIfLinkAndKindAreTheRecords) {
  const Undo root = undo_qdisc(v0(), net::QdiscPlace::root, "tbf");
  const Undo ingress = undo_qdisc(v0(), net::QdiscPlace::ingress, "ingress");
  EXPECT_THAT(undo({root, ingress}), IsEmpty());
  shell("tc qdisc add dev v0 root handle 1: tbf rate 1mbit burst 10000 latency 25ms");
  shell("tc qdisc add dev v0 clsact");
  EXPECT_THAT(undo({ingress}), IsEmpty());
  EXPECT_THAT(shell("tc qdisc show dev v0"), HasSubstr("clsact")) << "somebody else's";
  shell("ip link set v0 alias other; tc qdisc del dev v0 clsact; tc qdisc add dev v0 ingress");
  EXPECT_THAT(undo({root, ingress}), IsEmpty());
  EXPECT_THAT(shell("tc qdisc show dev v0"), HasSubstr("tbf")) << "somebody else's link";
  shell("ip link set v0 alias net/c1/eth0");
  EXPECT_THAT(undo({root, ingress}), IsEmpty());
  EXPECT_THAT(shell("tc qdisc show dev v0"),
              Not(testing::AnyOf(HasSubstr("tbf"), HasSubstr("ingress"))));
}

TEST_F(ContainerSettings, SysctlHasItsOldValueAgain) {
  const std::string key = "net/ipv4/conf/v0/arp_filter";
  net::ensure_sysctl(key, "1");
  host_->container_is_there = false;
  EXPECT_THAT(undo({undo_sysctl(key, "0")}), IsEmpty());
  EXPECT_EQ(net::find_sysctl(key), "1");
  host_->container_is_there = true;
  EXPECT_THAT(undo({undo_sysctl(key, "0"), undo_sysctl("net/ipv4/conf/gone/arp_filter", "0")}),
              IsEmpty());
  EXPECT_EQ(net::find_sysctl(key), "0");
}

TEST_F(ContainerSettings, LinkHasItsOldSettingsAgain) {
  const net::Link before = v0();
  net::LinkChange old;
  old.mac = before.mac;
  old.mtu = before.mtu;
  old.promisc = false;
  old.allmulti = false;
  old.tx_queue_len = before.tx_queue_len;
  const Undo record = undo_link_settings(before, old);
  shell(
      "ip link set v0 mtu 1400 promisc on allmulticast on txqueuelen 5 address 02:00:00:00:00:07");
  EXPECT_EQ(v0().tx_queue_len, 5U);
  EXPECT_TRUE(v0().allmulti && v0().promisc);
  Undo another = record;
  another.fields[1].second = "4711";
  EXPECT_THAT(undo({another}), IsEmpty());
  EXPECT_EQ(v0().mtu, 1400U) << "another link of that name";
  EXPECT_THAT(undo({record}), IsEmpty());
  const net::Link after = v0();
  EXPECT_EQ(after.mtu, before.mtu);
  EXPECT_EQ(after.mac, before.mac);
  EXPECT_EQ(after.tx_queue_len, before.tx_queue_len);
  EXPECT_FALSE(after.promisc || after.allmulti);
}

TEST_F(ContainerSettings, OnlyWhatWasChangedIsRestored) {
  net::LinkChange old;
  old.mtu = 1500;
  const Undo record = undo_link_settings(v0(), old);
  shell("ip link set v0 mtu 1400 promisc on");
  EXPECT_THAT(undo({record}), IsEmpty());
  EXPECT_EQ(v0().mtu, 1500U);
  EXPECT_TRUE(v0().promisc);
}

TEST_F(ContainerSettings, RulesAndRoutesAreAsBefore) {
  const auto state = [] { return shell("ip rule; ip route show table all dev v0; ip -6 rule"); };
  shell("ip route add default via 10.1.0.1; ip route add 10.7.0.0/16 via 10.1.0.9");
  const std::string before = state();
  const net::Rule rule{IpNet::parse("10.1.0.2/32").value(), 100};
  std::vector<Undo> records{undo_rule(rule)};
  net::Batch batch(host_->host_links());
  net::add_rule(batch, rule);
  std::vector<net::RouteEntry> gone;
  for (net::RouteEntry each : net::list_routes(host_->host_links(), Family::v4, v0().index)) {
    if (each.route.table != 254U) continue;
    gone.push_back(each);
  }
  std::stable_partition(gone.begin(), gone.end(),
                        [](const net::RouteEntry& each) { return each.route.gw.has_value(); });
  for (auto each = gone.rbegin(); each != gone.rend(); ++each) {
    net::RouteEntry copy = *each;
    copy.route.table = 100;
    records.push_back(undo_added_route("v0", copy));
    net::put_route(batch, v0(), copy);
  }
  for (const net::RouteEntry& each : gone) {
    records.push_back(undo_removed_route("v0", each));
    net::remove_route(batch, v0(), each);
  }
  batch.commit();
  EXPECT_NE(state(), before);
  EXPECT_THAT(undo(records), IsEmpty());
  EXPECT_EQ(state(), before);
  EXPECT_THAT(undo(records), IsEmpty()) << "again";
  EXPECT_EQ(state(), before);
}

TEST_F(ContainerSettings, ARouteThatWentWithItsSourceAddressIsNotMissed) {
  shell("ip route add 10.7.0.0/16 via 10.1.0.9");
  std::vector<Undo> records;
  for (const net::RouteEntry& each :
       net::list_routes(host_->host_links(), Family::v4, v0().index)) {
    if (each.route.table == 254U) records.push_back(undo_removed_route("v0", each));
  }
  ASSERT_EQ(records.size(), 2U);
  shell("ip addr add 10.1.0.3/24 dev v0; ip addr del 10.1.0.2/24 dev v0");
  const std::string before = shell("ip route show dev v0");
  EXPECT_THAT(undo({records[0]}), IsEmpty());
  EXPECT_THAT(host_->lines, IsEmpty());
  EXPECT_EQ(shell("ip route show dev v0"), before);
  shell("ip addr flush dev v0");
  EXPECT_THAT(undo({records[1]}), IsEmpty());
  EXPECT_THAT(host_->lines, testing::ElementsAre(HasSubstr("not put back")))
      << "its gateway is out of reach";
}

TEST_F(ContainerSettings, BrokenRecordsAreTold) {
  Undo record = undo_rule({IpNet::parse("10.1.0.2/32").value(), 100});
  record.fields[0].second = "10.1.0.2";
  EXPECT_THAT(undo({record}), testing::SizeIs(1));
  record = undo_qdisc(v0(), net::QdiscPlace::root, "tbf");
  record.fields[2].second = "elsewhere";
  EXPECT_THAT(undo({record}), testing::SizeIs(1));
}

}  // namespace
}  // namespace unicni::undo::container_settings_test
