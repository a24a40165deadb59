#include "journal/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/in_namespace_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/net/addr.h"
#include "unicni/net/device.h"
#include "unicni/net/link.h"
#include "unicni/sys/file.h"
#include "unicni/undo/records.h"

namespace unicni::journal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// Opens what replay asks for, in the calling thread's namespace; all else is not replay's
/// business.
class TestHost : public Host {
 public:
  net::Netlink& host_links() override {
    if (!links_) links_.emplace();
    return *links_;
  }
  net::Nft& nft() override {
    if (!nft_) nft_.emplace();
    return *nft_;
  }
  const net::Netns& host_netns() override {
    if (!netns_) netns_.emplace(net::Netns::current());
    return *netns_;
  }
  /// The container is the host's own namespace here, unless it is gone.
  const net::Netns* container_netns() override {
    if (!netns_) netns_.emplace(net::Netns::current());
    return container_is_there ? &*netns_ : nullptr;
  }
  net::Netlink& container_links() override { return host_links(); }
  UndoLog& undo() override { throw std::logic_error("undo"); }
  std::optional<sys::Lock> hold_shared_links() override { return std::nullopt; }
  Ipam& ipam() override { throw std::logic_error("ipam"); }
  void log(LogLevel, std::string_view) override {}

  bool container_is_there = true;
  [[nodiscard]] bool opened_links() const { return links_.has_value(); }
  [[nodiscard]] bool opened_nft() const { return nft_.has_value(); }

 private:
  std::optional<net::Netns> netns_;
  std::optional<net::Netlink> links_;
  std::optional<net::Nft> nft_;
};

class Replay : public ::testing::Test {
 protected:
  std::vector<Error> replay_all(const std::vector<Undo>& records, Why why = Why::removal) {
    return replay(records, why,
                  {host_, [this](const auto& type, const auto& program, const auto& request) {
                     delegates_.push_back(type + "|" + program + "|" + request);
                     if (type == "fails") throw Error(Code::try_again, "no answer");
                     if (type == "odd") throw std::runtime_error("odd");
                   }});
  }
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

  TestHost host_;
  TempFolder temp_;
  std::vector<std::string> delegates_;
};

TEST_F(Replay, NothingIsOpenedForNothing) {
  EXPECT_THAT(replay_all({}), IsEmpty());
  EXPECT_THAT(replay_all({undo_file(temp_ / "none", "x"), undo_bridge("cni0")}), IsEmpty());
  EXPECT_FALSE(host_.opened_links());
  EXPECT_FALSE(host_.opened_nft());
}

TEST_F(Replay, DeviceThatWasGivenBackGetsNameAndSettingsAgain) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("home-a", "up link");
    net::Device device{net::get_link(links(), "home-a"), "inside-a", 0, "cookie:1", "/none"};
    net::Batch batch(links());
    net::LinkChange change;
    change.up = false;
    change.alias = "home-a";  // the mark
    change.mtu = 1300;
    change.mac = Mac::random();
    net::change_link(batch, device.was.index, "home-a", change);
    net::rename_link(batch, device.was.index, "home-a", "inside-a");
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
TEST_F(Replay, DeviceAtHomeIsLeftAlone) {
  in_namespace(CLONE_NEWNET, [&] {
    make_veth("home-b", "");
    const net::Device device{net::get_link(links(), "home-b"), "inside-b", 0, "cookie:1", "/none"};
    net::Batch batch(links());
    net::LinkChange change;
    change.mtu = 1300;
    net::change_link(batch, device.was.index, "home-b", change);
    batch.commit();
    host_.container_is_there = false;
    EXPECT_THAT(replay_all({undo_device(device)}), IsEmpty());
    EXPECT_EQ(net::get_link(links(), "home-b").mtu, 1300U);
  });
}

// The first one could take another link for the device: one that has its index inside.
TEST_F(Replay, OfADevicesRecordsTheLastCounts) {
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

TEST_F(Replay, BrokenDeviceRecordIsAnErrorThatNamesTheField) {
  Undo record = undo_device({});
  for (auto& [key, value] : record.fields) {
    if (key == "index") value = "x";
  }
  const auto errors = replay_all({record});
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].msg(), HasSubstr("index"));
}

TEST_F(Replay, FileGoesIfItIsStillOurs) {
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

TEST_F(Replay, LastRecordIsUndoneFirst) {
  EXPECT_THAT(replay_all({undo_delegate("a", "/p", "1"), undo_delegate("b", "/q", "2")}),
              IsEmpty());
  EXPECT_THAT(delegates_, ElementsAre("b|/q|2", "a|/p|1"));
}

TEST_F(Replay, GoesOnPastErrorsAndReturnsThem) {
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

TEST_F(Replay, UnknownRecordsAreErrorsNotGuesses) {
  Undo newer = undo_file(temp_ / "file", "x");
  newer.version = 2;
  sys::create_file(temp_ / "file", "x", 0600);
  Undo newer_nft = undo_nft({"masq4", "k", "", "o"});
  newer_nft.version = 7;
  const auto errors = replay_all({{"marvel", 1, false, {}},
                                  newer,
                                  newer_nft,
                                  {"veth", 1, false, {{"name", "v"}}},
                                  {"nft", 1, false, {}}});
  ASSERT_THAT(errors, SizeIs(5));
  EXPECT_EQ(errors[0].msg(), "undo record \"nft\" has no field \"set\"");
  EXPECT_THAT(errors[1].msg(), HasSubstr("undo record \"veth\""));
  EXPECT_EQ(errors[2].msg(), "undo record \"nft\" of version 7 is not known");
  EXPECT_EQ(errors[3].msg(), "undo record \"file\" of version 2 is not known");
  EXPECT_EQ(errors[4].msg(), "undo record \"marvel\" of version 1 is not known");
  EXPECT_TRUE(std::filesystem::exists(temp_ / "file"));
}

TEST_F(Replay, VethGoesOnlyIfKindAndAliasMatch) {
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

TEST_F(Replay, VethWithoutItsAliasIsOfTheAddThatFailed) {
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

TEST_F(Replay, ContainerLinkGoesIfTheKindMatchesAndTheNamespaceIsThere) {
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

TEST_F(Replay, BridgeAndItsAddressStayAfterARemoval) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto address = *IpNet::parse("10.9.0.1/24");
    const int bridge = make_bridge("br9");
    net::Batch batch(links());
    net::add_addr(batch, bridge, "br9", address, net::Dad::skip, false);
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

TEST_F(Replay, BridgeOfOthersIsLeft) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto address = *IpNet::parse("10.9.0.1/24");
    const int bridge = make_bridge("br9");
    net::Batch batch(links());
    net::add_addr(batch, bridge, "br9", address, net::Dad::skip, false);
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

TEST_F(Replay, GatewayOfAVlanGoesOnlyWithTheLastPort) {
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

TEST_F(Replay, NftElementsGoIfTheOwnerMatches) {
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

TEST_F(Replay, NftElementsOfBothTablesGo) {
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

TEST_F(Replay, ARecordThatIsThereTwiceIsUndoneOnce) {
  in_namespace(CLONE_NEWNET, [&] {
    const auto first = net::masquerade_element(*IpNet::parse("10.9.0.2/24"), "net/ctr/eth0");
    const auto second = net::masquerade_element(*IpNet::parse("10.9.0.3/24"), "net/ctr/eth0");
    host_.nft().add({first, second}, {});
    EXPECT_THAT(replay_all({undo_nft(first), undo_nft(second), undo_nft(first)}), IsEmpty());
    EXPECT_THAT(host_.nft().list("masq4_24"), IsEmpty());
  });
}

TEST_F(Replay, IptablesMasqueradeGoes) {
  in_namespace(CLONE_NEWNET, [&] {
    const net::IptablesMasquerade ours{
        "net", "ctr", "eth0", {*IpNet::parse("10.9.0.2/24"), *IpNet::parse("fd00::2/64")}};
    const net::IptablesMasquerade sibling{"net", "ctr", "eth1", {*IpNet::parse("10.9.0.3/24")}};
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    EXPECT_THAT(replay_all({undo_iptables_masquerade(ours)}), IsEmpty()) << "none at all";
    net::add_iptables_masquerade(host_.nft(), ours, deadline);
    net::add_iptables_masquerade(host_.nft(), sibling, deadline);
    EXPECT_THAT(replay_all({undo_iptables_masquerade(ours)}), IsEmpty());
    EXPECT_FALSE(net::has_iptables_masquerade(host_.nft(), ours, deadline));
    EXPECT_TRUE(net::has_iptables_masquerade(host_.nft(), sibling, deadline));
  });
}

TEST_F(Replay, IptablesMasqueradeOfOddAddressesIsAnError) {
  Undo record = undo_iptables_masquerade({"net", "ctr", "eth0", {*IpNet::parse("10.9.0.2/24")}});
  record.fields.back().second = "10.9.0.2/24 nonsense";
  const auto errors = replay_all({record});
  ASSERT_THAT(errors, SizeIs(1));
  EXPECT_THAT(errors[0].msg(), HasSubstr("\"nonsense\" is no address"));
  EXPECT_FALSE(host_.opened_nft());
}

}  // namespace
}  // namespace unicni::journal
