// A node that is upgraded under running containers: lists of bridge, portmap and firewall that
// Debian's plugins made, process by process as libcni runs them, are taken down by ours.

#include <utility>

#include "integration/host_test.h"

namespace unicni::test::exchange_list_test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ExchangeList : public HostTest {
 protected:
  void SetUp() override {
    // Else the bridge's address is tentative for a while.
    tool({"sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0"});
    // What stays after the last DEL of the reference's bridge is there from now on.
    const Attachment job = by_reference(attachment(bridge(), "first"));
    expect_silent_success(job.del(must_add(job)));
    containers_.pop_back();
    // Rules of others, in the chains that iptables would make otherwise.
    for (const auto& [program, source] :
         {std::pair("iptables", "192.0.2.9"), std::pair("ip6tables", "2001:db8::9")}) {
      for (const auto& [table, chain] :
           {std::pair("filter", "FORWARD"), std::pair("nat", "PREROUTING"),
            std::pair("nat", "OUTPUT")}) {
        tool({program, "-t", table, "-A", chain, "-s", source});
      }
    }
    before_ = snapshot();
  }
  static Json bridge() {
    return Json::parse(R"({
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0",
      "isDefaultGateway": true, "ipMasq": true,
      "ipam": {"type": "host-local",
               "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}
    })");
  }
  static Json portmap(int host_port) {
    Json config = {{"type", "portmap"}, {"snat", true}};
    config["runtimeConfig"]["portMappings"] = {
        {{"hostPort", host_port}, {"containerPort", 80}, {"protocol", "tcp"}},
        {{"hostPort", host_port}, {"containerPort", 53}, {"protocol", "udp"}}};
    return config;
  }
  static Json firewall() { return {{"type", "firewall"}, {"ingressPolicy", "same-bridge"}}; }
  static Attachment by_reference(Attachment job) {
    job.folder = job.cni_path = kReferenceDir;
    return job;
  }
  /// `plugin` as the next process behind the one that had `result`.
  static Attachment after(const Attachment& job, const Json& result, Json plugin) {
    Attachment next = job;
    plugin["cniVersion"] = "1.0.0";
    plugin["name"] = "net";
    plugin["prevResult"] = result;
    next.config = std::move(plugin);
    return next;
  }
  /// The whole list by the reference.
  Json made_by_reference(const Attachment& job, const std::vector<Json>& chained) {
    const Attachment first = by_reference(job);
    const Json result = must_add(first);
    for (const Json& plugin : chained) must_add(after(first, result, plugin));
    return result;
  }
  /// By ours in one process; runtimes may leave runtimeConfig out.
  static void del_list(Attachment job, const Json& result) {
    Json first = bridge();
    first.erase("cniVersion");
    first.erase("name");
    job.config = {{"cniVersion", "1.0.0"},
                  {"name", "net"},
                  {"type", "unicni"},
                  {"plugins", {first, {{"type", "portmap"}}, firewall()}}};
    expect_silent_success(job.del(result));
  }
  /// What 1.9.1 makes with "backend": "nftables"; Debian's version can't.
  static void publish_by_nftables(const Attachment& job, const Json& result) {
    const auto address_of = [&](std::size_t i) {
      const std::string text = result["ips"][i]["address"];
      return text.substr(0, text.find('/'));
    };
    std::string text = R"(add table ip cni_hostport { comment "CNI portmap plugin"; }
add table ip6 cni_hostport { comment "CNI portmap plugin"; }
add chain ip cni_hostport hostports
add chain ip cni_hostport hostip_hostports
add chain ip cni_hostport hostports_all
flush chain ip cni_hostport hostports_all
add rule ip cni_hostport hostports_all jump hostip_hostports
add rule ip cni_hostport hostports_all jump hostports
add chain ip cni_hostport prerouting { type nat hook prerouting priority dstnat; }
add chain ip cni_hostport masquerading { type nat hook postrouting priority srcnat; }
add chain ip6 cni_hostport hostports
add chain ip6 cni_hostport prerouting { type nat hook prerouting priority dstnat; }
add chain ip6 cni_hostport masquerading { type nat hook postrouting priority srcnat; }
flush chain ip cni_hostport prerouting
add rule ip cni_hostport prerouting fib daddr type local jump hostports_all
flush chain ip6 cni_hostport prerouting
add rule ip6 cni_hostport prerouting fib daddr type local jump hostports
add rule ip cni_hostport hostports tcp dport 8080 dnat to $4:80 comment "$ID"
add rule ip cni_hostport hostports udp dport 8080 dnat to $4:53 comment "$ID"
add rule ip cni_hostport hostports ip daddr 192.0.2.1 tcp dport 8081 dnat to $4:80 comment "$ID"
add rule ip cni_hostport masquerading ip saddr $4 ip daddr $4 masquerade comment "$ID"
add rule ip cni_hostport masquerading ip saddr 127.0.0.1 ip daddr $4 masquerade comment "$ID"
add rule ip6 cni_hostport hostports tcp dport 8080 dnat to [$6]:80 comment "$ID"
add rule ip6 cni_hostport hostports udp dport 8080 dnat to [$6]:53 comment "$ID"
add rule ip6 cni_hostport masquerading ip6 saddr $6 ip6 daddr $6 masquerade comment "$ID"
)";
    const auto put = [&](const std::string& name, const std::string& value) {
      for (auto at = text.find(name); at != text.npos; at = text.find(name)) {
        text.replace(at, name.size(), value);
      }
    };
    put("$4", address_of(0));
    put("$6", address_of(1));
    put("$ID", job.container_id);
    const Output output = run(
        {.argv = {"nft", "-f", "-"}, .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, .in = text});
    ASSERT_TRUE(output.ok()) << output.str();
  }
  static std::string ruleset() { return tool({"nft", "list", "ruleset"}).out; }

  Snapshot before_;
};

TEST_F(ExchangeList, IptablesRulesGo) {
  std::vector<std::pair<Attachment, Json>> made;
  for (int i = 0; i < 3; ++i) {
    const Attachment job = attachment(bridge(), "c" + std::to_string(i));
    made.emplace_back(job, made_by_reference(job, {portmap(8080 + i), firewall()}));
  }
  ASSERT_THAT(ruleset(), HasSubstr("CNI-HOSTPORT-DNAT"));
  ASSERT_THAT(ruleset(), HasSubstr("CNI-ISOLATION-STAGE-1"));
  for (std::size_t i = 0; i < made.size(); ++i) {
    // The last one's namespace is gone, as after a crash of the container.
    if (i + 1 == made.size()) container_of(made[i].first).remove();
    del_list(made[i].first, made[i].second);
    EXPECT_EQ(ruleset().find("CNI-HOSTPORT-DNAT") != std::string::npos, i + 1 < made.size());
  }
  EXPECT_EQ(difference(before_, snapshot()), "");
}

TEST_F(ExchangeList, NftablesRulesGo) {
  const Attachment one = attachment(bridge(), "c1");
  const Json of_one = made_by_reference(one, {firewall()});
  const Attachment other = attachment(bridge(), "c2");
  const Json of_other = made_by_reference(other, {firewall()});
  publish_by_nftables(one, of_one);
  publish_by_nftables(other, of_other);
  del_list(one, of_one);
  EXPECT_THAT(ruleset(), Not(HasSubstr("comment \"c1\"")));
  EXPECT_THAT(ruleset(), HasSubstr("comment \"c2\""));
  container_of(other).remove();
  del_list(other, of_other);
  EXPECT_EQ(difference(before_, snapshot()), "");
}

TEST_F(ExchangeList, NftablesRulesSatisfyCheckWhileAllOfThemAreThere) {
  const Attachment job = attachment(bridge(), "c1");
  const Json result = made_by_reference(job, {firewall()});
  Json ports = portmap(8080);
  ports["runtimeConfig"]["portMappings"].push_back(
      {{"hostPort", 8081}, {"containerPort", 80}, {"protocol", "tcp"}, {"hostIP", "192.0.2.1"}});
  const Attachment check = after(job, result, ports);
  expect_error(check.check(result));
  publish_by_nftables(job, result);
  expect_silent_success(check.check(result));
  const auto rules = [] {
    std::vector<Json> found;
    const Json listed = tool_json({"nft", "-j", "-a", "list", "ruleset"});
    for (const Json& entry : listed["nftables"]) {
      const Json rule = entry.value("rule", Json::object());
      const bool leads_on = rule.value("chain", "") == "hostports_all";
      if (rule.value("table", "") == "cni_hostport" && !leads_on) found.push_back(rule);
    }
    return found;
  };
  const std::size_t count = rules().size();
  EXPECT_EQ(count, 10U);
  for (std::size_t i = 0; i < count; ++i) {
    const Json rule = rules()[i];
    SCOPED_TRACE(rule.dump());
    tool({"nft", "delete", "rule", rule["family"], "cni_hostport", rule["chain"], "handle",
          rule["handle"].dump()});
    expect_error(check.check(result));
    for (const char* each : {"ip", "ip6"}) tool({"nft", "delete", "table", each, "cni_hostport"});
    publish_by_nftables(job, result);
    expect_silent_success(check.check(result));
  }
  for (const auto& [there, elsewhere] : {std::pair(8080, 8082), std::pair(80, 81)}) {
    SCOPED_TRACE(elsewhere);
    Json others = ports;
    const char* key = there == 80 ? "containerPort" : "hostPort";
    others["runtimeConfig"]["portMappings"][0][key] = elsewhere;
    expect_error(after(job, result, others).check(result));
  }
}

// What ours made with backends iptables is what the reference's DEL looks for.
TEST_F(ExchangeList, TheOtherWayRoundNothingIsLeftEither) {
  Attachment job = attachment(bridge(), "c1");
  job.config["ipMasqBackend"] = "iptables";
  const Json result = must_add(job);
  Json ports = portmap(8080);
  ports["backend"] = "iptables";
  Json filter = firewall();
  filter["backend"] = "iptables";
  must_add(after(job, result, ports));
  must_add(after(job, result, filter));
  for (const Json& plugin : {filter, ports}) {
    expect_silent_success(by_reference(after(job, result, plugin)).del());
  }
  expect_silent_success(by_reference(job).del(result));
  EXPECT_THAT(ruleset(), Not(HasSubstr("CNI-DN-")));
  EXPECT_THAT(ruleset(), Not(HasSubstr("10.1.2.2")));
  for (const Json& plugin : {filter, ports}) {
    expect_silent_success(after(job, result, plugin).del());
  }
  expect_silent_success(job.del(result));
}

}  // namespace
}  // namespace unicni::test::exchange_list_test
