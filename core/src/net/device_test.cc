#include "unicni/net/device.h"

#include "net/private_netns_for_test.h"
#include "unicni/error.h"

namespace unicni::net::device_test {
namespace {

class DeviceTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    shell("ip link add h0 type veth peer name far");
    shell("ip link set h0 address 02:00:00:00:00:11 mtu 1400 alias 'up link'");
    shell("ip link set h0 promisc on up");
    host_.emplace();
    container_.emplace(there_.open());
  }
  Device given() {
    Device device{get_link(*host_, "h0"), "eth0", 0, container_->identity(), there_.path()};
    Batch batch(*host_);
    const Netns there = there_.open();
    give_device(batch, device, there);
    batch.commit();
    return device;
  }
  std::string home(const Device& device) {
    const auto link = find_device(*container_, device);
    return link ? bring_device_home(*container_, *link, *host_, Netns::current(), device) : "";
  }
  void expect_settings(const Link& link) {
    EXPECT_EQ(link.mac.str(), "02:00:00:00:00:11");
    EXPECT_EQ(link.mtu, 1400U);
    EXPECT_EQ(link.alias, "up link");
    EXPECT_TRUE(link.promisc);
    EXPECT_TRUE(link.up);
  }
  const NewNetns there_;
  std::optional<Netlink> host_;
  std::optional<Netlink> container_;
};

TEST_F(DeviceTest, IsNamedAndMarkedInOneStep) {
  const Device device = given();
  EXPECT_FALSE(find_link(*host_, "h0"));
  const Link inside = get_link(*container_, "eth0");
  EXPECT_EQ(inside.alias, "h0");
  EXPECT_EQ(inside.index, device.was.index);
  EXPECT_FALSE(inside.up);
  EXPECT_EQ(home(device), "h0");
  expect_settings(get_link(*host_, "h0"));
}

TEST_F(DeviceTest, ComesHomeWithItsIndexAlsoIfThatWasTakenInside) {
  const int index = get_link(*host_, "h0").index;
  shell_in(there_.open(),
           "ip link add own index " + std::to_string(index) + " type veth peer name own-far");
  Device device = given();
  device.inside_index = get_link(*container_, "eth0").index;
  EXPECT_NE(device.inside_index, index);
  shell_in(there_.open(), "ip link set eth0 name mine address 02:00:00:00:00:99 alias ''");
  EXPECT_EQ(home(device), "h0");
  EXPECT_EQ(get_link(*host_, "h0").index, index);
  expect_settings(get_link(*host_, "h0"));
  EXPECT_TRUE(find_link(*container_, "own"));
}

TEST_F(DeviceTest, IsNoLinkOfAnotherKindOrIdentity) {
  const Device device = given();
  shell_in(there_.open(), "ip link del eth0");
  shell_in(there_.open(), "ip link add eth0 type bridge");
  EXPECT_FALSE(find_device(*container_, device));
  shell_in(there_.open(), "ip link del eth0; ip link add eth0 type veth peer name x");
  EXPECT_FALSE(find_device(*container_, device)) << "its name alone says nothing";
  shell_in(there_.open(), "ip link set eth0 alias h0");
  EXPECT_TRUE(find_device(*container_, device));
}

TEST_F(DeviceTest, ThatNeverLeftIsFoundAtHome) {
  const Device device{get_link(*host_, "h0"), "eth0", 0, {}, {}};
  EXPECT_FALSE(find_device(*container_, device));
  const auto link = find_device_at_home(*host_, device);
  ASSERT_TRUE(link);
  EXPECT_EQ(bring_device_home(*host_, *link, *host_, Netns::current(), device), "h0");
  expect_settings(get_link(*host_, "h0"));
}

TEST_F(DeviceTest, WhatLaterGotItsNameIsNotTakenForIt) {
  const Device device = given();
  shell_in(there_.open(), "ip link del eth0");
  shell("ip link add h0 type veth peer name far");
  EXPECT_FALSE(find_device_at_home(*host_, device));
}

TEST_F(DeviceTest, NamesMadeOfATakenOneFitAKernelsLimit) {
  Device device = given();
  device.was.name = "fifteen-bytes.x";
  shell("ip link add fifteen-bytes.x type bridge");
  EXPECT_EQ(home(device), "fifteen-bytes-2");
  EXPECT_TRUE(clash_of(device, "fifteen-bytes-2"));
  EXPECT_FALSE(clash_of(device, "fifteen-bytes.x"));
  expect_settings(get_link(*host_, "fifteen-bytes-2"));
}

TEST_F(DeviceTest, OfAMarkAloneHasItsNameAndIsDown) {
  Link link = get_link(*host_, "h0");
  link.alias = "eno1";
  EXPECT_EQ(marked_device(link, "").was.name, "eno1");
  EXPECT_FALSE(marked_device(link, "").was.up);
  EXPECT_EQ(marked_device(link, "").was.alias, "");
  link.alias = "of people / not a name";
  EXPECT_EQ(marked_device(link, "eno2").was.name, "eno2");
  EXPECT_EQ(marked_device(link, "").was.name, "h0");
}

TEST(Device, KernelsGiveHardwareBackUnderTwoKindsOfNames) {
  Link link;
  link.parent = "0000:00:03.0";
  for (const char* name : {"eth0", "dev0", "dev12"}) {
    link.name = name;
    EXPECT_TRUE(is_given_back(link, "eth0")) << name;
  }
  for (const char* name : {"eth1", "dev", "devil", "dev1x"}) {
    link.name = name;
    EXPECT_FALSE(is_given_back(link, "eth0")) << name;
  }
  link.name = "eth0";
  link.kind = "veth";
  EXPECT_FALSE(is_given_back(link, "eth0"));
}

}  // namespace
}  // namespace unicni::net::device_test
