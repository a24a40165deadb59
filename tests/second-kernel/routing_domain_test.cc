// vrf: the interface and its routes in a routing domain of their own, and out of it again.
#include <filesystem>
#include <fstream>

#include "integration/chained.h"
#include "integration/differential.h"
#include "support/traffic.h"

namespace unicni::test::routing_domain_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json blue(int table = 0) {
  Json config = {{"type", "vrf"}, {"vrfname", "blue"}};
  if (table != 0) config["table"] = table;
  return config;
}

class RoutingDomain : public ChainedTest {
 protected:
  /// Without the rule that the kernel makes with a namespace's first VRF, and keeps.
  static Snapshot state(int netns) {
    Snapshot all = kernel_snapshot(netns);
    std::erase_if(all,
                  [](const auto& each) { return each.first.find("l3mdev") != std::string::npos; });
    return all;
  }
  Attachment dual(const std::string& version = "1.0.0") {
    return attachment(with_version(
        Json::parse(
            R"({"name": "mynet", "type": "bridge", "bridge": "cni0", "isDefaultGateway": true,
                "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.22.0.0/16"}], [{"subnet": "fd00:22::/64"}]]}})"),
        version));
  }
  /// "default via 10.22.0.1" … of a table, both families, without link-local ones.
  static std::vector<std::string> table(const std::string& id, int netns) {
    std::vector<std::string> lines;
    for (const char* family : {"-4", "-6"}) {
      for (const Json& route :
           tool_json({"ip", family, "-j", "route", "show", "table", "all"}, netns)) {
        const std::string dst = route.value("dst", "");
        const bool local = route.value("type", "unicast") != "unicast";
        if (route.value("table", "main") != id || local || dst.starts_with("fe80")) continue;
        lines.push_back(
            dst + (route.contains("gateway") ? " via " + route["gateway"].get<std::string>() : ""));
      }
    }
    return lines;
  }
};

TEST_F(RoutingDomain, TakesAddressesAndRoutesAlongAndBack) {
  const Attachment first = dual();
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  const Snapshot before = state(inside);
  const Attachment job = after(first, bridge, blue());
  EXPECT_EQ(must_add(job), bridge);
  EXPECT_EQ(find_link("eth0", inside)->at("master"), "blue");
  EXPECT_EQ(find_link("blue", inside)->at("linkinfo")["info_data"]["table"], 1);
  EXPECT_THAT(addresses_of("eth0", inside), ElementsAre("10.22.0.2/16", "fd00:22::2/64"));
  EXPECT_THAT(table("1", inside), ElementsAre("default via 10.22.0.1", "10.22.0.0/16",
                                              "fd00:22::/64", "default via fd00:22::1"));
  EXPECT_THAT(table("main", inside), IsEmpty());
  EXPECT_TRUE(container_of(first).succeeds({"ping", "-c1", "-W5", "-I", "blue", "10.22.0.1"}));
  EXPECT_TRUE(container_of(first).succeeds({"ping", "-c1", "-W5", "-I", "blue", "fd00:22::1"}));
  expect_silent_success(job.check(bridge));
  expect_silent_success(first.check(bridge));
  must_add(job);
  expect_silent_success(job.del(bridge));
  expect_silent_success(job.del(bridge));
  EXPECT_EQ(difference(before, state(inside)), "");
  expect_silent_success(first.del());
}

TEST_F(RoutingDomain, InterfacesShareIt) {
  const Attachment first = dual();
  Attachment second = first;
  second.if_name = "net1";
  second.config["name"] = "othernet";
  second.config["bridge"] = "cni1";
  second.config["ipam"] = {{"type", "host-local"}, {"subnet", "10.33.0.0/16"}};
  second.config.erase("isDefaultGateway");
  const Json one_result = must_add(first);
  const Json two_result = must_add(second);
  const Attachment one = after(first, one_result, blue(77));
  const Attachment two = after(second, two_result, blue());
  must_add(one);
  must_add(two);
  const int inside = container_of(first).fd();
  EXPECT_EQ(find_link("net1", inside)->at("master"), "blue");
  EXPECT_THAT(expect_error(after(second, two_result, blue(78)).check(two_result))["msg"],
              HasSubstr("has table 77, not 78"));
  expect_silent_success(one.del(one_result));
  expect_silent_success(two.check(two_result));
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(two.del());
  EXPECT_FALSE(find_link("blue", inside)) << "the last one takes it along";
}

TEST_F(RoutingDomain, WhatDoesNotFitIsRefused) {
  const Attachment first = dual("1.1.0");
  const Json bridge = must_add(first);
  const Container& c = container_of(first);
  c.run({"ip", "link", "add", "blue", "type", "vrf", "table", "40"});
  const Snapshot before = kernel_snapshot(c.fd());
  EXPECT_THAT(expect_error(after(first, bridge, blue(41)).add(), 7)["msg"],
              HasSubstr("VRF blue already exist with different routing table 40"));
  EXPECT_EQ(difference(before, kernel_snapshot(c.fd())), "");
  c.run({"ip", "link", "add", "red", "type", "vrf", "table", "42"});
  c.run({"ip", "link", "set", "eth0", "master", "red"});
  const Attachment job = after(first, bridge, blue());
  EXPECT_THAT(expect_error(job.add())["msg"],
              HasSubstr("interface eth0 has already a master set: red"));
  EXPECT_THAT(expect_error(job.check(bridge))["msg"],
              HasSubstr("failed to find eth0 associated to vrf blue"));
  c.run({"ip", "link", "del", "red"});
  c.run({"ip", "link", "del", "blue"});
  c.run({"ip", "rule", "add", "from", "192.0.2.1", "lookup", "1"});
  must_add(job);
  EXPECT_EQ(find_link("blue", c.fd())->at("linkinfo")["info_data"]["table"], 2)
      << "a rule leads to 1";
  Attachment nobody = job;
  nobody.config.erase("prevResult");
  nobody.netns = nobody.container_id = nobody.if_name = "";
  expect_silent_success(nobody.status());
  expect_silent_success(nobody.gc(Json::array({valid_entry(job)})));
  expect_silent_success(job.check(bridge));
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_FALSE(find_link("blue", c.fd()));
}

TEST_F(RoutingDomain, ReferenceAndOursTakeOverFromEachOther) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Attachment ours = after(first, bridge, blue());
  Attachment reference = ours;
  reference.folder = kReferenceDir;
  const int inside = container_of(first).fd();
  must_add(reference);
  expect_silent_success(ours.check(bridge));
  expect_silent_success(ours.del(bridge));
  EXPECT_FALSE(find_link("blue", inside));
  must_add(ours);
  expect_silent_success(reference.check(bridge));
  expect_silent_success(reference.del(bridge));
  EXPECT_FALSE(find_link("blue", inside));
}

TEST_F(RoutingDomain, TheExampleWorks) {
  std::ifstream file(std::filesystem::path(UNICNI_SOURCE_DIR) / "modules/vrf/example.conflist");
  Json config = Json::parse(file);
  config["type"] = "unicni";
  const Attachment job = attachment(config);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
}

TEST(RoutingDomainDifferential, IsTheReferences) {
  for (const char* commands :
       {"[]", R"([["ip", "link", "add", "blue", "type", "vrf", "table", "9"]])"}) {
    SCOPED_TRACE(commands);
    Differential differential;
    differential.config = Json::parse(
        R"({"cniVersion": "0.4.0", "name": "mynet", "type": "vrf", "vrfname": "blue"})");
    differential.prepare = [commands](const Container& container, Json& config) {
      tool({"ip", "link", "add", "vhost0", "address", "02:00:00:00:01:00", "type", "veth", "peer",
            "name", "eth0", "address", "02:00:00:00:01:01", "netns", container.name()});
      tool({"ip", "link", "set", "vhost0", "up"});
      container.run({"ip", "link", "set", "eth0", "up"});
      container.run({"ip", "addr", "add", "10.1.2.3/24", "dev", "eth0"});
      container.run({"ip", "route", "add", "default", "via", "10.1.2.1"});
      for (const Json& command : Json::parse(commands)) {
        container.run(command.get<std::vector<std::string>>());
      }
      config["prevResult"] = Json::parse(R"({"cniVersion": "0.4.0",
        "interfaces": [{"name": "eth0", "sandbox": "/run/netns/c1"}],
        "ips": [{"version": "4", "address": "10.1.2.3/24", "interface": 0}]})");
    };
    Differential::Lines lines = differential.run();
    // Debian's 1.1.1 loses the routes, and its VRF has no transmit queue.
    std::erase_if(lines.add, [](const std::string& line) {
      return (line.find("default via 10.1.2.1 dev eth0 table") != std::string::npos &&
              line.ends_with("- | yes")) ||
             line == "container link blue txqlen: - | 1000";
    });
    EXPECT_THAT(lines.add, IsEmpty());
    // The default route comes back with us.
    std::erase_if(lines.del, [](const std::string& line) {
      return line.find("default via 10.1.2.1") != std::string::npos && line.ends_with("- | yes");
    });
    EXPECT_THAT(lines.del, IsEmpty());
  }
}

/// What comes in by a link of a VRF is forwarded as if it came in by the VRF.
TEST_F(RoutingDomain, FirewallOpensAVethWhoseEndOnTheHostIsInAVrf) {
  Container& pod = container("pod");
  Container& outside = container("outside");
  tool({"ip", "link", "add", "red", "type", "vrf", "table", "70"});
  tool({"ip", "link", "set", "red", "up"});
  int number = 1;
  for (const Container* each : {&pod, &outside}) {
    const std::string end = each->name() + "0";
    const std::string subnet = "10.7." + std::to_string(number++) + ".";
    tool({"ip", "link", "add", end, "master", "red", "type", "veth", "peer", "name", "eth0",
          "netns", each->path()});
    tool({"ip", "link", "set", end, "up"});
    tool({"ip", "addr", "add", subnet + "1/24", "dev", end});
    each->run({"ip", "link", "set", "eth0", "up"});
    each->run({"ip", "addr", "add", subnet + "2/24", "dev", "eth0"});
    each->run({"ip", "route", "add", "default", "via", subnet + "1"});
  }
  tool({"sysctl", "-qw", "net.ipv4.ip_forward=1"});
  EXPECT_TRUE(pings(pod.fd(), "10.7.2.2"));
  tool({"iptables-nft", "-P", "FORWARD", "DROP"});
  EXPECT_FALSE(pings(pod.fd(), "10.7.2.2"));

  Attachment job{.config = Json::parse(R"({"cniVersion": "0.4.0", "name": "theirs",
    "type": "firewall", "prevResult": {"cniVersion": "0.4.0",
      "ips": [{"version": "4", "address": "10.7.1.2/24"}]}})"),
                 .netns = pod.path(),
                 .container_id = "pod"};
  const Json result = must_add(job);
  EXPECT_THAT(nft_elements("att4"),
              ::testing::UnorderedElementsAre(HasSubstr("pod0"), HasSubstr("red")));
  EXPECT_TRUE(pings(pod.fd(), "10.7.2.2"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del());
  EXPECT_FALSE(pings(pod.fd(), "10.7.2.2"));
}

}  // namespace
}  // namespace unicni::test::routing_domain_test
