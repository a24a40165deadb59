// portmap in a list behind bridge: ports of the host lead to the container, have one owner, and
// leave nothing.
#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>
#include <vector>

#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::portmap_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

Json mapping(int host_port, int container_port, const std::string& protocol = "tcp",
             const std::string& host_ip = "") {
  Json made = {{"hostPort", host_port}, {"containerPort", container_port}, {"protocol", protocol}};
  if (!host_ip.empty()) made["hostIP"] = host_ip;
  return made;
}

/// Chains are listed in the order in which they were made.
std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::ranges::sort(lines);
  return lines;
}

class Portmap : public HostTest {
 protected:
  static Json list(const Json& mappings, const Json& portmap = Json::object(),
                   const std::string& name = "net1", int subnet = 1) {
    const std::string number = std::to_string(subnet);
    Json bridge = Json::parse(R"({"type": "bridge", "isDefaultGateway": true, "ipMasq": true})");
    bridge["bridge"] = "br" + number;
    bridge["ipam"] = {
        {"type", "host-local"},
        {"ranges",
         {{{{"subnet", "10." + number + ".0.0/24"}}}, {{{"subnet", "fd00:" + number + "::/64"}}}}}};
    Json last = {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}};
    last.update(portmap);
    Json made = {
        {"cniVersion", "1.1.0"}, {"name", name}, {"type", "unicni"}, {"plugins", {bridge, last}}};
    if (!mappings.empty()) made["runtimeConfig"] = {{"portMappings", mappings}};
    return made;
  }
  Attachment added(const Json& config, const std::string& name = "c1") {
    Attachment job = attachment(config, name);
    results_[name] = must_add(job);
    return job;
  }
  Json result_of(const Attachment& job) const { return results_.at(job.container_id); }
  /// The network is there, and everything that a first port makes.
  void warm_up() {
    const Attachment job = added(list(Json::array({mapping(1, 1)})), "warm");
    expect_silent_success(job.del(result_of(job)));
  }
  /// Whom port 53 of the container sees if this host sends to its port 5353 at `address`.
  std::string source_by(const Attachment& job, const std::string& address) {
    UdpReceiver receiver(netns(job), 53);
    UdpSender sender(sandbox_.netns(), address, 5353);
    sender.send();
    return receiver.source_of_next();
  }
  /// The kernel takes a namespace's links down when it gets to it.
  static void wait_until_gone(const std::string& link) {
    for (int tries = 0; tries < 500 && find_link(link); ++tries) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_FALSE(find_link(link)) << link;
  }
  static Attachment nobody(const Json& config) {
    Attachment call;
    call.config = config;
    return call;
  }

  std::map<std::string, Json> results_;
};

TEST_F(Portmap, PortsLeadToTheContainerAndNothingIsLeft) {
  warm_up();
  const Snapshot before = snapshot();
  const Attachment job =
      added(list(Json::array({mapping(8080, 80), mapping(5353, 53, "udp")})), "c1");
  EXPECT_THAT(nft_elements("port4_any"), SizeIs(2));
  EXPECT_THAT(nft_elements("port6_any"), SizeIs(2));
  EXPECT_EQ(sysctl("net/ipv4/conf/br1/route_localnet"), "1");
  EXPECT_EQ(source_by(job, "127.0.0.1"), "10.1.0.1");
  expect_silent_success(job.check(result_of(job)));
  expect_silent_success(job.del(result_of(job)));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(sysctl("net/ipv4/conf/br1/route_localnet"), "0") << "no port is left";
  EXPECT_THAT(nft_elements("localnet_if"), IsEmpty());
  expect_silent_success(job.del(result_of(job)));
}

TEST_F(Portmap, DelNeedsNoMappings) {
  warm_up();
  const Snapshot before = snapshot();
  const Attachment job = added(list(Json::array({mapping(8080, 80)})));
  Attachment later = job;
  later.config.erase("runtimeConfig");
  container_of(job).remove();
  expect_silent_success(later.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Portmap, AHostPortHasOneOwner) {
  const Attachment first = added(list(Json::array({mapping(8080, 80)})), "first");
  const Attachment second = attachment(list(Json::array({mapping(8080, 81)})), "second");
  const Snapshot before = snapshot();
  const Json error = expect_error(second.add());
  EXPECT_THAT(error["msg"], HasSubstr("net1/first/eth0"));
  EXPECT_THAT(error["msg"], HasSubstr("port 8080"));
  EXPECT_EQ(difference(before, snapshot()), "") << "the failed ADD took back all it made";
  const Attachment single =
      attachment(list(Json::array({mapping(8080, 81, "tcp", "192.0.2.1")})), "single");
  EXPECT_THAT(expect_error(single.add())["msg"], HasSubstr("net1/first/eth0"));
  const Attachment other = added(list(Json::array({mapping(8080, 81, "udp")})), "udp");
  expect_silent_success(other.del(result_of(other)));

  expect_silent_success(first.del(result_of(first)));
  must_add(second);
}

TEST_F(Portmap, SingleAddressesShareAPortUntilTheLastIsGone) {
  const Attachment one = added(list(Json::array({mapping(8080, 80, "tcp", "192.0.2.1")})), "one");
  const Attachment two = added(list(Json::array({mapping(8080, 80, "tcp", "192.0.2.2")})), "two");
  const Attachment any = attachment(list(Json::array({mapping(8080, 80)})), "any");
  EXPECT_THAT(expect_error(any.add())["msg"], HasSubstr("/eth0\""));
  expect_silent_success(one.del(result_of(one)));
  EXPECT_THAT(expect_error(any.add())["msg"], HasSubstr("net1/two/eth0"));
  expect_silent_success(two.del(result_of(two)));
  EXPECT_THAT(nft_elements("claim4"), IsEmpty());
  must_add(any);
}

TEST_F(Portmap, ThePortOfTheDeadIsTakenOver) {
  for (const char* host_ip : {"", "192.0.2.1"}) {
    const std::string name = std::string("dead") + (*host_ip != '\0' ? "single" : "any");
    const Attachment dead = added(list(Json::array({mapping(8080, 80, "tcp", host_ip)})), name);
    container_of(dead).remove();
    wait_until_gone(host_end(result_of(dead)));
    const Attachment next =
        added(list(Json::array({mapping(8080, 81)}), Json::object(), "net2", 2), name + "next");
    EXPECT_THAT(nft_elements("port4_any"), SizeIs(1));
    EXPECT_THAT(nft_elements("port4_at"), IsEmpty());
    expect_silent_success(dead.del(result_of(dead)));
    expect_silent_success(next.check(result_of(next)));
    expect_silent_success(next.del(result_of(next)));
  }
}

TEST_F(Portmap, UdpSendersFollowAddAndDel) {
  Container& outside = container("outside");
  tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
        outside.path()});
  tool({"ip", "addr", "add", "198.51.100.1/24", "dev", "up0"});
  tool({"ip", "link", "set", "up0", "up"});
  outside.run({"ip", "addr", "add", "198.51.100.2/24", "dev", "eth0"});
  outside.run({"ip", "link", "set", "eth0", "up"});
  // Connections are tracked from here on.
  const Attachment other = added(list(Json::array({mapping(9, 9)})), "other");
  UdpSender sender(outside.fd(), "198.51.100.1", 5353);
  sender.send();
  const Attachment job = added(list(Json::array({mapping(5353, 53, "udp")})));
  UdpReceiver receiver(netns(job), 53);
  sender.send();
  EXPECT_EQ(receiver.source_of_next(), "198.51.100.2");
  expect_silent_success(job.del(result_of(job)));
  const Attachment again = added(list(Json::array({mapping(5353, 53, "udp")})), "again");
  UdpReceiver there(netns(again), 53);
  sender.send();
  EXPECT_EQ(there.source_of_next(), "198.51.100.2")
      << "the old container's connection is forgotten";
}

TEST_F(Portmap, AFlushedRulesetComesBackWithConditions) {
  const Json config =
      list(Json::array({mapping(8080, 80)}),
           {{"conditionsV4", {"ip", "saddr", "192.0.2.0/24"}}, {"markMasqBit", 14}});
  const Attachment job = added(config);
  const std::string before = tool({"nft", "list", "table", "inet", "unicni"}).out;
  EXPECT_THAT(before, HasSubstr("ip saddr 192.0.2.0/24 goto to_cond_ports4"));
  tool({"nft", "flush", "ruleset"});
  EXPECT_NE(expect_error(job.check(result_of(job))), nullptr);
  expect_silent_success(nobody(config).status());
  EXPECT_EQ(sorted_lines(tool({"nft", "list", "table", "inet", "unicni"}).out),
            sorted_lines(before));
  expect_silent_success(job.check(result_of(job)));
  expect_silent_success(job.del(result_of(job)));
  EXPECT_THAT(tool({"nft", "list", "table", "inet", "unicni"}).out,
              Not(HasSubstr("chain condition_")));
}

TEST_F(Portmap, CheckSeesWhatDrifts) {
  const Attachment job = added(list(Json::array({mapping(8080, 80)})));
  expect_silent_success(job.check(result_of(job)));
  const std::string port = host_end(result_of(job));
  tool({"bridge", "link", "set", "dev", port, "hairpin", "off"});
  EXPECT_THAT(expect_error(job.check(result_of(job)))["msg"], HasSubstr("hairpin"));
  tool({"bridge", "link", "set", "dev", port, "hairpin", "on"});
  tool({"sysctl", "-qw", "net.ipv4.conf.br1.route_localnet=0"});
  EXPECT_THAT(expect_error(job.check(result_of(job)))["msg"], HasSubstr("route_localnet"));
  tool({"sysctl", "-qw", "net.ipv4.conf.br1.route_localnet=1"});
  tool({"nft", "delete", "element", "inet", "unicni", "port4_any", "{ tcp . 8080 }"});
  EXPECT_THAT(expect_error(job.check(result_of(job)))["msg"], HasSubstr("port 8080"));
}

TEST_F(Portmap, LoopbackThatSomebodySetStaysSet) {
  warm_up();
  tool({"sysctl", "-qw", "net.ipv4.conf.br1.route_localnet=1"});
  const Attachment job = added(list(Json::array({mapping(8080, 80)})));
  expect_silent_success(job.del(result_of(job)));
  EXPECT_EQ(sysctl("net/ipv4/conf/br1/route_localnet"), "1");
}

TEST_F(Portmap, Ipv6LoopbackIsARouteThatGoesWithTheLastPort) {
  const Json config =
      list(Json::array({mapping(5353, 53, "udp", "::1")}), {{"ipv6Loopback", true}});
  const auto routes = [] {
    return tool({"ip", "-6", "route", "show", "table", "local", "::1"}).out;
  };
  const Attachment job = added(config);
  EXPECT_THAT(routes(), HasSubstr("dev br1"));
  EXPECT_EQ(source_by(job, "::1"), "fd00:1::1");
  expect_silent_success(job.del(result_of(job)));
  EXPECT_THAT(routes(), Not(HasSubstr("br1")));
}

TEST_F(Portmap, NoneChangesNothing) {
  warm_up();
  const Snapshot before = snapshot();
  const std::string rules = tool({"nft", "list", "table", "inet", "unicni"}).out;
  const Attachment job = added(list(Json::array({mapping(8080, 80)}), {{"backend", "none"}}));
  EXPECT_THAT(nft_elements("port4_any"), IsEmpty());
  expect_silent_success(job.check(result_of(job)));
  expect_silent_success(job.del(result_of(job)));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Portmap, RefusesWhatCannotWork) {
  const auto refusal = [&](const Json& mappings, const Json& portmap = Json::object()) {
    Attachment job =
        attachment(list(mappings, portmap), "refused" + std::to_string(containers_.size()));
    const Json error = expect_no_trace(job, 7);
    expect_silent_success(job.del());
    return error["msg"].get<std::string>();
  };
  EXPECT_THAT(refusal(Json::array({mapping(0, 80)})), HasSubstr("hostPort"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 65536)})), HasSubstr("containerPort"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80, "icmp")})), HasSubstr("icmp"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80, "tcp", "localhost")})), HasSubstr("localhost"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80, "tcp", "[::]")})), HasSubstr("[::]"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80), mapping(80, 81)})),
              HasSubstr("portMappings[0] (80/tcp to 80) and portMappings[1] (80/tcp to 81)"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80)}), {{"conditionsV4", {"ip", "saddr", "x;y"}}}),
              HasSubstr("conditionsV4"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80)}), {{"conditionsV4", {"nonsense"}}}),
              HasSubstr("nonsense"));
  EXPECT_THAT(refusal(Json::array({mapping(80, 80)}),
                      {{"markMasqBit", 3}, {"externalSetMarkChain", "KUBE-MARK-MASQ"}}),
              HasSubstr("externalSetMarkChain"));
}

TEST_F(Portmap, WhatCannotBeLedIsLeftOutWithAWarning) {
  Json config =
      list(Json::array({mapping(8080, 80), mapping(8081, 80, "tcp", "2001:db8::10"),
                        mapping(8082, 80, "tcp", "::1"), mapping(8083, 80, "tcp", "::")}));
  config["plugins"][0]["ipam"]["ranges"].erase(1);
  const Attachment job = attachment(config);
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("portMappings[1] (8081/tcp at 2001:db8::10 to 80), "
                                    "portMappings[3] (8083/tcp at :: to 80): eth0 has no IPv6"));
  EXPECT_THAT(output.err, HasSubstr("portMappings[2] (8082/tcp at ::1 to 80): Linux takes"));
  EXPECT_THAT(nft_elements("port4_any"), SizeIs(1));
  EXPECT_THAT(nft_elements("port6_at"), IsEmpty());
  expect_silent_success(job.check(output.json()));
  expect_silent_success(job.del(output.json()));
}

TEST_F(Portmap, GcFindsALeakAndStatusAForeignTable) {
  warm_up();
  const Snapshot before = snapshot();
  const Json config =
      list(Json::array({mapping(8080, 80)}), {{"conditionsV4", {"ip", "saddr", "192.0.2.0/24"}}});
  const Attachment job = added(config);
  container_of(job).remove();
  for (const std::string& file : files_in(kJournals))
    tool({"rm", std::string(kJournals) + "/" + file});
  expect_silent_success(nobody(config).gc(Json::array()));
  EXPECT_THAT(nft_elements("port6_any"), IsEmpty());
  EXPECT_THAT(nft_elements("cond4_any"), IsEmpty());
  EXPECT_THAT(tool({"nft", "list", "table", "inet", "unicni"}).out,
              Not(HasSubstr("chain condition_")));
  expect_silent_success(nobody(config).status());
  tool({"nft", "delete", "table", "inet", "unicni"});
  tool({"nft", "add", "table", "inet", "unicni"});
  EXPECT_THAT(expect_error(nobody(config).status(), 50)["msg"], HasSubstr("inet unicni"));
}

}  // namespace
}  // namespace unicni::test::portmap_test
