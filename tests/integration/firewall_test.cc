// firewall in a list behind bridge, with packets, on hosts whose FORWARD chain drops.
#include "integration/firewall_host.h"

namespace unicni::test::firewall_test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(Firewall, OpensAHostThatDropsAndClosesItAgain) {
  drop_forwarding();
  const std::string before = foreign_rules();
  Json without = list("br1", 1);
  without["plugins"].erase(1);
  const Attachment closed = added(without, "closed");
  EXPECT_FALSE(reaches(closed, "198.51.100.2")) << "bridge alone opens nothing";

  const Attachment open = added(list("br2", 2), "open");
  EXPECT_TRUE(reaches(open, "198.51.100.2"));
  EXPECT_FALSE(reaches(closed, "198.51.100.2"));
  EXPECT_FALSE(pings(outside_.fd(), address(open))) << "only answers come in";
  expect_silent_success(open.check(result_of(open)));

  expect_silent_success(open.del(result_of(open)));
  EXPECT_EQ(foreign_rules(), before);
  EXPECT_THAT(nft_elements("att4"), IsEmpty());
}

/// A bridge without an address of the host, whose gateway `gateway` has 10.3.0.1.
class FirewallBesideTheBridge : public Firewall {
 protected:
  static Json layer2(const std::string& gateway) {
    tool({"ip", "addr", "add", "10.3.0.1/24", "dev", gateway});
    tool({"ip", "link", "set", gateway, "up"});
    tool({"sysctl", "-qw", "net.ipv4.ip_forward=1"});
    drop_forwarding();
    Json config = list("br3", 3);
    Json& bridge = config["plugins"][0];
    bridge.erase("isDefaultGateway");
    bridge["ipam"]["gateway"] = "10.3.0.1";
    bridge["ipam"]["routes"] = {{{"dst", "0.0.0.0/0"}}};
    return config;
  }
  static void make_patch(const char* one, const char* other) {
    tool({"ip", "link", "add", one, "type", "veth", "peer", "name", other});
    tool({"ip", "link", "set", one, "up"});
    tool({"ip", "link", "set", other, "up"});
  }
};

TEST_F(FirewallBesideTheBridge, AVethIntoTheBridgeIsLetThroughWheneverItIsPluggedIn) {
  make_patch("gw0", "gw0p");
  const Json config = layer2("gw0");
  const Attachment early = added(config, "early");
  tool({"ip", "link", "set", "gw0p", "master", "br3"});
  EXPECT_TRUE(reaches(early, "198.51.100.2"));
  expect_silent_success(early.check(result_of(early)));
  const Attachment late = added(config, "late");
  EXPECT_TRUE(reaches(late, "198.51.100.2"));
  expect_silent_success(late.check(result_of(late)));
  expect_silent_success(early.del(result_of(early)));
  expect_silent_success(late.del(result_of(late)));
  EXPECT_THAT(nft_elements("att4"), IsEmpty());
}

TEST_F(FirewallBesideTheBridge, ABridgeThatAVethPatchesIsLetThrough) {
  make_patch("patch0", "patch1");
  for (const std::string name : {"br3", "br4"}) tool({"ip", "link", "add", name, "type", "bridge"});
  tool({"ip", "link", "set", "patch0", "master", "br3"});
  tool({"ip", "link", "set", "patch1", "master", "br4"});
  const Attachment job = added(layer2("br4"), "c1");
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  expect_silent_success(job.check(result_of(job)));
}

/// It may be of another network with the same subnet, whose containers have the same addresses.
TEST_F(FirewallBesideTheBridge, AnotherLinkOfTheSameSubnetIsWarnedOfAndKeptFree) {
  tool({"ip", "link", "add", "br4", "type", "bridge"});
  const Attachment job = attachment(layer2("br4"), "c1");
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("by br4, its bridge is br3"));
  EXPECT_THAT(owners("att4"), ::testing::SizeIs(1));
}

TEST_F(Firewall, ALateDelClosesNobodyElsesAddress) {
  drop_forwarding();
  const Json config = list("br1", 1);
  const Attachment first = added(config, "first");
  container_of(first).remove();
  expect_silent_success(first.del());
  Json again = config;
  again["plugins"][0]["ipam"] = {
      {"type", "static"},
      {"addresses", {{{"address", address(first) + "/24"}, {"gateway", "10.1.0.1"}}}}};
  const Attachment second = added(again, "second");
  EXPECT_EQ(address(second), address(first));
  expect_silent_success(first.del(result_of(first)));
  EXPECT_TRUE(reaches(second, "198.51.100.2"));
}

TEST_F(Firewall, SameBridgeKeepsOtherBridgesOut) {
  const Json policy = {{"ingressPolicy", "same-bridge"}};
  const Attachment one = added(list("br1", 1, policy), "one");
  const Attachment sibling = added(list("br1", 1, policy), "sibling");
  const Attachment other = added(list("br2", 2, policy), "other");
  const Attachment open = added(list("br3", 3), "open");
  EXPECT_TRUE(reaches(one, address(sibling)));
  EXPECT_FALSE(reaches(other, address(one)));
  EXPECT_FALSE(reaches(one, address(other)));
  EXPECT_TRUE(reaches(open, address(one))) << "as with the reference";
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  EXPECT_TRUE(pings(outside_.fd(), address(one)));
}

TEST_F(Firewall, IsolatedKeepsSiblingsOutToo) {
  const Json policy = {{"ingressPolicy", "isolated"}};
  const Attachment one = added(list("br1", 1, policy), "one");
  const Attachment sibling = added(list("br1", 1, policy), "sibling");
  EXPECT_FALSE(reaches(one, address(sibling)));
  EXPECT_TRUE(reaches(one, "10.1.0.1"));
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  expect_silent_success(one.check(result_of(one)));
  tool({"bridge", "link", "set", "dev", host_end(result_of(one)), "isolated", "off"});
  EXPECT_THAT(expect_error(one.check(result_of(one)))["msg"], HasSubstr("isolated"));
}

TEST_F(Firewall, AFlushedRulesetComesBackWithTheNextVerb) {
  drop_forwarding();
  const Json config = list("br1", 1);
  const Attachment job = added(config, "one");
  const auto nobody = [&] {
    Attachment call;
    call.config = config;
    return call;
  };
  tool({"nft", "delete", "table", "inet", "unicni"});
  EXPECT_FALSE(reaches(job, "198.51.100.2"));
  expect_error(job.check(result_of(job)));
  expect_silent_success(nobody().status());
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  expect_silent_success(job.check(result_of(job)));

  tool({"nft", "flush", "table", "inet", "unicni"});
  expect_error(job.check(result_of(job)));
  expect_silent_success(nobody().gc(Json::array({valid_entry(job)})));
  expect_silent_success(job.check(result_of(job)));

  tool({"nft", "delete", "table", "inet", "unicni"});
  const Attachment other = added(config, "other");
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  EXPECT_TRUE(reaches(other, "198.51.100.2"));

  tool({"nft", "delete", "table", "inet", "unicni"});
  expect_silent_success(other.del(result_of(other)));
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  EXPECT_EQ(nft_elements("att4").size(), 1U);
}

TEST_F(Firewall, AnotherMarkBitReplacesBaseAndGateUnderRunningContainers) {
  Sandbox::keep_etc();
  drop_forwarding();
  const std::string before = foreign_rules();
  const Attachment one = added(list("br1", 1), "one");
  EXPECT_THAT(foreign_rules(), HasSubstr("--mark 0x1000/0x1000"));
  write_file("/etc/unicni/forward-mark-bit", "20\n");
  EXPECT_THAT(expect_error(one.check(result_of(one)))["msg"], HasSubstr("forward-mark-bit"));
  const Attachment two = added(list("br2", 2), "two");
  EXPECT_THAT(foreign_rules(), HasSubstr("--mark 0x100000/0x100000"));
  EXPECT_THAT(foreign_rules(), Not(HasSubstr("0x1000/0x1000 ")));
  EXPECT_TRUE(reaches(one, "198.51.100.2"));
  EXPECT_TRUE(reaches(two, "198.51.100.2"));
  expect_silent_success(one.check(result_of(one)));

  write_file("/etc/unicni/forward-mark-bit", "32\n");
  const Attachment three = attachment(list("br1", 1), "three");
  EXPECT_THAT(expect_error(three.add(), 7)["msg"], HasSubstr("forward-mark-bit"));
  write_file("/etc/unicni/forward-mark-bit", "20\n");
  expect_silent_success(one.del(result_of(one)));
  expect_silent_success(two.del(result_of(two)));
  EXPECT_EQ(foreign_rules(), before);
}

TEST_F(Firewall, TheMarkBitIsReadInItsFormerPlaceToo) {
  Sandbox::keep_etc();
  drop_forwarding();
  write_file("/etc/cni/unicni/forward-mark-bit", "21");
  added(list("br1", 1), "one");
  EXPECT_THAT(foreign_rules(), HasSubstr("--mark 0x200000/0x200000"));
  write_file("/etc/unicni/forward-mark-bit", "20");
  added(list("br2", 2), "two");
  EXPECT_THAT(foreign_rules(), HasSubstr("--mark 0x100000/0x100000"));
}

TEST_F(Firewall, AMarkBitThatIsWrongOrCanBeWrittenByOthersIsNoObstacleForDel) {
  Sandbox::keep_etc();
  drop_forwarding();
  const std::string before = foreign_rules();
  const Attachment one = added(list("br1", 1), "one");
  const Attachment two = added(list("br1", 1), "two");
  write_file("/etc/unicni/forward-mark-bit", "12", 0666);
  tool({"chmod", "666", "/etc/unicni/forward-mark-bit"});
  const Json error = expect_error(attachment(list("br1", 1), "three").add(), 7);
  EXPECT_THAT(error["msg"],
              HasSubstr("/etc/unicni/forward-mark-bit is of user 0 and has mode 0666"));
  EXPECT_TRUE(one.del(result_of(one)).ok());
  write_file("/etc/unicni/forward-mark-bit", "many");
  EXPECT_TRUE(two.del(result_of(two)).ok());
  EXPECT_THAT(owners(), Not(Contains(HasSubstr("/one/"))));
  EXPECT_THAT(owners(), Not(Contains(HasSubstr("/two/"))));
  EXPECT_EQ(foreign_rules(), before);
}

TEST_F(Firewall, ForwardThatWasFlushedIsRepairedByTheNextAdd) {
  drop_forwarding();
  const Attachment job = added(list("br1", 1), "one");
  tool({"iptables-nft", "-F", "FORWARD"});
  EXPECT_FALSE(reaches(job, "198.51.100.2"));
  EXPECT_THAT(expect_error(job.check(result_of(job)))["msg"], HasSubstr("FORWARD"));
  added(list("br1", 1), "two");
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
  tool({"iptables-nft", "-F", "CNI-FORWARD"});
  Attachment nobody;
  nobody.config = list("br1", 1);
  expect_silent_success(nobody.status());
  EXPECT_TRUE(reaches(job, "198.51.100.2"));
}

TEST_F(Firewall, NoneChangesNothing) {
  Json without = list("br1", 1);
  without["plugins"].erase(1);
  added(without, "plain");
  drop_forwarding();
  const std::string before = tool({"nft", "list", "ruleset"}).out;
  const Attachment job = added(list("br1", 1, {{"backend", "none"}}), "one");
  EXPECT_EQ(tool({"nft", "list", "ruleset"}).out, before);
  expect_silent_success(job.check(result_of(job)));
  expect_silent_success(job.del(result_of(job)));
}

TEST_F(Firewall, GcFindsALeakAndStatusAForeignTable) {
  drop_forwarding();
  const std::string before = foreign_rules();
  const Attachment job = added(list("br1", 1), "one");
  container_of(job).remove();
  for (const std::string& file : files_in(kJournals)) {
    tool({"rm", std::string(kJournals) + "/" + file});
  }
  Attachment nobody;
  nobody.config = list("br1", 1);
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_THAT(nft_elements("att4"), IsEmpty());
  EXPECT_EQ(foreign_rules(), before);
  expect_silent_success(nobody.status());

  tool({"nft", "delete", "table", "inet", "unicni"});
  tool({"nft", "add", "table", "inet", "unicni"});
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("inet unicni"));
}

TEST_F(Firewall, NeedsAPluginBeforeIt) {
  Attachment job =
      attachment(Json::parse(R"({"cniVersion": "1.0.0", "name": "alone", "type": "firewall"})"));
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("chained"));
  expect_silent_success(job.del());
}

}  // namespace
}  // namespace unicni::test::firewall_test
