// That core knows every kind of undo record in full: how it is made, undone, found and told.
#include "undo/kinds.h"

#include <gmock/gmock.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "net/private_netns_for_test.h"
#include "undo/fake_kernel_for_test.h"
#include "unicni/undo/added_route.h"
#include "unicni/undo/bridge.h"
#include "unicni/undo/container_link.h"
#include "unicni/undo/delegate.h"
#include "unicni/undo/device.h"
#include "unicni/undo/file.h"
#include "unicni/undo/firewalld_source.h"
#include "unicni/undo/flows.h"
#include "unicni/undo/forward_gate.h"
#include "unicni/undo/gateway_veth.h"
#include "unicni/undo/host_link.h"
#include "unicni/undo/iptables_firewall.h"
#include "unicni/undo/iptables_masquerade.h"
#include "unicni/undo/iptables_ports.h"
#include "unicni/undo/lease.h"
#include "unicni/undo/link_settings.h"
#include "unicni/undo/localnet.h"
#include "unicni/undo/loopback_route.h"
#include "unicni/undo/lost_address.h"
#include "unicni/undo/nft.h"
#include "unicni/undo/nft_condition.h"
#include "unicni/undo/port_flag.h"
#include "unicni/undo/qdisc.h"
#include "unicni/undo/removed_route.h"
#include "unicni/undo/reservation.h"
#include "unicni/undo/rule.h"
#include "unicni/undo/shared_address.h"
#include "unicni/undo/sysctl.h"
#include "unicni/undo/veth.h"
#include "unicni/undo/vrf.h"
#include "unicni/undo/vrf_port.h"

namespace unicni::undo::kinds_test {
namespace {

using testing::IsEmpty;
using testing::Not;

/// One record of each kind, by its maker: about things that a fresh namespace doesn't have.
std::vector<Undo> samples() {
  net::Link link;
  link.name = "gone0";
  link.index = 77;
  link.alias = "net/c1/eth0";
  net::RouteEntry route;
  route.index = 77;
  route.route.dst = *IpNet::parse("10.9.0.0/16");
  net::Device device;
  device.was = link;
  net::IptablesMasquerade masquerade{{"net", "c1", "eth0"}, {*IpNet::parse("10.1.0.2/24")}};
  net::IptablesFirewall firewall;
  firewall.key = {"net", "c1", ""};
  firewall.addresses = {*IpAddress::parse("10.1.0.2")};
  net::IptablesPorts ports;
  ports.key = {"net", "c1", "eth0"};
  const IpNet net = *IpNet::parse("10.1.0.2/24");
  const net::NftElement element = net::masquerade_element(net, "net/c1/eth0");
  return {
      undo_veth("gone0", "net/c1/eth0"),
      undo_container_link("gone0", "dummy"),
      undo_host_link("gone0", "ifb", "net/c1/eth0"),
      undo_qdisc(link, net::QdiscPlace::root, "tbf"),
      undo_sysctl("net/ipv4/conf/gone0/rp_filter", "1"),
      undo_link_settings(link, {.mtu = 1400}),
      undo_rule({net, 100}),
      undo_added_route("gone0", route),
      undo_removed_route("gone0", route),
      undo_vrf("gone0"),
      undo_vrf_port(link, "vrf0"),
      undo_lost_address(link, net),
      undo_bridge("gone0"),
      undo_gateway_veth("gone0", "br0"),
      undo_shared_address("gone0", net),
      undo_file("/nonexistent/unicni", "x"),
      undo_reservation("/nonexistent", "net", net.address(), "c1\r\neth0", false),
      undo_delegate("other", "/opt/cni/bin/other", "{}"),
      undo_lease({"other", "/nonexistent/socket", ""}, "/nonexistent/file", {"net", "c1", "eth0"}),
      undo_nft(element),
      remember_nft(element),
      undo_nft_condition({Family::v4, "cond_1", "ip saddr 10.0.0.1", "net/c1/eth0"}),
      undo_flows({Family::v4, 17, std::nullopt, 53}),
      undo_port_flag(link, net::PortFlag::isolated),
      undo_localnet("gone0"),
      undo_loopback_route("gone0"),
      undo_forward_gate("CNI-ADMIN"),
      undo_device(device),
      undo_iptables_masquerade(masquerade),
      undo_iptables_firewall(firewall),
      undo_iptables_ports(ports),
      undo_firewalld_source({"trusted", net.address()}, "net/c1/eth0")};
}

TEST(UndoKinds, EachHasAMakerAndAllItsParts) {
  std::set<const UndoKind*> made;
  for (const Undo& record : samples()) {
    const UndoKind* kind = find_kind(record);
    ASSERT_NE(kind, nullptr) << record.type;
    EXPECT_TRUE(made.insert(kind).second) << record.type << " is made by two";
    EXPECT_NE(kind->find, nullptr) << record.type;
    EXPECT_NE(kind->undo, nullptr) << record.type;
    ASSERT_NE(kind->describe, nullptr) << record.type;
    EXPECT_THAT(kind->describe(record), Not(IsEmpty())) << record.type;
  }
  for (const UndoKind* kind : kinds()) EXPECT_TRUE(made.contains(kind)) << kind->type;
}

TEST(UndoKinds, TypesAreWhatTheJournalCanHold) {
  std::set<std::string_view> types;
  for (const UndoKind* kind : kinds()) {
    EXPECT_TRUE(types.insert(kind->type).second) << kind->type;
    EXPECT_EQ(kind->type.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string_view::npos);
  }
}

TEST(UndoKinds, ANewerVersionIsNotKnown) {
  for (Undo record : samples()) {
    record.version = kKnownVersion + 1;
    EXPECT_EQ(find_kind(record), nullptr) << record.type;
  }
}

TEST(UndoKinds, OnlySharedObjectsOutliveARemoval) {
  std::set<std::string> shared;
  for (const Undo& record : samples()) {
    if (record.on_failure_only) shared.insert(record.type);
  }
  EXPECT_THAT(shared, testing::ElementsAre("bridge", "gateway-veth", "shared-address"));
}

TEST(UndoKinds, FieldsAreNamed) {
  const Undo record = undo_shared_address("cni0", *IpNet::parse("10.0.0.1/24"));
  const std::vector<std::pair<std::string, std::string>> fields = {{"link", "cni0"},
                                                                   {"address", "10.0.0.1/24"}};
  EXPECT_EQ(record.type, "shared-address");
  EXPECT_EQ(record.fields, fields);
}

TEST(UndoKinds, AFirewalldRecordHoldsItsSource) {
  const net::FirewalldSource source{"trusted", IpAddress::parse("fd00::5").value()};
  const Undo record = undo_firewalld_source(source, "net/c1/eth0");
  EXPECT_EQ(find_firewalld_source(record), source);
  EXPECT_EQ(find_firewalld_source(undo_bridge("br0")), std::nullopt);
}

class UndoKindsOnAHost : public net::PrivateNetnsTest {};

/// On a host that has nothing of it, each kind finds nothing, and undoes it without an error.
TEST_F(UndoKindsOnAHost, WhatIsNotThereIsAbsentAndUndone) {
  FakeKernel kernel;
  Daemons daemons;
  const std::vector<Undo> step = samples();
  Undoing undoing{kernel, Why::removal, std::chrono::steady_clock::now() + std::chrono::seconds(60),
                  step, daemons};
  for (const Undo& record : samples()) {
    SCOPED_TRACE(record.type);
    const UndoKind* kind = find_kind(record);
    // Connections and programs can't be asked; the gate isn't missed where there is no FORWARD.
    const bool cannot_tell = kind == &kFlowsKind || kind == &kDelegateKind;
    const bool needs_nothing = kind == &kForwardGateKind;
    const Found expected = cannot_tell || needs_nothing ? Found::ours : Found::absent;
    EXPECT_EQ(kind->find(record, undoing), expected);
    if (kind == &kDelegateKind) continue;
    EXPECT_NO_THROW(kind->undo({record}, undoing));
  }
}

TEST_F(UndoKindsOnAHost, WhatIsThereIsOursOrSomebodyElses) {
  shell(
      "ip link add v0 type veth peer name v1; ip link set v0 alias net/c1/eth0; "
      "ip link add d0 type veth peer name d1; ip link set d0 alias net/c1/eth0; ip link set d0 up; "
      "ip addr add 10.1.0.2/24 dev d0; ip link add br7 type bridge; "
      "ip rule add from 10.1.0.2 lookup 100");
  FakeKernel kernel;
  Daemons daemons;
  const std::vector<Undo> step;
  Undoing undoing{kernel, Why::removal, {}, step, daemons};
  const auto find = [&](const Undo& record) { return find_kind(record)->find(record, undoing); };
  EXPECT_EQ(find(undo_veth("v0", "net/c1/eth0")), Found::ours);
  EXPECT_EQ(find(undo_veth("v0", "net/c2/eth0")), Found::others);
  EXPECT_EQ(find(undo_container_link("d0", "veth")), Found::ours);
  EXPECT_EQ(find(undo_container_link("d0", "tun")), Found::others);
  EXPECT_EQ(find(undo_host_link("d0", "veth", "net/c1/eth0")), Found::ours);
  EXPECT_EQ(find(undo_host_link("d0", "veth", "net/c2/eth0")), Found::others);
  EXPECT_EQ(find(undo_bridge("br7")), Found::ours);
  EXPECT_EQ(find(undo_bridge("d0")), Found::others);
  EXPECT_EQ(find(undo_rule({*IpNet::parse("10.1.0.2/32"), 100})), Found::ours);
  EXPECT_EQ(find(undo_sysctl("net/ipv4/conf/d0/route_localnet", "0")), Found::absent);
  EXPECT_EQ(find(undo_sysctl("net/ipv4/conf/d0/route_localnet", "1")), Found::ours);
  const net::Link d0 = net::get_link(kernel.host_links(), "d0");
  EXPECT_EQ(find(undo_link_settings(d0, {.mtu = d0.mtu})), Found::absent);
  EXPECT_EQ(find(undo_link_settings(d0, {.mtu = 1300})), Found::ours);
  net::Link other = d0;
  ++other.index;
  EXPECT_EQ(find(undo_link_settings(other, {.mtu = 1300})), Found::others);
  EXPECT_EQ(find(undo_lost_address(d0, *IpNet::parse("10.1.0.2/24"))), Found::absent);
  EXPECT_EQ(find(undo_lost_address(d0, *IpNet::parse("10.1.0.3/24"))), Found::ours);
  const auto routes = net::list_routes(kernel.host_links(), Family::v4, d0.index);
  ASSERT_FALSE(routes.empty());
  EXPECT_EQ(find(undo_added_route("d0", routes[0])), Found::ours);
  EXPECT_EQ(find(undo_removed_route("d0", routes[0])), Found::absent);
  const auto mine = net::masquerade_element(*IpNet::parse("10.1.0.2/24"), "net/c1/eth0");
  auto theirs = mine;
  theirs.owner = "net/c2/eth0";
  kernel.nft().add({mine}, {});
  EXPECT_EQ(find(undo_nft(mine)), Found::ours);
  EXPECT_EQ(find(undo_nft(theirs)), Found::others);
  EXPECT_EQ(find(remember_nft(mine)), Found::ours);
}

}  // namespace
}  // namespace unicni::undo::kinds_test
