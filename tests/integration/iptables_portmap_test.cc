// portmap with "backend": "iptables", in lists and with packets.
#include "integration/chained.h"
#include "support/traffic.h"

namespace unicni::test::iptables_portmap_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class IptablesPortmap : public ChainedTest {
 protected:
  static Json portmap(int host_port, const Json& changes = Json::object()) {
    Json config = {
        {"type", "portmap"}, {"backend", "iptables"}, {"capabilities", {{"portMappings", true}}}};
    config.update(changes);
    Json made = list(config);
    made["runtimeConfig"]["portMappings"] = {
        {{"hostPort", host_port}, {"containerPort", 53}, {"protocol", "udp"}}};
    return made;
  }
  static std::string rules() {
    return tool({"iptables", "-t", "nat", "-S"}).out + tool({"ip6tables", "-t", "nat", "-S"}).out;
  }
  /// Whom port 53 of the container sees if this host sends to its port 5353 at `address`.
  std::string source_by(const Attachment& job, const std::string& address) {
    UdpReceiver receiver(netns(job), 53);
    UdpSender sender(sandbox_.netns(), address, 5353);
    sender.send();
    return receiver.source_of_next();
  }
};

TEST_F(IptablesPortmap, LeadsToTheContainerAndLeavesNothing) {
  const std::string before = rules();
  const Attachment job = attachment(portmap(5353), "c1");
  const Json result = must_add(job);
  EXPECT_EQ(source_by(job, "127.0.0.1"), "10.22.0.1");
  EXPECT_EQ(source_by(job, "10.22.0.1"), "10.22.0.1");
  EXPECT_THAT(nft_elements("port4_any"), IsEmpty());
  expect_silent_success(job.check(result));

  tool({"iptables", "-t", "nat", "-F", "CNI-HOSTPORT-DNAT"});
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("lacks the rule"));
  container_of(job).remove();
  Attachment late = job;
  late.config.erase("runtimeConfig");
  expect_silent_success(late.del());
  EXPECT_EQ(rules(), before);
  EXPECT_EQ(tool({"sysctl", "-n", "net.ipv4.conf.cni0.route_localnet"}).out, "0\n");
}

TEST_F(IptablesPortmap, APortHasOneOwnerUntilThatIsGone) {
  const Attachment first = attachment(portmap(5353), "first");
  must_add(first);
  const Attachment second = attachment(portmap(5353), "second");
  const std::string before = rules();
  const Json error = expect_error(second.add());
  EXPECT_THAT(error["msg"], HasSubstr("5353/udp is taken by container first on network mynet"));
  EXPECT_EQ(rules(), before) << "a failed ADD leaves nothing";

  container_of(first).remove();
  const Json result = must_add(second);
  EXPECT_EQ(source_by(second, "127.0.0.1"), "10.22.0.1");
  expect_silent_success(first.del());
  expect_silent_success(second.check(result));
}

TEST_F(IptablesPortmap, APortOfBackendNftablesIsTakenToo) {
  const Attachment first = attachment(portmap(5353, {{"backend", "nftables"}}), "first");
  must_add(first);
  const Attachment second = attachment(portmap(5353), "second");
  EXPECT_THAT(expect_error(second.add())["msg"], HasSubstr("belongs to \"mynet/first/eth0\""));
  Json config = second.config;
  config["runtimeConfig"]["portMappings"][0]["hostIP"] = "10.22.0.1";
  Attachment at_one = second;
  at_one.config = config;
  EXPECT_THAT(expect_error(at_one.add())["msg"], HasSubstr("belongs to \"mynet/first/eth0\""));
  container_of(first).remove();
  must_add(second);
  EXPECT_EQ(source_by(second, "127.0.0.1"), "10.22.0.1");
}

TEST_F(IptablesPortmap, WordsOfIptablesAndAForeignMarkChainChooseIt) {
  tool({"iptables", "-t", "nat", "-N", "KUBE-MARK-MASQ"});
  Json config = portmap(5353, {{"externalSetMarkChain", "KUBE-MARK-MASQ"}});
  config["plugins"][1].erase("backend");
  const Attachment marked = attachment(config, "marked");
  const Json result = must_add(marked);
  EXPECT_THAT(rules(), HasSubstr("-j KUBE-MARK-MASQ"));
  expect_silent_success(marked.del(result));

  config = portmap(5353, {{"conditionsV4", {"!", "-s", "192.0.2.0/24"}}});
  config["plugins"][1].erase("backend");
  const Attachment conditional = attachment(config, "conditional");
  const Json of_conditional = must_add(conditional);
  EXPECT_THAT(rules(), HasSubstr("! -s 192.0.2.0/24"));
  expect_silent_success(conditional.check(of_conditional));
  expect_silent_success(conditional.del(of_conditional));
  EXPECT_THAT(rules(), Not(HasSubstr("CNI-DN-")));
}

/// Network and container name the chain, which is the sibling's then.
TEST_F(IptablesPortmap, WhatIsSweptUpWithoutJournalAndListIsNoSiblings) {
  const Attachment published = attachment(portmap(5353), "c1");
  const Json result = must_add(published);
  Attachment sibling = published;
  sibling.if_name = "eth1";
  sibling.config["plugins"] = Json::array({5});
  const Output deleted = sibling.del();
  EXPECT_TRUE(deleted.ok()) << deleted.str();
  expect_silent_success(published.check(result));
  EXPECT_EQ(source_by(published, "127.0.0.1"), "10.22.0.1");
}

/// CHECK of the other backend looks at these rules, where it can.
TEST_F(IptablesPortmap, WithoutTheProgramOfLegacyTheOtherBackendsCheckIsContent) {
  const Attachment ours = attachment(portmap(5353, {{"backend", "nftables"}}), "ours");
  const Json result = must_add(ours);
  tool({"iptables-legacy", "-t", "nat", "-N", "CNI-HOSTPORT-DNAT"});
  expect_silent_success(ours.check(result));
  for (const char* program : {"/usr/sbin/xtables-legacy-multi", "/usr/sbin/xtables-nft-multi"}) {
    tool({"mount", "--bind", "/dev/null", program});
  }
  expect_silent_success(ours.check(result));
}

TEST_F(IptablesPortmap, TheLastPortOfAnyBackendTakesRouteLocalnetBack) {
  const Attachment ours = attachment(portmap(5354, {{"backend", "nftables"}}), "ours");
  const Json of_ours = must_add(ours);
  const Attachment theirs = attachment(portmap(5353), "theirs");
  const Json of_theirs = must_add(theirs);
  expect_silent_success(ours.del(of_ours));
  EXPECT_EQ(source_by(theirs, "127.0.0.1"), "10.22.0.1");
  expect_silent_success(theirs.check(of_theirs));
  expect_silent_success(theirs.del(of_theirs));
  EXPECT_EQ(tool({"sysctl", "-n", "net.ipv4.conf.cni0.route_localnet"}).out, "0\n");
}

// A node that was upgraded under running containers: a process for each plugin.
TEST_F(IptablesPortmap, CheckTakesWhatTheReferencePublishedForAnyBackend) {
  const auto by_reference = [](Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    return job;
  };
  Json bridge = with_version(mynet(), "1.0.0");
  bridge["ipam"] = Json::parse(
      R"({"type": "host-local", "ranges": [[{"subnet": "10.22.0.0/16"}],
                                           [{"subnet": "fd22::/64"}]]})");
  bridge["macspoofchk"] = true;
  const Attachment first = attachment(bridge);
  const Json made = must_add(by_reference(first));
  const Attachment published =
      after(first, made, {{"type", "portmap"}, {"runtimeConfig", portmap(5353)["runtimeConfig"]}});
  const Json result = must_add(by_reference(published));
  for (const char* backend : {"", "iptables", "nftables"}) {
    SCOPED_TRACE(backend);
    Attachment checked = published;
    if (*backend != 0) checked.config["backend"] = backend;
    expect_silent_success(checked.check(result));
    Attachment other = checked;
    other.config["runtimeConfig"]["portMappings"][0]["hostPort"] = 5354;
    expect_error(other.check(result));
  }
  expect_silent_success(first.check(result));
  tool({"iptables", "-t", "nat", "-F", "CNI-HOSTPORT-DNAT"});
  expect_error(published.check(result));
  tool({"nft", "delete", "table", "bridge", "nat"});
  expect_error(first.check(result));
  expect_silent_success(published.del(result));
  expect_silent_success(first.del(result));
}

/// The reference's hash is of network and container with nothing in between.
TEST_F(IptablesPortmap, NetworksAndContainersWithTheSameHashKeepTheirPorts) {
  const auto on_network = [](Json config, const std::string& name, const char* subnet) {
    config["name"] = name;
    config["plugins"][0]["bridge"] = "br" + name;
    config["plugins"][0]["ipam"]["subnet"] = subnet;
    return config;
  };
  const std::string before = rules();
  const Attachment first = attachment(on_network(portmap(5353), "ab", "10.1.0.0/24"), "c1");
  const Json firsts = must_add(first);
  const Attachment second = attachment(on_network(portmap(5354), "a", "10.2.0.0/24"), "bc1");
  const Json seconds = must_add(second);
  EXPECT_EQ(source_by(first, "127.0.0.1"), "10.1.0.1");
  expect_silent_success(first.check(firsts));
  expect_silent_success(second.check(seconds));
  expect_silent_success(second.del(seconds));
  EXPECT_EQ(source_by(first, "127.0.0.1"), "10.1.0.1");
  expect_silent_success(first.check(firsts));
  // The other way round.
  const Json again = must_add(second);
  expect_silent_success(first.del(firsts));
  expect_silent_success(second.check(again));
  expect_silent_success(second.del(again));
  EXPECT_EQ(rules(), before);
}

/// No journal knows it: the reference made it.
TEST_F(IptablesPortmap, AChainOfTheReferencesWithTheSameHashStays) {
  Json config = portmap(5353);
  const Attachment ours = attachment(config, "c1");
  const Json made = must_add(ours);
  const std::string listed = tool({"iptables", "-t", "nat", "-S", "CNI-HOSTPORT-DNAT"}).out;
  const std::size_t at = listed.find("-j CNI-DN-");
  ASSERT_NE(at, listed.npos) << listed;
  const std::string chain = listed.substr(at + 3, 28);
  expect_silent_success(ours.del(made));
  tool({"iptables", "-t", "nat", "-N", "CNI-HOSTPORT-DNAT"});
  tool({"iptables", "-t", "nat", "-N", chain});
  tool({"iptables", "-t", "nat", "-A", "CNI-HOSTPORT-DNAT", "-p", "udp", "-m", "comment",
        "--comment", R"(dnat name: "myne" id: "tc1")", "-m", "multiport", "--dports", "99", "-j",
        chain});
  const Json result = must_add(ours);
  EXPECT_EQ(source_by(ours, "127.0.0.1"), "10.22.0.1");
  expect_silent_success(ours.check(result));
  expect_silent_success(ours.del(result));
  EXPECT_THAT(rules(), HasSubstr("-j " + chain));
  expect_silent_success(ours.del());
  EXPECT_THAT(rules(), HasSubstr("tc1"));
}

TEST_F(IptablesPortmap, GcTakesTheRulesOfWhoIsGone) {
  const std::string before = rules();
  const Json config = with_version(portmap(5353), "1.1.0");
  const Attachment gone = attachment(config, "gone");
  must_add(gone);
  container_of(gone).remove();
  Attachment nobody;
  nobody.config = config;
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_EQ(rules(), before);
}

}  // namespace
}  // namespace unicni::test::iptables_portmap_test
