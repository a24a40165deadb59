// ipMasq of several networks on one host: what one of them is, or was, means nothing for another.
#include <string>
#include <vector>

#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::masquerade_networks_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kHost = "192.0.2.1";
constexpr const char* kHost6 = "2001:db8::1";

/// Networks a, whose subnets are large, and b, whose subnets are inside of a's.
class MasqueradeNetworks : public HostTest {
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
    outside_->run({"ip", "route", "add", "10.0.0.0/8", "via", kHost});
    outside_->run({"ip", "route", "add", "fd00::/16", "via", kHost6});
    // Outside, with addresses that the networks' subnets cover.
    for (const char* address : {kInA, kInB}) {
      outside_->run({"ip", "addr", "add", address, "dev", "lo"});
      tool({"ip", "route", "add", address, "via", "192.0.2.2"});
    }
    for (const char* address : {kInA6, kInB6}) {
      outside_->run({"ip", "addr", "add", address, "dev", "lo", "nodad"});
      tool({"ip", "route", "add", address, "via", "2001:db8::2"});
    }
  }
  static Json network(const std::string& name, const std::string& v4, const std::string& v6,
                      const std::string& bridge = "") {
    Json config = Json::parse(R"({"cniVersion": "1.0.0", "type": "bridge", "isDefaultGateway": true,
                                  "ipMasq": true, "ipam": {"type": "host-local"}})");
    config["name"] = name;
    config["bridge"] = bridge.empty() ? "br" + name : bridge;
    config["ipam"]["ranges"] = {{{{"subnet", v4}}}, {{{"subnet", v6}}}};
    return config;
  }
  static Json a() { return network("a", "10.0.0.0/8", "fd00::/16"); }
  static Json b() { return network("b", "10.22.0.0/16", "fd00:22::/32"); }
  /// What `to`, outside, sees of a datagram of the container, which goes through the host even
  /// where the container takes the address for its neighbour's.
  std::string seen(const Attachment& job, const std::string& to) {
    const Container& inside = container_of(job);
    const bool v6 = to.find(':') != to.npos;
    std::string gateway;
    for (const std::string& route : routes_of(inside.fd())) {
      const std::string begin = v6 ? "default6 via " : "default via ";
      if (route.starts_with(begin)) gateway = route.substr(begin.size());
    }
    inside.run({"ip", v6 ? "-6" : "-4", "route", "replace", to, "via", gateway});
    return source_seen(inside.fd(), outside_->fd(), to, ++port_);
  }
  static std::string address(const Json& result, std::size_t index) {
    const std::string text = result["ips"][index]["address"];
    return text.substr(0, text.find('/'));
  }
  static std::string listing() { return tool({"nft", "list", "ruleset"}).out; }

  static constexpr const char* kInA = "10.200.0.2";
  static constexpr const char* kInA6 = "fd00:200::2";
  static constexpr const char* kInB = "10.22.200.2";
  static constexpr const char* kInB6 = "fd00:22:200::2";
  Container* outside_ = nullptr;
  int port_ = 9000;
};

TEST_F(MasqueradeNetworks, NestedSubnetsOfLivingNetworksDontMix) {
  for (const bool large_first : {true, false}) {
    SCOPED_TRACE(large_first);
    const Attachment first = attachment(large_first ? a() : b(), large_first ? "c1" : "c3");
    const Json of_first = must_add(first);
    const Attachment second = attachment(large_first ? b() : a(), large_first ? "c2" : "c4");
    const Json of_second = must_add(second);
    const Attachment& in_a = large_first ? first : second;
    const Attachment& in_b = large_first ? second : first;
    const Json& of_a = large_first ? of_first : of_second;
    const Json& of_b = large_first ? of_second : of_first;

    EXPECT_EQ(seen(in_b, kInA), kHost) << "inside of a's subnet, not of b's";
    EXPECT_EQ(seen(in_b, kInA6), kHost6);
    EXPECT_EQ(seen(in_b, kInB), address(of_b, 0));
    EXPECT_EQ(seen(in_b, kInB6), address(of_b, 1));
    EXPECT_EQ(seen(in_a, kInA), address(of_a, 0));
    EXPECT_EQ(seen(in_a, kInA6), address(of_a, 1));
    EXPECT_EQ(seen(in_a, kInB), address(of_a, 0));
    EXPECT_EQ(seen(in_a, kInB6), address(of_a, 1));
    for (const Attachment* job : {&in_a, &in_b}) {
      EXPECT_EQ(seen(*job, "192.0.2.2"), kHost);
      EXPECT_EQ(seen(*job, "2001:db8::2"), kHost6);
    }
    expect_silent_success(in_a.check(of_a));
    expect_silent_success(in_b.check(of_b));

    expect_silent_success(in_a.del(of_a));
    EXPECT_EQ(seen(in_b, kInA), kHost);
    EXPECT_EQ(seen(in_b, kInB), address(of_b, 0));
    EXPECT_THAT(listing(), AllOf(Not(HasSubstr(". 10.0.0.0 ")), HasSubstr(". 10.22.0.0 ")));
    expect_silent_success(in_b.del(of_b));
    tool({"ip", "link", "del", "bra"});
    tool({"ip", "link", "del", "brb"});
  }
}

TEST_F(MasqueradeNetworks, AFormerSubnetOfTheNameIsForgotten) {
  const Attachment before = attachment(network("lab", "10.0.0.0/8", "fd00::/16"), "c1");
  must_add(before);
  expect_silent_success(before.del());
  tool({"ip", "link", "del", "brlab"});
  const Attachment job = attachment(network("lab", "10.22.0.0/16", "fd00:22::/32"), "c2");
  const Json result = must_add(job);
  EXPECT_EQ(seen(job, kInA), kHost);
  EXPECT_EQ(seen(job, kInA6), kHost6);
  EXPECT_EQ(seen(job, kInB), address(result, 0));
  expect_silent_success(job.check(result));
}

TEST_F(MasqueradeNetworks, AttachmentsWithDifferentSubnetsOfOneNameLiveBesideEachOther) {
  const Attachment old = attachment(network("lab", "10.22.0.0/16", "fd00:22::/32"), "c1");
  const Json of_old = must_add(old);
  Json moved = network("lab", "10.200.0.0/16", "fd00:200::/32", "br2");
  moved["ipam"]["ranges"][0][0]["rangeStart"] = "10.200.1.2";  // not those of outside
  moved["ipam"]["ranges"][1][0]["rangeStart"] = "fd00:200:1::2";
  const Attachment now = attachment(moved, "c2");
  const Json of_now = must_add(now);
  EXPECT_EQ(seen(old, kInB), address(of_old, 0));
  EXPECT_EQ(seen(old, kInA), kHost);
  EXPECT_EQ(seen(now, kInA), address(of_now, 0));
  EXPECT_EQ(seen(now, kInB), kHost);
  EXPECT_EQ(seen(now, kInB6), kHost6);
  expect_silent_success(old.check(of_old));
  expect_silent_success(now.check(of_now));
  expect_silent_success(old.del(of_old));
  EXPECT_EQ(seen(now, kInA), address(of_now, 0));
  EXPECT_EQ(seen(now, "192.0.2.2"), kHost);
  EXPECT_THAT(listing(), Not(HasSubstr("10.22.0")));
}

TEST_F(MasqueradeNetworks, CheckSeesAMissingElementAndRule) {
  const Attachment job = attachment(b(), "c1");
  const Json result = must_add(job);
  const auto expect_broken = [&](const std::string& part) {
    EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr(part));
  };
  tool({"nft", "delete", "element", "inet", "unicni", "masq4_16", "{ 10.22.0.2 . 10.22.0.0 }"});
  expect_broken("10.22.0.2 . 10.22.0.0 in set masq4_16");
  tool({"nft", "add", "element", "inet", "unicni", "masq4_16",
        "{ 10.22.0.2 . 10.22.0.0 comment \"b/c1/eth0\" }"});
  expect_silent_success(job.check(result));

  tool({"nft", "flush", "chain", "inet", "unicni", "masq4_16"});
  expect_broken("chain masq4_16 of table inet unicni lacks rules");
  must_add(attachment(b(), "c2"));  // mends it
  expect_silent_success(job.check(result));
  EXPECT_EQ(seen(job, kInA), kHost);
}

TEST_F(MasqueradeNetworks, AFlushedRulesetComesBackWithTheLivingOnly) {
  const Attachment gone = attachment(a(), "c1");
  must_add(gone);
  expect_silent_success(gone.del());
  const Attachment job = attachment(b(), "c2");
  const Json result = must_add(job);
  tool({"nft", "flush", "ruleset"});
  const Attachment next = attachment(network("c", "10.33.0.0/16", "fd00:33::/32"), "c3");
  must_add(next);
  EXPECT_THAT(listing(), AllOf(HasSubstr(". 10.22.0.0 "), Not(HasSubstr(". 10.0.0.0 "))));
  EXPECT_EQ(seen(job, kInA), kHost);
  EXPECT_EQ(seen(job, kInB), address(result, 0));
  expect_silent_success(job.check(result));
}

/// bridge, firewall with a policy, and portmap.
Json whole_list(const std::string& name, const std::string& subnet) {
  Json bridge = Json::parse(R"({"type": "bridge", "isDefaultGateway": true, "ipMasq": true,
                                "ipam": {"type": "host-local"}})");
  bridge["bridge"] = "br" + name;
  bridge["ipam"]["subnet"] = subnet;
  const Json firewall = {{"type", "firewall"}, {"ingressPolicy", "same-bridge"}};
  const Json portmap = Json::parse(
      R"({"type": "portmap", "capabilities": {"portMappings": true}, "markMasqBit": 13,
          "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80,
                                              "protocol": "tcp"}]}})");
  return {{"cniVersion", "1.0.0"},
          {"name", name},
          {"type", "unicni"},
          {"plugins", {bridge, firewall, portmap}}};
}

TEST_F(MasqueradeNetworks, NothingOfANetworkIsLeftAfterItsLastAttachment) {
  Json lonely = whole_list("lonely", "10.44.0.0/16");
  Json ports = lonely["plugins"][2];
  lonely["plugins"].erase(2);
  const Attachment stays = attachment(lonely, "c1");
  must_add(stays);
  const Attachment job = attachment(whole_list("other", "10.55.0.0/16"), "c2");
  must_add(job);
  EXPECT_THAT(listing(), AllOf(HasSubstr("brother"), HasSubstr(". 10.55.0.0 ")));
  expect_silent_success(job.del());
  EXPECT_THAT(listing(), AllOf(Not(HasSubstr("other")), Not(HasSubstr("10.55.0")),
                               HasSubstr("brlonely"), HasSubstr(". 10.44.0.0 ")));
  expect_silent_success(stays.del());
  EXPECT_THAT(listing(), AllOf(Not(HasSubstr("lonely")), Not(HasSubstr("10.44.0"))));
}

TEST_F(MasqueradeNetworks, GcOfALostJournalLeavesNothingEither) {
  const Attachment job = attachment(b(), "c1");
  must_add(job);
  const Attachment stays = attachment(a(), "c2");
  must_add(stays);
  for (const std::string& name : files_in(kJournals)) {
    if (name.starts_with("b:")) tool({"rm", std::string(kJournals) + '/' + name});
  }
  Attachment collector = job;
  collector.config["cniVersion"] = "1.1.0";
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_THAT(listing(), AllOf(Not(HasSubstr("10.22.0")), HasSubstr(". 10.0.0.0 ")));
}

TEST_F(MasqueradeNetworks, AHostEndOfPtpLeavesNoInterfaceBehind) {
  Json ptp = Json::parse(R"({"type": "ptp", "ipMasq": true,
                             "ipam": {"type": "host-local", "subnet": "10.66.0.0/16",
                                      "routes": [{"dst": "0.0.0.0/0"}]}})");
  const Json list = {{"cniVersion", "1.0.0"},
                     {"name", "p"},
                     {"type", "unicni"},
                     {"plugins", {ptp, {{"type", "firewall"}}}}};
  const Attachment one = attachment(list, "c1");
  must_add(one);
  const Attachment two = attachment(list, "c2");
  must_add(two);
  EXPECT_EQ(nft_elements("net_if").size(), 2U);
  EXPECT_EQ(seen(one, "192.0.2.2"), kHost);
  expect_silent_success(one.del());
  EXPECT_EQ(nft_elements("net_if").size(), 1U);
  expect_silent_success(two.del());
  EXPECT_THAT(nft_elements("net_if"), IsEmpty());
  EXPECT_THAT(listing(), Not(HasSubstr("10.66")));
}

}  // namespace
}  // namespace unicni::test::masquerade_networks_test
