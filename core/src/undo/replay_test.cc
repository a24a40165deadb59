#include "undo/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/in_namespace_for_test.h"
#include "base/temp_folder_for_test.h"
#include "undo/fake_kernel_for_test.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge.h"
#include "unicni/net/device.h"
#include "unicni/net/link.h"
#include "unicni/net/veth.h"
#include "unicni/sys/file.h"
#include "unicni/undo/bridge.h"
#include "unicni/undo/container_link.h"
#include "unicni/undo/delegate.h"
#include "unicni/undo/device.h"
#include "unicni/undo/file.h"
#include "unicni/undo/gateway_veth.h"
#include "unicni/undo/iptables_masquerade.h"
#include "unicni/undo/nft.h"
#include "unicni/undo/shared_address.h"
#include "unicni/undo/veth.h"

namespace unicni::undo::replay_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReplayTest : public ::testing::Test {
 protected:
  std::vector<Error> replay_all(const std::vector<Undo>& records, Why why = Why::removal) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    Replay replay({host_, why, deadline, records, daemons_});
    while (const auto program = replay.next_program()) {
      programs_.push_back(program->type + "|" + program->path + "|" + program->request);
      replay.attempt([&] {
        if (program->type == "fails") throw Error(Code::try_again, "no answer");
        if (program->type == "odd") throw std::runtime_error("odd");
      });
    }
    kept_ = replay.kept();
    return replay.errors().all();
  }
  Daemons daemons_;
  net::Netlink& links() { return host_.host_links(); }
  void make_veth(const std::string& name, const std::string& alias, int master = 0) {
    net::VethSpec spec;
    spec.name = name;
    spec.mac = Mac::random();
    spec.alias = alias;
    spec.master = master;
    spec.peer_name = name + "p";
    spec.peer_mac = Mac::random();
    const net::Netns here = net::Netns::current();
    spec.peer_netns = &here;
    net::Batch batch(links());
    net::add_veth(batch, spec);
    batch.commit();
  }
  int make_bridge(const std::string& name) {
    net::Batch batch(links());
    net::add_bridge(batch, {name, Mac::random(), 0});
    batch.commit();
    return net::get_link(links(), name).index;
  }
  bool exists(const std::string& name) { return net::find_link(links(), name).has_value(); }

  FakeKernel host_;
  TempFolder temp_;
  std::vector<std::string> programs_;
  std::vector<Undo> kept_;
};

TEST_F(ReplayTest, NothingIsOpenedForNothing) {
  EXPECT_THAT(replay_all({}), IsEmpty());
  EXPECT_THAT(replay_all({undo_file(temp_ / "none", "x"), undo_bridge("cni0")}), IsEmpty());
  EXPECT_FALSE(host_.opened_links());
  EXPECT_FALSE(host_.opened_nft());
}

TEST_F(ReplayTest, DeviceThatWasGivenBackGetsNameAndSettingsAgain) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("home-a", "up link");
    net::Device device{net::get_link(links(), "home-a"), "inside-a", 0, "cookie:1", "/none"};
    net::Batch batch(links());
    net::LinkChange change;
    change.up = false;
    change.alias = "home-a";  // the mark
    change.mtu = 1300;
    change.mac = Mac::random();
    net::change_link(batch, {device.was.index, "home-a"}, change);
    net::rename_link(batch, {device.was.index, "home-a"}, "inside-a");
    batch.commit();
    host_.container_is_there = false;
    EXPECT_THAT(replay_all({undo_device(device)}), IsEmpty());
    const net::Link home = net::get_link(links(), "home-a");
    EXPECT_EQ(home.index, device.was.index);
    EXPECT_EQ(home.mac, device.was.mac);
    EXPECT_EQ(home.mtu, device.was.mtu);
    EXPECT_EQ(home.alias, "up link");
    EXPECT_EQ(home.up, device.was.up);
  });
}

// It never left, or somebody else brought it home: what it was set to since then is people's wish.
TEST_F(ReplayTest, DeviceAtHomeIsLeftAlone) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("home-b", "");
    const net::Device device{net::get_link(links(), "home-b"), "inside-b", 0, "cookie:1", "/none"};
    net::Batch batch(links());
    net::LinkChange change;
    change.mtu = 1300;
    net::change_link(batch, {device.was.index, "home-b"}, change);
    batch.commit();
    host_.container_is_there = false;
    EXPECT_THAT(replay_all({undo_device(device)}), IsEmpty());
    EXPECT_EQ(net::get_link(links(), "home-b").mtu, 1300U);
  });
}

// The first one could take another link for the device: one that has its index inside.
TEST_F(ReplayTest, OfADevicesRecordsTheLastCounts) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("inside-c", "");
    net::Device device{net::get_link(links(), "inside-c"), "inside-c", 0, "cookie:1", "/none"};
    device.was.name = "home-c";
    device.was.mac = Mac();
    device.was.mtu = 1300;
    net::Device later = device;
    later.inside_index = device.was.index + 100;
    EXPECT_THAT(replay_all({undo_device(device), undo_device(later)}), IsEmpty());
    EXPECT_TRUE(exists("inside-c"));
    EXPECT_THAT(replay_all({undo_device(device)}), IsEmpty());
    EXPECT_TRUE(exists("home-c"));
  });
}

TEST_F(ReplayTest, BrokenDeviceRecordIsAnErrorThatNamesTheField) {
  Undo record = undo_device({});
  for (auto& [key, value] : record.fields) {
    if (key == "index") value = "x";
  }
  const auto errors = replay_all({record});
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].msg(), HasSubstr("index"));
}

TEST_F(ReplayTest, FileGoesIfItIsStillOurs) {
  const std::pair<const char*, bool> cases[] = {
      {"ctr\r\neth0", true},
      {" ctr\r\neth0\n", true},
      {"", true},
      {"\n", true},
      {"ctr\neth0", false},
      {"other\r\neth0", false},
      {"ctr\r\neth01", false},
  };
  for (const auto& [content, goes] : cases) {
    sys::create_file(temp_ / "10.0.0.2", content, 0600);
    EXPECT_THAT(replay_all({undo_file(temp_ / "10.0.0.2", "ctr\r\neth0")}), IsEmpty());
    EXPECT_EQ(sys::remove_file(temp_ / "10.0.0.2"), !goes) << content;
  }
}

TEST_F(ReplayTest, LastRecordIsUndoneFirst) {
  EXPECT_THAT(replay_all({undo_delegate("a", "/p", "1"), undo_delegate("b", "/q", "2")}),
              IsEmpty());
  EXPECT_THAT(programs_, ElementsAre("b|/q|2", "a|/p|1"));
}

TEST_F(ReplayTest, GoesOnPastErrorsAndReturnsThem) {
  std::filesystem::create_directory(temp_ / "folder");
  sys::create_file(temp_ / "file", "x", 0600);
  const auto errors =
      replay_all({undo_file(temp_ / "file", "x"), undo_delegate("fails", "/p", ""),
                  undo_delegate("odd", "/p", ""), undo_file(temp_ / "folder", "x")});
  ASSERT_THAT(errors, SizeIs(3));
  EXPECT_THAT(errors[0].msg(), HasSubstr("folder: Is a directory"));
  EXPECT_EQ(errors[1].msg(), "undo: odd");
  EXPECT_EQ(errors[2].msg(), "no answer");
  EXPECT_TRUE(errors[2].is(Code::try_again));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "file"));
}

TEST_F(ReplayTest, UnknownRecordsAreKeptForANewerProgram) {
  const Undo marvel{"marvel", 1, false, {}};
  Undo newer = undo_file(temp_ / "file", "x");
  newer.version = 2;
  sys::create_file(temp_ / "file", "x", 0600);
  Undo newer_nft = undo_nft({"masq4", "k", "", "o"});
  newer_nft.version = 7;
  EXPECT_THAT(replay_all({marvel, newer, newer_nft}), IsEmpty());
  EXPECT_THAT(kept_, ElementsAre(marvel, newer, newer_nft));
  EXPECT_TRUE(std::filesystem::exists(temp_ / "file"));
}

TEST_F(ReplayTest, DamagedRecordsAreErrorsAndKeepNoneOfTheOthers) {
  sys::create_file(temp_ / "file", "x", 0600);
  const auto errors = replay_all({undo_file(temp_ / "file", "x"),
                                  {"veth", 1, false, {{"alias", "v"}}},
                                  {"nft", 1, false, {}}});
  ASSERT_THAT(errors, SizeIs(2));
  EXPECT_EQ(errors[0].msg(), "undo record \"nft\" has no field \"set\"");
  EXPECT_THAT(errors[1].msg(), HasSubstr("undo record \"veth\""));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "file"));
}

TEST_F(ReplayTest, VethGoesOnlyIfKindAndAliasMatch) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("veth1", "net/ctr/eth0");
    make_bridge("veth2");
    EXPECT_THAT(replay_all({undo_veth("veth1", "net/other/eth0"), undo_veth("veth2", ""),
                            undo_veth("none", "x"), undo_veth("lo", "")}),
                IsEmpty());
    EXPECT_TRUE(exists("veth1"));
    EXPECT_TRUE(exists("veth2"));
    EXPECT_TRUE(exists("lo"));
    EXPECT_THAT(replay_all({undo_veth("veth1", "net/ctr/eth0")}), IsEmpty());
    EXPECT_FALSE(exists("veth1"));
    EXPECT_FALSE(exists("veth1p"));
    EXPECT_THAT(replay_all({undo_veth("veth1", "net/ctr/eth0")}), IsEmpty());
  });
}

TEST_F(ReplayTest, VethWithoutItsAliasIsOfTheAddThatFailed) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("veth1", "");
    make_veth("veth2", "net/other/eth0");
    const std::vector<Undo> records = {undo_veth("veth1", "net/ctr/eth0"),
                                       undo_veth("veth2", "net/ctr/eth0")};
    EXPECT_THAT(replay_all(records, Why::removal), IsEmpty());
    EXPECT_TRUE(exists("veth1"));
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_FALSE(exists("veth1"));
    EXPECT_TRUE(exists("veth2"));
  });
}

TEST_F(ReplayTest, ContainerLinkGoesIfTheKindMatchesAndTheNamespaceIsThere) {
  in_namespace(CLONE_NEWNET, [&] {
    make_bridge("eth0");
    const std::vector<Undo> other = {undo_container_link("eth0", "macvlan"),
                                     undo_container_link("none", "bridge")};
    EXPECT_THAT(replay_all(other), IsEmpty());
    host_.container_is_there = false;
    EXPECT_THAT(replay_all({undo_container_link("eth0", "bridge")}), IsEmpty());
    EXPECT_TRUE(exists("eth0"));
    host_.container_is_there = true;
    EXPECT_THAT(replay_all({undo_container_link("eth0", "bridge")}), IsEmpty());
    EXPECT_FALSE(exists("eth0"));
  });
}

TEST_F(ReplayTest, BridgeAndItsAddressStayAfterARemoval) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto address = *IpNet::parse("10.9.0.1/24");
    const int bridge = make_bridge("br9");
    net::Batch batch(links());
    net::add_addr(batch, {bridge, "br9"}, address, net::Dad::skip, false);
    batch.commit();
    const std::vector<Undo> records = {undo_bridge("br9"), undo_shared_address("br9", address)};
    EXPECT_THAT(replay_all(records, Why::removal), IsEmpty());
    EXPECT_THAT(net::list_addrs(links(), bridge), ::testing::Contains(address));
    EXPECT_THAT(replay_all({records[1]}, Why::failed_add), IsEmpty());
    EXPECT_THAT(net::list_addrs(links(), bridge), ::testing::Not(::testing::Contains(address)));
    EXPECT_TRUE(exists("br9"));
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty())
        << "an address that is gone is fine";
    EXPECT_FALSE(exists("br9"));
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
  });
}

TEST_F(ReplayTest, BridgeOfOthersIsLeft) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto address = *IpNet::parse("10.9.0.1/24");
    const int bridge = make_bridge("br9");
    net::Batch batch(links());
    net::add_addr(batch, {bridge, "br9"}, address, net::Dad::skip, false);
    batch.commit();
    make_veth("veth1", "ours", bridge);
    make_veth("veth2", "theirs", bridge);
    const std::vector<Undo> records = {undo_bridge("br9"), undo_shared_address("br9", address),
                                       undo_veth("veth1", "ours")};
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_FALSE(exists("veth1"));
    EXPECT_TRUE(exists("br9")) << "another attachment uses it";
    EXPECT_THAT(net::list_addrs(links(), bridge), ::testing::Contains(address));
    EXPECT_THAT(replay_all({undo_veth("veth2", "theirs")}), IsEmpty());
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_FALSE(exists("br9"));
    make_veth("br9", "");
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_TRUE(exists("br9")) << "no bridge";
  });
}

TEST_F(ReplayTest, GatewayOfAVlanGoesOnlyWithTheLastPort) {
  in_namespace(CLONE_NEWNET, [&] {
    const int bridge = make_bridge("br9");
    make_veth("veth1", "", bridge);  // its other end, veth1p, is the gateway's interface
    make_veth("veth2", "theirs", bridge);
    const std::vector<Undo> records = {undo_bridge("br9"), undo_gateway_veth("veth1p", "br9")};
    EXPECT_THAT(replay_all(records, Why::removal), IsEmpty());
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_TRUE(exists("veth1p")) << "another attachment may use it";
    EXPECT_THAT(replay_all({undo_veth("veth2", "theirs")}), IsEmpty());
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_FALSE(exists("veth1p"));
    EXPECT_FALSE(exists("br9"));
    make_veth("veth1", "");
    EXPECT_THAT(replay_all(records, Why::failed_add), IsEmpty());
    EXPECT_TRUE(exists("veth1p")) << "no such bridge";
  });
}

TEST_F(ReplayTest, NftElementsGoIfTheOwnerMatches) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto ours = net::masquerade_element(*IpNet::parse("10.9.0.2/24"), "net/ctr/eth0");
    const auto theirs = net::masquerade_element(*IpNet::parse("10.9.0.3/24"), "net/other/eth0");
    EXPECT_THAT(replay_all({undo_nft(ours)}), IsEmpty()) << "no table at all";
    host_.nft().add({ours, theirs}, {});
    auto stale = theirs;
    stale.owner = "net/ctr/eth0";
    EXPECT_THAT(replay_all({undo_nft(ours), undo_nft(stale)}), IsEmpty());
    EXPECT_EQ(host_.nft().find(ours.set, ours.key), std::nullopt);
    EXPECT_EQ(host_.nft().find(theirs.set, theirs.key).value().owner, "net/other/eth0");
  });
}

TEST_F(ReplayTest, NftElementsOfBothTablesGo) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto checked =
        net::spoof_check_elements("veth1", *Mac::parse("02:00:00:00:00:01"), "net/ctr/eth0");
    const auto masquerade = net::masquerade_element(*IpNet::parse("10.9.0.2/24"), "net/ctr/eth0");
    host_.nft().add({checked[0], checked[1], masquerade}, {});
    std::vector<Undo> records{undo_nft(checked[0]), undo_nft(checked[1]), undo_nft(masquerade)};
    for (const auto& [key, value] : records[2].fields) {
      EXPECT_NE(key, "family") << "inet's records are what they were before there was another";
    }
    EXPECT_THAT(replay_all(records), IsEmpty());
    EXPECT_THAT(host_.nft().list("port_checked", net::NftTable::bridge), IsEmpty());
    EXPECT_THAT(host_.nft().list("port_mac", net::NftTable::bridge), IsEmpty());
    EXPECT_THAT(host_.nft().list("masq4_24"), IsEmpty());
  });
}

/// Base 1 had one set of addresses, and their subnets in elements of the network.
TEST_F(ReplayTest, RecordsOfAFormerBaseTakeAwayWhatTheirElementsAreToday) {
  in_namespace(CLONE_NEWNET, [&] {
    const std::string address("\x0a\x09\x00\x02", 4);
    const std::string first("\x0a\x09\x00\x00\x0a\x09\x00\x00", 8);
    const std::string last("\x0a\x09\x00\xff\x0a\x09\x00\xff", 8);
    host_.nft().add({net::masquerade_element(*IpNet::parse("10.9.0.2/24"), "net/ctr/eth0"),
                     net::masquerade_element(*IpNet::parse("10.9.0.3/24"), "net/other/eth0")},
                    {});
    EXPECT_THAT(
        replay_all({remember_nft({"net4", first, last, "net", net::NftTable::inet, {}}),
                    undo_nft({"masq4", address, {}, "net/ctr/eth0", net::NftTable::inet, {}})}),
        IsEmpty());
    const auto left = host_.nft().list("masq4_24");
    ASSERT_THAT(left, SizeIs(1));
    EXPECT_EQ(left[0].owner, "net/other/eth0");
  });
}

TEST_F(ReplayTest, ARecordThatIsThereTwiceIsUndoneOnce) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto first = net::masquerade_element(*IpNet::parse("10.9.0.2/24"), "net/ctr/eth0");
    const auto second = net::masquerade_element(*IpNet::parse("10.9.0.3/24"), "net/ctr/eth0");
    host_.nft().add({first, second}, {});
    EXPECT_THAT(replay_all({undo_nft(first), undo_nft(second), undo_nft(first)}), IsEmpty());
    EXPECT_THAT(host_.nft().list("masq4_24"), IsEmpty());
  });
}

TEST_F(ReplayTest, IptablesMasqueradeGoes) {
  in_namespace(CLONE_NEWNET, [&] {
    const net::IptablesMasquerade ours{{"net", "ctr", "eth0"},
                                       {*IpNet::parse("10.9.0.2/24"), *IpNet::parse("fd00::2/64")}};
    const net::IptablesMasquerade sibling{{"net", "ctr", "eth1"}, {*IpNet::parse("10.9.0.3/24")}};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    EXPECT_THAT(replay_all({undo_iptables_masquerade(ours)}), IsEmpty()) << "none at all";
    net::add_iptables_masquerade(host_.nft(), ours, deadline);
    net::add_iptables_masquerade(host_.nft(), sibling, deadline);
    EXPECT_THAT(replay_all({undo_iptables_masquerade(ours)}), IsEmpty());
    EXPECT_FALSE(net::has_iptables_masquerade(host_.nft(), ours, deadline));
    EXPECT_TRUE(net::has_iptables_masquerade(host_.nft(), sibling, deadline));
  });
}

TEST_F(ReplayTest, IptablesMasqueradeOfOddAddressesIsAnError) {
  Undo record = undo_iptables_masquerade({{"net", "ctr", "eth0"}, {*IpNet::parse("10.9.0.2/24")}});
  record.fields.back().second = "10.9.0.2/24 nonsense";
  const auto errors = replay_all({record});
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].msg(), HasSubstr("addresses is \"10.9.0.2/24 nonsense\""));
  EXPECT_FALSE(host_.opened_nft());
}

}  // namespace
}  // namespace unicni::undo::replay_test
