#include "unicni/net/addr.h"

#include <gmock/gmock.h>

#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net::addr_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class AddrTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    shell("ip link add v0 type veth peer name v1; ip link set v1 up");
    netlink_.emplace();
    v0_ = get_link(*netlink_, "v0").index;
  }
  std::optional<Netlink> netlink_;
  int v0_ = 0;
};

TEST_F(AddrTest, Ipv4HasTheBroadcastAddressOfItsSubnet) {
  Batch batch(*netlink_);
  add_addr(batch, {v0_, "v0"}, ip_net("10.1.2.3/24"), Dad::skip, false);
  add_addr(batch, {v0_, "v0"}, ip_net("10.9.0.1/31"), Dad::kernel, false);
  add_addr(batch, {v0_, "v0"}, ip_net("10.8.0.1/32"), Dad::kernel, false);
  batch.commit();
  const std::string text = shell("ip -4 addr show v0");
  EXPECT_THAT(text, HasSubstr("inet 10.1.2.3/24 brd 10.1.2.255 scope global v0"));
  EXPECT_THAT(text, HasSubstr("inet 10.9.0.1/31 scope global v0"));
  EXPECT_THAT(text, HasSubstr("inet 10.8.0.1/32 scope global v0"));
}

TEST_F(AddrTest, NodadIsNeverTentative) {
  Batch batch(*netlink_);
  LinkChange up;
  up.up = true;
  change_link(batch, {v0_, "v0"}, up);
  add_addr(batch, {v0_, "v0"}, ip_net("fd00::5/64"), Dad::skip, false);
  add_addr(batch, {v0_, "v0"}, ip_net("fd00::6/64"), Dad::kernel, false);
  batch.commit();
  const std::string text = shell("ip -6 addr show v0 scope global");
  EXPECT_THAT(text, HasSubstr("fd00::5/64 scope global nodad"));
  EXPECT_THAT(shell("ip -6 addr show dev v0 tentative scope global"), Not(HasSubstr("fd00::5")));
  EXPECT_THAT(shell("ip -6 addr show dev v0 tentative scope global"), HasSubstr("fd00::6"));
}

TEST_F(AddrTest, ALinkLocalAddressIsReadyAtOnceWhateverItsLinkHasOfOne) {
  shell("ip link set v0 up");
  const IpNet own = ip_net("fe80::77/64");
  const auto tentative = [&] { return shell("ip -6 addr show dev v0 tentative scope link"); };
  // The kernel's own one comes with the carrier, a moment later or already.
  const IpNet first = ready_link_local(*netlink_, {v0_, "v0"}, own);
  EXPECT_THAT(tentative(), Not(HasSubstr(first.str())));
  EXPECT_THAT(shell("ip -6 addr show dev v0"), HasSubstr(first.str()));
  EXPECT_EQ(ready_link_local(*netlink_, {v0_, "v0"}, ip_net("fe80::78/64")), first);
  shell("ip -6 addr flush dev v0");
  EXPECT_EQ(ready_link_local(*netlink_, {v0_, "v0"}, own), own);
  shell("ip -6 addr flush dev v0; ip addr add fe80::79/64 dev v0");
  EXPECT_THAT(tentative(), HasSubstr("fe80::79/64"));
  EXPECT_EQ(ready_link_local(*netlink_, {v0_, "v0"}, own), ip_net("fe80::79/64"));
  EXPECT_EQ(tentative(), "");
}

TEST_F(AddrTest, AnAddressThatIsNotPreferredAnyMoreStaysAsItWas) {
  const IpNet own = ip_net("fd00::5/128");
  const LinkRef v0{v0_, "v0"};
  EXPECT_FALSE(set_preferred_time(*netlink_, v0, own, std::nullopt)) << "it isn't made";
  EXPECT_EQ(shell("ip -6 addr show v0"), "");
  Batch batch(*netlink_);
  add_addr(batch, v0, own, Dad::skip, false);
  batch.commit();
  const auto show = [] { return shell("ip -6 addr show v0 scope global"); };
  const std::string before = show();
  EXPECT_TRUE(set_preferred_time(*netlink_, v0, own, std::chrono::seconds(90)));
  EXPECT_THAT(show(), HasSubstr("fd00::5/128 scope global nodad"));
  EXPECT_THAT(show(), testing::ContainsRegex("valid_lft forever preferred_lft (90|8[0-9])sec"));
  EXPECT_TRUE(set_preferred_time(*netlink_, v0, own, std::chrono::seconds(-1)));
  EXPECT_THAT(show(), HasSubstr("deprecated"));
  EXPECT_TRUE(set_preferred_time(*netlink_, v0, own, std::nullopt));
  EXPECT_EQ(show(), before);
}

TEST_F(AddrTest, ListIsOfOneLinkIpv4First) {
  shell("ip addr add 10.7.0.1/24 dev v1; ip addr add fd07::1/64 dev v1");
  Batch batch(*netlink_);
  add_addr(batch, {v0_, "v0"}, ip_net("fd00::5/64"), Dad::skip, false);
  add_addr(batch, {v0_, "v0"}, ip_net("10.1.2.3/24"), Dad::skip, false);
  batch.commit();
  shell("ip addr add 10.2.0.1 peer 10.2.0.2/32 dev v0");
  EXPECT_THAT(list_addrs(*netlink_, v0_),
              ElementsAre(ip_net("10.1.2.3/24"), ip_net("10.2.0.1/32"), ip_net("fd00::5/64")));
}

TEST_F(AddrTest, ExistingIsSuccessOnlyIfAllowed) {
  Batch batch(*netlink_);
  for (const char* text : {"10.1.2.3/24", "fd00::5/64"}) {
    add_addr(batch, {v0_, "v0"}, ip_net(text), Dad::skip, false);
    add_addr(batch, {v0_, "v0"}, ip_net(text), Dad::skip, true);
    EXPECT_NO_THROW(batch.commit()) << text;
    add_addr(batch, {v0_, "v0"}, ip_net(text), Dad::skip, false);
    try {
      batch.commit();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(),
                  HasSubstr("add address " + std::string(text) + " to v0: File exists (EEXIST)"));
    }
  }
}

TEST_F(AddrTest, RemovingToleratesAbsenceIfAllowed) {
  Batch batch(*netlink_);
  for (const char* text : {"10.1.2.3/24", "fd00::5/64"}) {
    add_addr(batch, {v0_, "v0"}, ip_net(text), Dad::skip, false);
    remove_addr(batch, {v0_, "v0"}, ip_net(text), false);
    remove_addr(batch, {v0_, "v0"}, ip_net(text), true);
    EXPECT_NO_THROW(batch.commit()) << text;
    remove_addr(batch, {v0_, "v0"}, ip_net(text), false);
    EXPECT_THROW(batch.commit(), Error);
  }
  EXPECT_TRUE(list_addrs(*netlink_, v0_).empty());
}

}  // namespace
}  // namespace unicni::net::addr_test
