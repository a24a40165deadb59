// ipMasq seen from the other end of the wire.
#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::masquerade_test {
namespace {

using ::testing::HasSubstr;

class Masquerade : public HostTest {
 protected:
  void SetUp() override {
    outside_ = &container("outside");
    tool({"ip", "link", "add", "out0", "type", "veth", "peer", "name", "up0", "netns",
          outside_->path()});
    for (const char* address : {"192.0.2.1/24", "2001:db8::1/64"}) {
      tool({"ip", "addr", "add", address, "dev", "out0", "nodad"});
    }
    tool({"ip", "link", "set", "out0", "up"});
    for (const char* address : {"192.0.2.2/24", "2001:db8::2/64"}) {
      outside_->run({"ip", "addr", "add", address, "dev", "up0", "nodad"});
    }
    outside_->run({"ip", "link", "set", "up0", "up"});
  }
  static Json dual(bool masquerade) {
    Json config = Json::parse(R"({
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0", "isDefaultGateway": true,
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}
    })");
    config["ipMasq"] = masquerade;
    return config;
  }
  Container* outside_ = nullptr;
};

TEST_F(Masquerade, OutsideSeesTheHostAndNeighboursSeeTheContainer) {
  const Attachment first = attachment(dual(true), "c1");
  const Attachment second = attachment(dual(true), "c2");
  must_add(first);
  must_add(second);
  const int one = container_of(first).fd();
  const int two = container_of(second).fd();
  EXPECT_EQ(source_seen(one, outside_->fd(), "192.0.2.2", 9001), "192.0.2.1");
  EXPECT_EQ(source_seen(two, outside_->fd(), "192.0.2.2", 9002), "192.0.2.1");
  EXPECT_EQ(source_seen(one, outside_->fd(), "2001:db8::2", 9003), "2001:db8::1");
  EXPECT_EQ(source_seen(one, two, "10.1.2.3", 9004), "10.1.2.2");
  EXPECT_EQ(source_seen(one, two, "fd00:1:2::3", 9005), "fd00:1:2::2");
  EXPECT_TRUE(pings(one, "192.0.2.2"));
  EXPECT_TRUE(pings(one, "2001:db8::2"));

  expect_silent_success(first.del());
  EXPECT_EQ(source_seen(two, outside_->fd(), "192.0.2.2", 9006), "192.0.2.1");
}

TEST_F(Masquerade, WithoutItTheSourceStaysAsItIs) {
  const Attachment masked = attachment(dual(true), "c1");
  const Attachment plain = attachment(dual(false), "c2");
  must_add(masked);
  must_add(plain);
  EXPECT_EQ(source_seen(container_of(plain).fd(), outside_->fd(), "192.0.2.2", 9001), "10.1.2.3");
}

TEST_F(Masquerade, RulesetOfOthersStaysAsItIs) {
  write_file("/run/other.nft", R"(
    table ip other {
      chain forward { type filter hook forward priority 0
        ip saddr 10.1.2.3 counter accept
      }
    }
    table inet another {
      set s { type ipv4_addr
        elements = { 10.1.2.2 }
      }
    }
  )");
  tool({"nft", "-f", "/run/other.nft"});
  const auto others = [] {
    return tool({"nft", "-a", "list", "table", "ip", "other"}).out +
           tool({"nft", "-a", "list", "table", "inet", "another"}).out;
  };
  const std::string before = others();
  const Attachment job = attachment(dual(true));
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  EXPECT_EQ(others(), before);
  expect_silent_success(job.del());
  EXPECT_EQ(others(), before);
}

TEST_F(Masquerade, AddressOfAnotherOwnerIsRefusedByName) {
  const Attachment job = attachment(dual(true), "c1");
  must_add(job);
  tool(
      {"rm", "/var/lib/cni/networks/net/10.1.2.2", "/var/lib/cni/networks/net/last_reserved_ip.0"});
  const Attachment thief = attachment(dual(true), "c2");
  const Snapshot before = snapshot();
  const Json error = expect_error(thief.add());
  EXPECT_THAT(error["msg"], HasSubstr("net/c1/eth0"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::masquerade_test
