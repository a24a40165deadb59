#include "unicni/net/netlink.h"

#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "net/attribute.h"
#include "net/private_netns_for_test.h"
#include "net/single_request.h"
#include "unicni/error.h"
#include "unicni/net/bridge.h"
#include "unicni/net/link.h"

namespace unicni::net::netlink_test {
namespace {

using testing::HasSubstr;
class NetlinkTest : public PrivateNetnsTest {};

TEST_F(NetlinkTest, OpensInAnotherNamespaceAndReturns) {
  const NewNetns other;
  const Netns inside = other.open();
  const Netns here = Netns::current();
  Netlink netlink(inside);
  EXPECT_TRUE(Netns::current().same_as(here));
  Batch batch(netlink);
  add_bridge(batch, {"inside0", Mac::random(), 0});
  batch.commit();
  EXPECT_THAT(shell_in(inside, "ip link"), HasSubstr("inside0"));
  EXPECT_THAT(shell("ip link"), testing::Not(HasSubstr("inside0")));
}

TEST_F(NetlinkTest, AskReturnsTheKernelsErrno) {
  Netlink netlink;
  SingleRequest request(RTM_GETLINK);
  put_header<ifinfomsg>(request).ifi_index = 4711;
  int answers = 0;
  EXPECT_EQ(ENODEV, netlink.ask(request, [&](const nlmsghdr*) { ++answers; }));
  EXPECT_EQ(0, answers);
  // The connection is still in step.
  EXPECT_EQ("lo", get_link(netlink, "lo").name);
}

TEST_F(NetlinkTest, FirstFailureIsReportedAndLaterMessagesAreDone) {
  Netlink netlink;
  Batch batch(netlink);
  add_bridge(batch, {"br1", Mac::random(), 0});
  add_bridge(batch, {"br1", Mac::random(), 0});
  add_bridge(batch, {"br2", Mac::random(), 0});
  add_bridge(batch, {"br2", Mac::random(), 0});
  EXPECT_FALSE(batch.empty());
  try {
    batch.commit();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ("create bridge br1: File exists (EEXIST)", error.msg());
  }
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(0, batch.error_of(0));
  EXPECT_EQ(EEXIST, batch.error_of(1));
  EXPECT_EQ(0, batch.error_of(2));
  EXPECT_EQ(EEXIST, batch.error_of(3));
  EXPECT_TRUE(find_link(netlink, "br2"));
}

TEST_F(NetlinkTest, DetailsAreTheKernelsWords) {
  Netlink netlink;
  Batch batch(netlink);
  LinkChange change;
  change.mtu = 1U << 30U;
  change_link(batch, {1, "lo"}, change);
  change_link(batch, {4711, "gone"},
              {.up = true, .promisc = {}, .mtu = {}, .mac = {}, .arp_notify = {}});
  nl_msg* message = batch.add(RTM_NEWLINK, NLM_F_CREATE, "create a link of unknown kind");
  put_header<ifinfomsg>(message);
  {
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "nosuchkind");
  }
  EXPECT_THROW(batch.commit(), Error);
  EXPECT_EQ(ENODEV, batch.error_of(1));
  EXPECT_EQ(EOPNOTSUPP, batch.error_of(2));

  message = batch.add(RTM_NEWLINK, NLM_F_CREATE, "create a link of unknown kind");
  put_header<ifinfomsg>(message);
  {
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "nosuchkind");
  }
  try {
    batch.commit();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(),
                HasSubstr("create a link of unknown kind: Operation not supported (EOPNOTSUPP)"));
    EXPECT_EQ("Unknown device type", error.details());
  }
}

TEST_F(NetlinkTest, ToleratedErrorsAreSuccessButStillTold) {
  Netlink netlink;
  Batch batch(netlink);
  for (int i = 0; i < 2; ++i) {
    nl_msg* message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, "create br0", {EEXIST});
    put_header<ifinfomsg>(message);
    put_name(message, IFLA_IFNAME, "br0");
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "bridge");
  }
  batch.commit();
  EXPECT_EQ(0, batch.error_of(0));
  EXPECT_EQ(EEXIST, batch.error_of(1));
}

TEST_F(NetlinkTest, AnEmptyBatchIsNoWork) {
  Netlink netlink;
  Batch batch(netlink);
  EXPECT_TRUE(batch.empty());
  EXPECT_NO_THROW(batch.commit());
}

TEST_F(NetlinkTest, LargeBatchesLoseNoAcknowledgement) {
  Netlink netlink;
  Batch batch(netlink);
  constexpr std::size_t kCount = 3000;
  for (std::size_t i = 0; i < kCount; ++i) {
    LinkChange change;
    change.up = true;
    change_link(batch, {i % 2 == 0 ? 1 : 4711, "lo"}, change);
  }
  EXPECT_THROW(batch.commit(), Error);
  EXPECT_EQ(0, batch.error_of(kCount - 2));
  EXPECT_EQ(ENODEV, batch.error_of(kCount - 1));
}

TEST_F(NetlinkTest, ImpossibleNamesAreRefusedBeforeTheKernel) {
  Netlink netlink;
  Batch batch(netlink);
  EXPECT_THROW(add_bridge(batch, {std::string(16, 'x'), Mac::random(), 0}), Error);
  EXPECT_THROW(add_bridge(batch, {std::string(5000, 'x'), Mac::random(), 0}), Error);
  EXPECT_FALSE(find_link(netlink, std::string(5000, 'x')));
}

}  // namespace
}  // namespace unicni::net::netlink_test
