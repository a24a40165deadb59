#include <gmock/gmock.h>

#include <ctime>
#include <string>

#include "backup.h"
#include "base/error_for_test.h"
#include "config.h"
#include "unicni/error.h"
#include "unicni/module.h"
#include "unicni/sys/file.h"

namespace unicni::tuning::tuning_test {
namespace {

using testing::HasSubstr;

TuningOptions with_defaults() {
  TuningOptions options;
  options.data_dir = "/run/cni/tuning";
  return options;
}

std::string refusal(const TuningOptions& options) {
  return refusal_of([&] { static_cast<void>(settings(options, "eth0")); });
}

TEST(Settings, NothingIsNothing) {
  const Settings none = settings(with_defaults(), "eth0");
  EXPECT_TRUE(none.sysctls.empty());
  EXPECT_FALSE(none.touches_link());
}

TEST(Settings, SysctlKeysInEachSpelling) {
  TuningOptions options = with_defaults();
  options.sysctl = {{"net.ipv4.conf.IFNAME.arp_filter", "1"},
                    {"/net/core/somaxconn", "500"},
                    {"net/ipv4/conf/IFNAME/arp_ignore", "2"}};
  const Settings found = settings(options, "net1.100");
  ASSERT_EQ(found.sysctls.size(), 3U);
  EXPECT_EQ(found.sysctls[0].key, "net/ipv4/conf/net1.100/arp_filter") << "its dots stay";
  EXPECT_EQ(found.sysctls[0].written, "net.ipv4.conf.IFNAME.arp_filter");
  EXPECT_EQ(found.sysctls[1].key, "net/core/somaxconn");
  EXPECT_EQ(found.sysctls[2].key, "net/ipv4/conf/net1.100/arp_ignore");
}

TEST(Settings, SysctlsOutsideOfNetAreRefused) {
  for (const char* key : {"kernel.shmmax", "kernel/shmmax", "../net/ipv4/ip_forward", "net", "net.",
                          "", "net.ipv4.ip forward", "network.x", "net/../../etc/passwd"}) {
    TuningOptions options = with_defaults();
    options.sysctl = {{key, "1"}};
    EXPECT_THAT(refusal(options), HasSubstr("invalid net sysctl key")) << key;
  }
}

TEST(Settings, ASysctlIsNoLongerThanAPathOfTheKernels) {
  TuningOptions options = with_defaults();
  options.sysctl = {{"net." + std::string(255, 'a'), "1"}};
  EXPECT_EQ(settings(options, "eth0").sysctls.size(), 1U);
  for (const std::string& key : {"net." + std::string(256, 'a'), "net." + std::string(60'000, 'a'),
                                 std::string(60'000, '/') + "net.core.somaxconn", [] {
                                   std::string parts = "net";
                                   while (parts.size() < 5000) parts += ".abc";
                                   return parts;
                                 }()}) {
    options.sysctl = {{key, "1"}};
    const std::string text = refusal(options);
    EXPECT_THAT(text, HasSubstr("is too long"));
    EXPECT_LT(text.size(), 250U);
  }
}

TEST(Settings, EightyThousandSysctlsTakeNoTimeToSpeakOf) {
  TuningOptions options = with_defaults();
  for (int i = 0; i < 80'000; ++i) {
    options.sysctl.emplace_back("net.core.a" + std::to_string(i), "1");
    options.args_sysctl.emplace_back("net/core/a" + std::to_string(i), "2");
  }
  const std::clock_t begin = std::clock();
  const Settings found = settings(options, "eth0");
  EXPECT_LT(std::clock() - begin, 3 * CLOCKS_PER_SEC);
  ASSERT_EQ(found.sysctls.size(), 80'000U);
  EXPECT_EQ(found.sysctls[79'999].value, "2");
}

TEST(Settings, OneSysctlInTwoSpellingsNeedsOneValue) {
  TuningOptions options = with_defaults();
  options.sysctl = {{"net.core.somaxconn", "1"}, {"net/core/somaxconn", "1"}};
  EXPECT_EQ(settings(options, "eth0").sysctls.size(), 1U);
  options.sysctl[1].second = "2";
  EXPECT_THAT(refusal(options), HasSubstr("net/core/somaxconn is set to \"1\" and to \"2\""));
}

TEST(Settings, ArgsWinOverTheConfiguration) {
  TuningOptions options = with_defaults();
  options.sysctl = {{"net.core.somaxconn", "1"}, {"net.core.other", "1"}};
  options.args_sysctl = {{"net/core/somaxconn", "2"}, {"net.core.new", "3"}};
  options.mtu = 1300;
  options.args_mtu = 1400;
  options.promisc = true;
  options.args_promisc = false;
  options.allmulti = true;
  options.args_allmulti = false;
  options.tx_queue_len = 5;
  options.args_tx_queue_len = 0;
  const Settings found = settings(options, "eth0");
  ASSERT_EQ(found.sysctls.size(), 3U);
  EXPECT_EQ(found.sysctls[0].value, "2");
  EXPECT_EQ(found.link.mtu, 1400U);
  EXPECT_FALSE(found.link.promisc);
  EXPECT_EQ(found.link.allmulti, false);
  EXPECT_EQ(found.link.tx_queue_len, 0U);
}

TEST(Settings, PrecedenceOfTheMac) {
  TuningOptions options = with_defaults();
  const auto last = [&] { return settings(options, "eth0").mac_text; };
  options.mac = "02:00:00:00:00:01";
  EXPECT_EQ(last(), options.mac);
  options.cni_args_mac = "02:00:00:00:00:02";
  EXPECT_EQ(last(), options.cni_args_mac);
  options.runtime_mac = "02:00:00:00:00:03";
  EXPECT_EQ(last(), options.runtime_mac);
  options.args_mac = "02:00:00:00:00:AA";
  EXPECT_EQ(last(), "02:00:00:00:00:AA") << "as written";
}

TEST(Settings, WhatNoInterfaceCanHaveIsRefused) {
  TuningOptions options = with_defaults();
  options.mac = "c2:11:22:33:44";
  EXPECT_THAT(refusal(options), HasSubstr("invalid args c2:11:22:33:44 for MAC addr"));
  options.mac = "01:00:5e:00:00:01";
  EXPECT_THAT(refusal(options), HasSubstr("mac"));
  options = with_defaults();
  options.mtu = 40;
  EXPECT_THAT(refusal(options), HasSubstr("mtu"));
  options = with_defaults();
  options.data_dir = "run/tuning";
  EXPECT_THAT(refusal(options), HasSubstr("dataDir: \"run/tuning\" is no absolute path"));
}

class BackupFile : public testing::Test {
 protected:
  void SetUp() override { sys::remove_file(path_); }
  void TearDown() override { sys::remove_file(path_); }
  std::string path_ = testing::TempDir() + "tuning_test_backup.json";
};

TEST_F(BackupFile, OursIsTheReferencesAndNamesItsAttachment) {
  Call call;
  call.key.network = "net";
  call.key.container_id = "c1";
  call.key.if_name = "et\"h0";
  net::LinkChange before;
  before.mac = Mac::parse("c2:11:22:33:44:55");
  before.promisc = false;
  before.mtu = 1500;
  before.allmulti = true;
  before.tx_queue_len = 1000;
  const std::string text = print_backup(call, before);
  EXPECT_EQ(text,
            "{\n \"mac\": \"c2:11:22:33:44:55\",\n \"promisc\": false,\n \"mtu\": 1500,\n "
            "\"allmulti\": true,\n \"txQLen\": 1000,\n \"network\": \"net\",\n \"containerID\": "
            "\"c1\",\n \"ifname\": \"et\\\"h0\"\n}");
  sys::create_file(path_, text, 0600);
  const auto read = read_backup(path_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->before.mac, before.mac);
  EXPECT_EQ(read->before.promisc, before.promisc);
  EXPECT_EQ(read->before.mtu, before.mtu);
  EXPECT_EQ(read->before.allmulti, before.allmulti);
  EXPECT_EQ(read->before.tx_queue_len, before.tx_queue_len);
  EXPECT_EQ(read->if_name, call.key.if_name);
}

TEST_F(BackupFile, TheReferencesHasOnlyWhatItChanged) {
  sys::create_file(path_, "{\n \"mtu\": 1450\n}", 0600);
  const auto read = read_backup(path_);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->before.mtu, 1450U);
  EXPECT_FALSE(read->before.mac || read->before.promisc || read->before.tx_queue_len);
  EXPECT_EQ(read->network, "");
}

TEST_F(BackupFile, GarbageIsNone) {
  EXPECT_FALSE(read_backup(path_));
  for (const char* text : {"", "{", "[]", "{\"mtu\": \"x\"}", "{\"mac\": 5}"}) {
    sys::remove_file(path_);
    sys::create_file(path_, text, 0600);
    EXPECT_FALSE(read_backup(path_)) << text;
  }
}

}  // namespace
}  // namespace unicni::tuning::tuning_test
