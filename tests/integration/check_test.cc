// CHECK sees what became of an attachment, and changes nothing.
#include <sstream>

#include "integration/host_test.h"

namespace unicni::test::check_test {
namespace {

using ::testing::HasSubstr;

class Check : public HostTest {
 protected:
  void SetUp() override {
    job_ = attachment(mynet_1_0());
    result_ = must_add(job_);
    expect_silent_success(job_.check(result_));
    inside_ = &container_of(job_);
    port_ = host_end(result_);
  }
  /// CHECK fails, naming `what`.
  void expect_found(const std::string& what) {
    const Snapshot before = snapshot();
    const Json error = expect_error(job_.check(result_));
    EXPECT_THAT(error["msg"], HasSubstr(what));
    EXPECT_EQ(difference(before, snapshot()), "");
  }
  Attachment job_;
  Json result_;
  Container* inside_ = nullptr;
  std::string port_;
};

TEST_F(Check, ChangesNothing) {
  const Snapshot host = snapshot();
  const Snapshot container = kernel_snapshot(inside_->fd());
  const std::string journal = read_file("/run/unicni/attachments/mynet:c1:eth0");
  expect_silent_success(job_.check(result_));
  EXPECT_EQ(difference(host, snapshot()), "");
  EXPECT_EQ(difference(container, kernel_snapshot(inside_->fd())), "");
  EXPECT_EQ(read_file("/run/unicni/attachments/mynet:c1:eth0"), journal);
}

TEST_F(Check, AddressRemoved) {
  inside_->run({"ip", "addr", "del", "10.22.0.2/16", "dev", "eth0"});
  expect_found("10.22.0.2/16");
}

TEST_F(Check, AddressReplaced) {
  inside_->run({"ip", "addr", "add", "10.22.0.2/24", "dev", "eth0"});
  inside_->run({"ip", "addr", "del", "10.22.0.2/16", "dev", "eth0"});
  expect_found("10.22.0.2/16");
}

TEST_F(Check, RouteRemoved) {
  inside_->run({"ip", "route", "del", "default"});
  expect_found("0.0.0.0/0");
}

TEST_F(Check, SubnetRouteRemoved) {
  inside_->run({"ip", "route", "del", "10.22.0.0/16"});
  expect_found("10.22.0.0/16");
}

TEST_F(Check, SubnetRouteThatLeadsNowhereIsNone) {
  inside_->run({"ip", "route", "del", "10.22.0.0/16"});
  inside_->run({"ip", "route", "add", "blackhole", "10.22.0.0/16"});
  expect_found("10.22.0.0/16");
}

TEST_F(Check, SubnetRouteMovedToAnotherTableIsNoDrift) {
  inside_->run({"ip", "route", "add", "10.22.0.0/16", "dev", "eth0", "table", "77"});
  inside_->run({"ip", "route", "del", "10.22.0.0/16", "table", "main"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, GatewayAddressRemoved) {
  tool({"ip", "addr", "del", "10.22.0.1/16", "dev", "cni0"});
  expect_found("gateway address 10.22.0.1/16 is missing on cni0");
  tool({"ip", "addr", "add", "10.22.0.1/15", "dev", "cni0"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, ForwardingSwitchedOff) {
  tool({"sysctl", "-qw", "net.ipv6.conf.all.forwarding=0"});
  expect_silent_success(job_.check(result_));
  tool({"sysctl", "-qw", "net.ipv4.ip_forward=0"});
  expect_found("the host doesn't forward IPv4");
}

/// A later plugin's entries in prevResult may have a gateway, too.
TEST_F(Check, OnlyTheGatewaysOfItsOwnAddressesAreLookedFor) {
  result_["interfaces"].push_back({{"name", "eth7"}, {"sandbox", job_.netns}});
  result_["ips"].push_back(
      {{"address", "10.99.0.2/24"}, {"gateway", "10.99.0.1"}, {"interface", 3}});
  expect_silent_success(job_.check(result_));
}

/// Each damage to addresses and routes, whatever made the interface.
class CheckOf : public HostTest, public ::testing::WithParamInterface<const char*> {
 protected:
  static Json config() {
    Json config = Json::parse(R"({"cniVersion": "1.1.0", "name": "net", "ipam": {
      "type": "host-local", "ranges": [[{"subnet": "10.18.0.0/24"}], [{"subnet": "fd00:18::/64"}]],
      "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}})");
    config.update(Json::parse(GetParam()));
    return config;
  }
};

TEST_P(CheckOf, EachDamageToAddressesAndRoutesIsSeen) {
  constexpr const char* kDamages[] = {"route del 10.18.0.0/24",
                                      "-6 route del fd00:18::/64",
                                      "route del default",
                                      "-6 route del default",
                                      "addr del 10.18.0.2/24 dev eth0",
                                      "addr del fd00:18::2/64 dev eth0",
                                      "addr flush dev eth0",
                                      "link set eth0 down"};
  tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0p"});
  tool({"ip", "link", "set", "up0", "up"});
  tool({"ip", "link", "set", "up0p", "up"});
  const Attachment job = attachment(config());
  for (const char* damage : kDamages) {
    SCOPED_TRACE(damage);
    const Json result = must_add(job);
    expect_silent_success(job.check(result));
    std::vector<std::string> words = {"ip"};
    std::istringstream text(damage);
    for (std::string word; text >> word;) words.push_back(word);
    container_of(job).run(words);
    expect_error(job.check(result));
    expect_silent_success(job.del(result));
    tool({"rm", "-rf", "/var/lib/cni/networks/net"});
  }
}

/// A later plugin of the list has its own interface, addresses and gateways in prevResult.
TEST_P(CheckOf, WhatAnotherInterfaceHasIsNotLookedFor) {
  tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0p"});
  tool({"ip", "link", "set", "up0", "up"});
  tool({"ip", "link", "set", "up0p", "up"});
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  Json later = result;
  later["interfaces"].push_back({{"name", "net7"}, {"sandbox", job.netns}});
  for (const auto& [address, gateway] :
       {std::pair("10.99.0.2/24", "10.99.0.1"), std::pair("fd00:99::2/64", "fd00:99::1")}) {
    later["ips"].push_back({{"address", address},
                            {"gateway", gateway},
                            {"interface", later["interfaces"].size() - 1}});
  }
  expect_silent_success(job.check(later));
  container_of(job).run({"ip", "route", "del", "default"});
  expect_error(job.check(later));
  expect_silent_success(job.del(later));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, CheckOf,
    ::testing::Values(R"({"type": "bridge", "bridge": "br18"})",
                      R"({"type": "bridge", "bridge": "br18", "isGateway": true})",
                      R"({"type": "ptp"})", R"({"type": "macvlan", "master": "up0"})",
                      R"({"type": "host-device", "device": "up0p"})", R"({"type": "tap"})"),
    [](const auto& each) {
      const Json changes = Json::parse(each.param);
      std::string name = changes["type"];
      std::erase(name, '-');
      return name + (changes.contains("isGateway") ? "_gateway" : "");
    });

TEST_F(Check, InterfaceRemoved) {
  tool({"ip", "link", "del", port_});
  expect_found("eth0");
}

TEST_F(Check, InterfaceRenamed) {
  inside_->run({"ip", "link", "set", "eth0", "down"});
  inside_->run({"ip", "link", "set", "eth0", "name", "eth1"});
  expect_found("eth0");
}

TEST_F(Check, InterfaceDown) {
  inside_->run({"ip", "link", "set", "eth0", "down"});
  expect_error(job_.check(result_));
  inside_->run({"ip", "link", "set", "eth0", "up"});
  inside_->run({"ip", "route", "add", "default", "via", "10.22.0.1"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, InterfaceDownIsSeenWithoutRoutes) {
  Json config = with_version(mynet(), "1.0.0");
  config["name"] = "plain";
  config["bridge"] = "br1";
  config["ipam"] = {{"type", "host-local"}, {"subnet", "10.44.0.0/16"}};
  job_ = attachment(config, "c2");
  result_ = must_add(job_);
  expect_silent_success(job_.check(result_));
  container_of(job_).run({"ip", "link", "set", "eth0", "down"});
  expect_found("eth0");
}

TEST_F(Check, HostEndDown) {
  tool({"ip", "link", "set", port_, "down"});
  expect_found(port_);
}

TEST_F(Check, WrongMaster) {
  tool({"ip", "link", "add", "br1", "type", "bridge"});
  tool({"ip", "link", "set", port_, "master", "br1"});
  expect_found(port_);
}

TEST_F(Check, NoMaster) {
  tool({"ip", "link", "set", port_, "nomaster"});
  expect_found(port_);
}

TEST_F(Check, MacChanged) {
  inside_->run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  expect_found("02:00:00:00:00:99");
}

TEST_F(Check, BridgeRemoved) {
  tool({"ip", "link", "del", "cni0"});
  expect_found("cni0");
}

TEST_F(Check, BridgeDown) {
  tool({"ip", "link", "set", "cni0", "down"});
  expect_found("cni0");
}

TEST_F(Check, BridgeMacChanged) {
  tool({"ip", "link", "set", "cni0", "address", "02:00:00:00:00:98"});
  expect_found("cni0");
}

TEST_F(Check, HairpinThatPortmapSwitchedOnIsNoDrift) {
  tool({"ip", "link", "set", port_, "type", "bridge_slave", "hairpin", "on"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, MasqueradeElementRemoved) {
  tool({"nft", "delete", "element", "inet", "unicni", "masq4_16", "{ 10.22.0.2 . 10.22.0.0 }"});
  expect_found("10.22.0.2");
}

TEST_F(Check, MasqueradeTableRemoved) {
  tool({"nft", "delete", "table", "inet", "unicni"});
  expect_found("10.22.0.2");
}

TEST_F(Check, ReservationRemoved) {
  tool({"rm", "/var/lib/cni/networks/mynet/10.22.0.2"});
  expect_found("c1");
}

TEST_F(Check, ReservationOfSomebodyElse) {
  write_file("/var/lib/cni/networks/mynet/10.22.0.2", "c7\r\neth0");
  expect_found("c1");
}

TEST_F(Check, WithoutPrevResultIsAnError) {
  EXPECT_THAT(expect_error(job_.call("CHECK", job_.config))["msg"], HasSubstr("prevResult"));
}

TEST_F(Check, WithAnotherSandboxIsAnError) {
  job_.netns = container("c2").path();
  expect_error(job_.check(result_));
}

TEST_F(Check, JudgesByPrevResultAndNotByTheConfiguration) {
  // A later plugin of the list changed the MAC and took the default route away, and said so.
  inside_->run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  inside_->run({"ip", "route", "del", "default"});
  result_["interfaces"][2]["mac"] = "02:00:00:00:00:99";
  result_.erase("routes");
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, ToleratesInterfacesOfLaterPlugins) {
  result_["interfaces"].push_back({{"name", "ifb9"}});
  result_["interfaces"].push_back({{"name", "eth7"}, {"sandbox", job_.netns}});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, WithoutTheJournalWorks) {
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job_.check(result_));
}

}  // namespace
}  // namespace unicni::test::check_test
