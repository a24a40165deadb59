#include "unicni/net/qdisc.h"

#include <gmock/gmock.h>

#include <fstream>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/ifb.h"
#include "unicni/net/link.h"
#include "unicni/net/veth.h"

namespace unicni::net::qdisc_test {
namespace {

using testing::HasSubstr;

TEST(TokenBucketTest, IsTheReferences) {
  struct Case {
    std::uint64_t rate, burst;
    TokenBucket bucket;
  };
  for (const Case& each : {Case{8, 8, {1, 1, 15625000}}, Case{16, 8, {2, 1, 7812500}},
                           Case{1000000, 8000000, {125000, 1003125, 125000000}},
                           Case{10000000, 1000000, {1250000, 156250, 1562500}}}) {
    EXPECT_EQ(token_bucket(each.rate, each.burst), each.bucket) << each.rate;
  }
}

TEST(TokenBucketTest, WhatDoesNotFitIsTheMost) {
  // containerd's burst: 429 s at 10 Mbit/s, 6.7e9 ticks. The low 32 bits would be 154 s.
  const TokenBucket large = token_bucket(10'000'000, 4294967295);
  EXPECT_EQ(large.buffer, 4294967295U);
  EXPECT_EQ(large.limit, 536870911U + 31250U);
  EXPECT_EQ(token_bucket(8, 34359738351), (TokenBucket{1, 4294967293U, 4294967295U}));
  EXPECT_EQ(token_bucket(40'000'000'000, 34359738351).limit, 4294967295U);
}

class QdiscTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    shell("ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up");
    netlink_.emplace();
    v0_ = get_link(*netlink_, "v0").index;
  }
  void add(const TokenBucket& bucket) {
    Batch batch(*netlink_);
    add_token_bucket(batch, {v0_, "v0"}, bucket);
    batch.commit();
  }
  std::optional<Netlink> netlink_;
  int v0_ = 0;
};

TEST_F(QdiscTest, TicksAreTheKernels) {
  std::ifstream file("/proc/net/psched");
  double words[3]{};  // hexadecimal, psched_show()
  for (double& word : words) {
    unsigned value = 0;
    ASSERT_TRUE(file >> std::hex >> value);
    word = value;
  }
  EXPECT_EQ(words[0] / words[1] * (words[2] / 1e6), kPschedTicksPerUs);
}

TEST_F(QdiscTest, BucketComesBackAsItWasGiven) {
  EXPECT_FALSE(find_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::root));
  EXPECT_FALSE(remove_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::root));
  for (const std::uint64_t rate : {8'000ULL, 1'000'000ULL, 400'000'000'000ULL}) {
    const TokenBucket bucket = token_bucket(rate, 8'000'000);
    add(bucket);
    const auto found = find_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::root);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->kind, "tbf");
    EXPECT_EQ(found->bucket, bucket) << rate;
    EXPECT_TRUE(remove_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::root));
    EXPECT_FALSE(find_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::root));
  }
}

TEST_F(QdiscTest, BucketIsWhatTcShows) {
  add(token_bucket(1'000'000, 8'000'000));
  EXPECT_THAT(shell("tc -d qdisc show dev v0"),
              testing::AllOf(HasSubstr("tbf 1: root"), HasSubstr("rate 1Mbit"),
                             HasSubstr("burst 1000000b"), HasSubstr("lat 25")));
}

TEST_F(QdiscTest, ASecondBucketIsRefused) {
  add(token_bucket(1'000'000, 8'000'000));
  try {
    add(token_bucket(1'000'000, 8'000'000));
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), testing::AllOf(HasSubstr("limit v0"), HasSubstr("EEXIST")));
  }
}

TEST_F(QdiscTest, RedirectGoesToTheIfb) {
  EXPECT_FALSE(find_redirect(*netlink_, {v0_, "v0"}));
  LinkSpec spec;
  spec.name = "bwp0";
  spec.mac = Mac::random();
  spec.mtu = 1400;
  Batch batch(*netlink_);
  add_ifb(batch, spec, "net/c1/eth0");
  batch.commit();
  const Link ifb = get_link(*netlink_, "bwp0");
  EXPECT_EQ(ifb.kind, "ifb");
  EXPECT_EQ(ifb.alias, "net/c1/eth0");
  EXPECT_EQ(ifb.mtu, 1400U);
  EXPECT_EQ(ifb.tx_queue_len, 0U);
  EXPECT_FALSE(ifb.up);
  redirect_received(batch, {v0_, "v0"}, {ifb.index, "bwp0"});
  batch.commit();
  EXPECT_EQ(find_redirect(*netlink_, {v0_, "v0"}), ifb.index);
  EXPECT_EQ(find_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::ingress)->kind, "ingress");
  EXPECT_THAT(shell("tc filter show dev v0 ingress"),
              testing::AllOf(HasSubstr("protocol all pref 1 u32"), HasSubstr("flowid 1:1"),
                             HasSubstr("match 00000000/00000000 at 0"),
                             HasSubstr("mirred (Egress Redirect to device bwp0) stolen")));
  EXPECT_TRUE(remove_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::ingress));
  EXPECT_FALSE(find_redirect(*netlink_, {v0_, "v0"}));
  EXPECT_FALSE(find_qdisc(*netlink_, {v0_, "v0"}, QdiscPlace::ingress));
}

TEST_F(QdiscTest, RedirectOfTwoActionsIsFoundToo) {
  shell(
      "ip link add bwp1 type ifb && tc qdisc add dev v0 ingress && tc filter add dev v0 parent "
      "ffff: protocol all prio 1 u32 match u32 0 0 flowid 1:1 action mirred egress redirect dev "
      "bwp1 action mirred egress redirect dev bwp1");
  EXPECT_EQ(find_redirect(*netlink_, {v0_, "v0"}), get_link(*netlink_, "bwp1").index);
}

TEST_F(QdiscTest, KindsAreKnownOrNot) {
  EXPECT_TRUE(knows_link_kind(*netlink_, kIfb));
  EXPECT_TRUE(knows_link_kind(*netlink_, kVeth));
  EXPECT_FALSE(knows_link_kind(*netlink_, {"no-such-kind", ""}));
  EXPECT_EQ(shell("ip -br link show type ifb"), "");
}

}  // namespace
}  // namespace unicni::net::qdisc_test
