#include "netfilter/reference/reference_name.h"

#include <gtest/gtest.h>

namespace unicni::net::reference_name_test {
namespace {

// What the reference's own tests expect, and what it was seen to make.
TEST(ReferenceName, MasqueradeChain) {
  EXPECT_EQ("CNI-2bbe0c48b91a7d1b8a6753a8", reference_masquerade_chain("test", "1234"));
  EXPECT_EQ("CNI-374f33fe84ab0ed84dcdebe3",
            reference_masquerade_chain("testalongnamethatdoesnotmakesense", "1234"));
  EXPECT_EQ("CNI-5145007e2a8415ce07579739", reference_masquerade_chain("mynet", "ctr1"));
}

TEST(ReferenceName, MasqueradeInstance) {
  EXPECT_EQ("d23676b4f2d9fe04-7883a6f9ce71eedb",
            reference_masquerade_instance("mynet", "ctr1", "eth0"));
  EXPECT_EQ("6fd94d501e58f0aa-287fc69eff0574a2",
            reference_masquerade_instance("unit-test", "one", "eth0"));
  EXPECT_EQ("6fd94d501e58f0aa-d750b2c8f0f25d5f",
            reference_masquerade_instance("unit-test", "two", "eth0"));
  EXPECT_EQ("82783ef24bdc7036-acb19d111858e348",
            reference_masquerade_instance("alternate", "three", "net1"));
}

TEST(ReferenceName, Comments) {
  EXPECT_EQ(R"(name: "mynet" id: "ctr1")", reference_masquerade_comment("mynet", "ctr1"));
  const ReferenceSpoofCheck names = reference_spoof_check("ctr1", "eth0");
  EXPECT_EQ("cni-br-iface-ctr1-eth0", names.interface_chain);
  EXPECT_EQ("cni-br-iface-ctr1-eth0-mac", names.mac_chain);
}

}  // namespace
}  // namespace unicni::net::reference_name_test
