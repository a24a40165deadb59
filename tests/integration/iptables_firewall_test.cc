// firewall with "backend": "iptables", and what the reference's firewall left, in lists and with
// packets.
#include <sys/mount.h>

#include "integration/chained.h"
#include "support/traffic.h"

namespace unicni::test::iptables_firewall_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class IptablesFirewall : public ChainedTest {
 protected:
  static Json firewall(const Json& changes = Json::object()) {
    Json config = {{"type", "firewall"}, {"backend", "iptables"}};
    config.update(changes);
    return config;
  }
  static std::string rules() {
    return tool({"iptables", "-S"}).out + tool({"ip6tables", "-S"}).out;
  }
  static void drop_forwarding() {
    tool({"iptables", "-P", "FORWARD", "DROP"});
    tool({"ip6tables", "-P", "FORWARD", "DROP"});
  }
  static std::string address_of(const Json& result) {
    const std::string text = result["ips"][0]["address"];
    return text.substr(0, text.find('/'));
  }
  /// As Debian's plugins make and remove it.
  static Attachment by_reference(Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    return job;
  }
  /// A machine beyond the host.
  Container& outside() {
    Container& machine = container("outside");
    tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
          machine.path()});
    tool({"ip", "addr", "add", "198.51.100.1/24", "dev", "up0"});
    tool({"ip", "link", "set", "up0", "up"});
    machine.run({"ip", "addr", "add", "198.51.100.2/24", "dev", "eth0"});
    machine.run({"ip", "link", "set", "eth0", "up"});
    machine.run({"ip", "route", "add", "10.0.0.0/8", "via", "198.51.100.1"});
    return machine;
  }
};

TEST_F(IptablesFirewall, OpensAHostThatDropsAndLeavesNothing) {
  drop_forwarding();
  const Container& machine = outside();
  const std::string before = rules();
  const Attachment job = attachment(list(firewall()), "c1");
  const Json result = must_add(job);
  EXPECT_TRUE(pings(netns(job), "198.51.100.2"));
  EXPECT_FALSE(pings(machine.fd(), address_of(result))) << "only answers come in";
  expect_silent_success(job.check(result));
  EXPECT_THAT(nft_elements("att4"), IsEmpty());

  tool({"iptables", "-D", "CNI-FORWARD", "-s", address_of(result), "-j", "ACCEPT"});
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("lacks the rule"));
  expect_silent_success(job.del(result));
  EXPECT_EQ(rules(), before);
  expect_silent_success(job.del(result));
}

TEST_F(IptablesFirewall, DelNeedsNeitherPrevResultNorNamespace) {
  drop_forwarding();
  const std::string before = rules();
  Attachment job = attachment(list(firewall({{"ingressPolicy", "isolated"}})), "c1");
  must_add(job);
  EXPECT_THAT(rules(), HasSubstr("-j CNI-ISOLATION-STAGE-1"));
  container_of(job).remove();
  expect_silent_success(job.del());
  EXPECT_EQ(rules(), before);
}

TEST_F(IptablesFirewall, AFailedAddLeavesNoRule) {
  drop_forwarding();
  Json config = list(firewall());
  config["plugins"].push_back({{"type", "tuning"}, {"sysctl", {{"net.ipv4.no_such_key", "1"}}}});
  const std::string before = rules();
  expect_error(attachment(config, "c1").add());
  EXPECT_EQ(rules(), before);
}

TEST_F(IptablesFirewall, ALateDelClosesNobodyElsesAddress) {
  drop_forwarding();
  outside();
  Json config = list(firewall());
  const Attachment first = attachment(config, "first");
  const Json result = must_add(first);
  // Another program ended it, so journal and prevResult still tell of its address.
  tool({"rm", "/var/lib/cni/networks/mynet/" + address_of(result)});
  tool({"ip", "link", "del", host_end(result)});
  container_of(first).remove();
  Json again = config;
  again["plugins"][0]["ipam"] = {
      {"type", "static"},
      {"addresses", {{{"address", address_of(result) + "/16"}, {"gateway", "10.22.0.1"}}}},
      {"routes", {{{"dst", "0.0.0.0/0"}}}}};
  const Attachment second = attachment(again, "second");
  const Json theirs = must_add(second);
  ASSERT_EQ(address_of(theirs), address_of(result));
  EXPECT_TRUE(pings(netns(second), "198.51.100.2"));
  expect_silent_success(first.del(result));
  EXPECT_TRUE(pings(netns(second), "198.51.100.2")) << "the second one's journal says it is its";
  expect_silent_success(second.check(theirs));
  expect_silent_success(second.del(theirs));
  EXPECT_THAT(rules(), Not(HasSubstr("CNI-")));
}

TEST_F(IptablesFirewall, ALateDelSparesWhatTheReferenceMadeSince) {
  const Attachment first = attachment(list(firewall()), "first");
  const Json result = must_add(first);
  tool({"rm", "/var/lib/cni/networks/mynet/" + address_of(result)});
  tool({"rm", "-r", "/var/lib/cni/networks/mynet"});
  const Attachment bridge = by_reference(bridged("second"));
  const Json theirs = must_add(bridge);
  ASSERT_EQ(address_of(theirs), address_of(result));
  must_add(after(bridge, theirs, firewall()));
  expect_silent_success(first.del(result));
  EXPECT_THAT(rules(), HasSubstr("-A CNI-FORWARD -s " + address_of(result) + "/32 -j ACCEPT"));
}

TEST_F(IptablesFirewall, GcTakesTheRulesOfWhoIsGone) {
  drop_forwarding();
  const std::string before = rules();
  const Json config = with_version(list(firewall()), "1.1.0");
  const Attachment gone = attachment(config, "gone");
  must_add(gone);
  container_of(gone).remove();
  Attachment nobody;
  nobody.config = config;
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_EQ(rules(), before);
}

TEST_F(IptablesFirewall, StatusNamesThePackageThatIsMissing) {
  Attachment nobody;
  nobody.config = with_version(list(firewall()), "1.1.0");
  expect_silent_success(nobody.status());
  in_child([&] {
    ASSERT_EQ(0, ::mount("none", "/usr/sbin", "tmpfs", 0, nullptr));
    const Json error = expect_error(nobody.status(), 50);
    EXPECT_THAT(error["details"], HasSubstr("package iptables"));
    ::umount("/usr/sbin");
  });
}

// A node that was upgraded under running containers, whatever the backend is now.
TEST_F(IptablesFirewall, WhatTheReferenceMadePassesCheckAndGoesWithDel) {
  for (const char* backend : {"iptables", "nftables"}) {
    SCOPED_TRACE(backend);
    drop_forwarding();
    const std::string before = rules();
    const Attachment bridge = by_reference(bridged("c-" + std::string(backend)));
    const Json result = must_add(bridge);
    const Attachment theirs = by_reference(after(
        bridge, result, firewall({{"backend", "iptables"}, {"ingressPolicy", "same-bridge"}})));
    must_add(theirs);
    Attachment ours =
        after(bridge, result, firewall({{"backend", backend}, {"ingressPolicy", "same-bridge"}}));
    ours.folder = ours.cni_path = bin_dir();
    if (std::string(backend) == "iptables") expect_silent_success(ours.check(result));
    EXPECT_THAT(rules(), HasSubstr("CNI-ISOLATION-STAGE-2"));
    expect_silent_success(ours.del());
    EXPECT_EQ(rules(), before);
    expect_silent_success(bridge.del(result));
  }
}

TEST_F(IptablesFirewall, BothBackendsShareCniForward) {
  drop_forwarding();
  outside();
  const std::string before = rules();
  const Attachment ours = attachment(list(firewall({{"backend", "nftables"}})), "ours");
  const Json of_ours = must_add(ours);
  const Attachment theirs = attachment(list(firewall()), "theirs");
  const Json of_theirs = must_add(theirs);
  for (const Attachment* job : {&ours, &theirs}) {
    EXPECT_TRUE(pings(netns(*job), "198.51.100.2"));
  }
  expect_silent_success(theirs.del(of_theirs));
  EXPECT_TRUE(pings(netns(ours), "198.51.100.2"));
  expect_silent_success(ours.check(of_ours));
  const Json again = must_add(theirs);
  expect_silent_success(ours.del(of_ours));
  EXPECT_TRUE(pings(netns(theirs), "198.51.100.2"));
  expect_silent_success(theirs.del(again));
  EXPECT_EQ(rules(), before);
}

}  // namespace
}  // namespace unicni::test::iptables_firewall_test
