// Chains and policies of /etc/unicni: compiled by unictl when a verb finds them changed, applied to
// what an ADD is for, and without power over what is there already.
#include <unistd.h>

#include <thread>
#include <vector>

#include "integration/host_test.h"
#include "support/recorder.h"

namespace unicni::test::policies_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr const char* kChains = "/etc/unicni/chains";
constexpr const char* kPolicies = "/etc/unicni/policy.d";
constexpr const char* kTenant = "IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a";

class Policies : public HostTest {
 protected:
  Policies() { Sandbox::keep_etc(); }
  static void chain(const std::string& name, const std::string& text) {
    tool({"mkdir", "-p", kChains});
    write_file(std::string(kChains) + '/' + name + ".yaml", text);
  }
  static void policy(const std::string& text, const std::string& name = "a.yaml") {
    tool({"mkdir", "-p", kPolicies});
    write_file(std::string(kPolicies) + '/' + name, text);
  }
  static void remove_settings() { tool({"rm", "-rf", "/etc/unicni"}); }
  static Json wrapper(const std::string& name = "web") {
    return {{"cniVersion", "1.1.0"}, {"name", name}, {"type", "unicni"}, {"chain", name}};
  }
  static void web_chain() {
    chain("web",
          "name: web\ncniVersion: 1.1.0\nplugins:\n"
          "  - type: bridge\n    bridge: cni0\n    isGateway: yes\n    ipMasq: on\n"
          "    ipam: {type: host-local, subnet: 10.22.0.0/16}\n"
          "  - {type: tuning, sysctl: {net.ipv4.conf.IFNAME.arp_ignore: 1}}\n");
  }
  static Json list(Json plugins) {
    return {{"cniVersion", "1.1.0"},
            {"name", "mynet"},
            {"type", "unicni"},
            {"plugins", std::move(plugins)}};
  }
  static Json bridge() {
    Json bridge = mynet();
    bridge.erase("cniVersion");
    bridge.erase("name");
    return bridge;
  }
  int mtu(const Attachment& job) {
    return container_of(job).json({"ip", "-j", "link", "show", "eth0"})[0]["mtu"];
  }
  void expect_nothing_left(const Attachment& job) {
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_EQ(tool_json({"ip", "-j", "link", "show", "type", "veth"}), Json::array());
    EXPECT_EQ(tool_json({"ip", "-j", "link", "show", "type", "ifb"}), Json::array());
    EXPECT_THAT(files_in("/var/lib/cni/networks/" + job.config["name"].get<std::string>()),
                ::testing::Not(::testing::Contains(StartsWith("10."))));
  }
};

TEST_F(Policies, AChainIsTheListOfItsFile) {
  web_chain();
  const Attachment job = attachment(wrapper());
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.22.0.2/16");
  EXPECT_EQ(
      container_of(job).json({"ip", "-j", "addr", "show", "eth0"})[0]["addr_info"][0]["local"],
      "10.22.0.2");
  expect_silent_success(job.check(result));
  expect_silent_success(job.status());
  expect_silent_success(job.del(result));
  expect_nothing_left(job);
}

TEST_F(Policies, AChainEditedBrokenOrRemovedNeverBreaksDelCheckOrGc) {
  Recorder foreign("recorder");
  const std::vector<std::string> fates = {
      "name: web\nplugins: [{type: bridge, bridge: other}]\n",  // edited
      "name: web\nplugins: [{type: absent}]\n",                 // a plugin that nobody has
      "name: web\nplugins: [{type: unicni, chain: web}]\n",     // a list in a list
      "name: web\nplugins: [{type: a/b}]\n",                    // no plugin could be called so
      "name: web\nplugins: [",                                  // broken
      ""};                                                      // removed
  for (std::size_t i = 0; i < fates.size(); ++i) {
    web_chain();
    const std::string path = std::string(kChains) + "/web.yaml";
    write_file(path, read_file(path) + "  - {type: recorder}\n");
    Attachment job = attachment(wrapper(), "c" + std::to_string(i));
    job.cni_path = bin_dir() + ':' + foreign.folder();
    const Json result = must_add(job);
    if (fates[i].empty()) {
      remove_settings();
      tool({"rm", "-rf", "/run/unicni/compiled"});
    } else {
      chain("web", fates[i]);
      Attachment other = attachment(wrapper(), "other" + std::to_string(i));
      other.cni_path = job.cni_path;
      static_cast<void>(other.add());  // finds the change
    }
    expect_silent_success(job.check(result));
    const Output gc = job.gc(Json::array({valid_entry(job)}));
    EXPECT_EQ(gc.out, "") << fates[i];
    EXPECT_EQ(job.del(result).out, "") << fates[i];
    EXPECT_EQ(foreign.commands().back(), "DEL") << fates[i];
    expect_nothing_left(job);
  }
}

/// The list itself, as the runtime has it, and not the chain's file.
TEST_F(Policies, AListEditedToNoneNeverBreaksDelOrGc) {
  web_chain();
  int count = 0;
  for (const std::string spoiled :
       {R"("chain":"web","plugins":[{"type":"ptp"}])", R"("chain":5)", R"("chain":"../x")",
        R"("plugins":[])", R"("plugins":{})", R"("plugins":null)", R"("x":1)",
        R"("plugins":[{"type":5}])", R"("plugins":[5])", R"("plugins":[{"type":"a/b"}])"}) {
    SCOPED_TRACE(spoiled);
    const Json none =
        Json::parse(R"({"cniVersion":"1.1.0","name":"web","type":"unicni",)" + spoiled + "}");
    for (const bool by_gc : {false, true}) {
      Attachment job = attachment(wrapper(), "c" + std::to_string(++count));
      const Json result = must_add(job);
      job.config = none;
      const Output kept = job.gc(Json::array({valid_entry(job)}));
      EXPECT_EQ(kept.out, "");
      EXPECT_THAT(kept.err, HasSubstr("the list is none by now ("));
      EXPECT_THAT(files_in(kJournals), ::testing::SizeIs(1));
      EXPECT_EQ((by_gc ? job.gc(Json::array()) : job.del(result)).out, "");
      expect_nothing_left(job);
      EXPECT_EQ(job.del().out, "") << "a DEL that comes again";
      expect_error(job.add());
    }
  }
}

TEST_F(Policies, GcOfAChainThatIsGoneTakesItsAttachmentsAway) {
  web_chain();
  const Attachment job = attachment(wrapper());
  must_add(job);
  remove_settings();
  tool({"rm", "-rf", "/run/unicni/compiled"});
  EXPECT_EQ(job.gc(Json::array()).out, "");
  expect_nothing_left(job);
}

/// Everything that may be deleted is, within one boot: the chain's file is the last that knows.
TEST_F(Policies, DelAndGcOfWhatNobodyRememberedGoByTheChainsFile) {
  web_chain();
  const auto lose = [] { tool({"rm", "-rf", "/run/unicni"}); };
  const Attachment job = attachment(wrapper());
  const Json result = must_add(job);
  lose();
  EXPECT_EQ(job.del(result).out, "");
  expect_nothing_left(job);

  const Attachment lost = attachment(wrapper(), "lost");
  must_add(lost);
  lose();
  container_of(lost).remove();
  EXPECT_EQ(lost.gc(Json::array()).out, "");
  expect_nothing_left(lost);
}

/// Who compiles may be the one that is broken, or that hangs.
TEST_F(Policies, DelOfWhatNobodyRememberedSucceedsWithoutTheChainsFile) {
  web_chain();
  int count = 0;
  for (const char* broken :
       {"plugins: [", "plugins: [{type: nosuch}]", "plugins: [{type: unicni, chain: web}]",
        "plugins: [{type: unicni, plugins: [{type: tuning}]}]", "plugins: [{type: a/b}]",
        "plugins: [{type: bridge, ipam: {type: nosuch}}]",
        "plugins: [{type: bridge, ipam: {type: a/b}}]"}) {
    web_chain();
    const Attachment job = attachment(wrapper(), "c" + std::to_string(++count));
    must_add(job);
    chain("web", broken);
    tool({"rm", "-rf", "/run/unicni"});
    const Output del = job.del();
    EXPECT_EQ(del.out, "") << broken;
    EXPECT_EQ(tool_json({"ip", "-j", "link", "show", "type", "veth"}), Json::array()) << broken;
    tool({"rm", "-rf", "/var/lib/cni/networks"});
  }
}

TEST_F(Policies, DelWithoutJournalAndChainSweepsAndSucceeds) {
  web_chain();
  const Attachment job = attachment(wrapper());
  must_add(job);
  remove_settings();
  tool({"rm", "-rf", "/run/unicni"});
  const Output del = job.del();
  EXPECT_EQ(del.out, "");
  EXPECT_THAT(del.err, HasSubstr("chain web isn't known any more: as there is no journal of"));
  expect_nothing_left(job);
}

TEST_F(Policies, CheckWithoutJournalNamesItAndNotTheChain) {
  web_chain();
  const Attachment job = attachment(wrapper());
  const Json result = must_add(job);
  tool({"rm", "-rf", "/run/unicni"});
  const Output check = job.check(result);
  EXPECT_EQ(check.err, "");
  const Json error = expect_error(check, 3);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("web/c1/eth0 isn't in the journal"));
  EXPECT_THAT(error["details"].get<std::string>(),
              HasSubstr("/run/unicni/attachments was emptied since: DEL and ADD it again"));
}

TEST_F(Policies, WrappersAreRefusedForWhatTheyAre) {
  web_chain();
  Json both = wrapper();
  both["plugins"] = Json::array({bridge()});
  int count = 0;
  const auto msg = [&](const Json& config) {
    const Attachment job = attachment(config, "c" + std::to_string(++count));
    return expect_error(job.add(), 7)["msg"].get<std::string>();
  };
  EXPECT_EQ(msg(both), "\"chain\" stands beside \"plugins\"");
  Json climbing = wrapper();
  climbing["chain"] = "../web";
  EXPECT_THAT(msg(climbing), HasSubstr("names no chain"));
  const Json absent = expect_error(attachment(wrapper("wbe"), "typo").add(), 7);
  EXPECT_EQ(absent["msg"], "no chain \"wbe\" in /etc/unicni/chains");
  EXPECT_EQ(absent["details"], "did you mean \"web\"? there are: web");
  chain("web", "name: other\nplugins: [{type: bridge}]\n");
  EXPECT_THAT(msg(wrapper()), StartsWith("/etc/unicni/chains/web.yaml:1:7: name: \"web\""));
}

TEST_F(Policies, ASymlinkedPluginIsRuled) {
  policy("rules: [{name: small, match: {type: bridge}, override: {mtu: 1300}}]");
  const Attachment job = attachment(with_version(mynet(), "1.1.0"));
  const Json result = must_add(job);
  EXPECT_EQ(mtu(job), 1300);
  const std::string journal = read_file(std::string(kJournals) + "/mynet:c1:eth0");
  EXPECT_THAT(journal,
              HasSubstr("override+bridge.mtu%3D1300:+small+(/etc/unicni/policy.d/a.yaml:1)"));
  EXPECT_THAT(journal, HasSubstr(" asked={"));
  policy("rules: [{match: {type: bridge}, override: {mtu: 1200}}]");
  expect_silent_success(job.check(result));
  policy("rules: [");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_nothing_left(job);
}

TEST_F(Policies, ADelegateIsRuled) {
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
             "FLANNEL_IPMASQ=false\n");
  const Json config = {{"cniVersion", "1.1.0"}, {"name", "cbr0"}, {"type", "flannel"}};
  policy("rules: [{override: {mtu: 1300, ipMasq: true}}]");
  const Attachment job = attachment(config);
  const Json result = must_add(job);
  EXPECT_EQ(mtu(job), 1300);
  remove_settings();
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_nothing_left(job);

  policy("rules: [{match: {type: flannel}, require: {mtu: {max: 1400}}}]");
  const Json error = expect_error(attachment(config, "c2").add(), 120);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("mtu 1450 of bridge is not allowed"));
  policy("modules: {deny: bridge}");
  EXPECT_THAT(expect_error(attachment(config, "c3").add(), 120)["msg"].get<std::string>(),
              HasSubstr("modules: type bridge is denied"));
  expect_nothing_left(job);
}

TEST_F(Policies, TenantsGetARateAndAreHeldToIt) {
  policy(
      "rules:\n"
      "  - name: tenants\n"
      "    match: {namespace: 'tenant-*'}\n"
      "    require: {egressRate: {max: 100M}}\n"
      "    append: [{type: bandwidth, egressRate: 100000000}]\n"
      "  - match: {namespace: forbidden}\n"
      "    deny: networking is not offered here\n");
  // One in the list already, with what the pod's annotations say.
  Json config = list({bridge(), {{"type", "bandwidth"}, {"capabilities", {{"bandwidth", true}}}}});
  config["runtimeConfig"] = {
      {"bandwidth", {{"egressRate", 900000000}, {"egressBurst", 800000000}}}};
  Attachment job = attachment(config);
  job.env["CNI_ARGS"] = kTenant;
  const Json result = must_add(job);
  const Json shaped = tool_json({"tc", "-j", "qdisc", "show"});
  int buckets = 0;
  for (const Json& qdisc : shaped) {
    if (qdisc["kind"] != "tbf") continue;
    ++buckets;
    EXPECT_EQ(qdisc["options"]["rate"], 12500000) << "bytes a second: the lower rate";
  }
  EXPECT_EQ(buckets, 1);
  remove_settings();
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_nothing_left(job);
}

TEST_F(Policies, WhatIsViolatedOrDeniedLeavesNoTrace) {
  policy(
      "rules:\n"
      "  - {name: tenants, match: {namespace: 'tenant-*'}, require: {egressRate: {max: 100M}}}\n"
      "  - {match: {namespace: forbidden}, deny: networking is not offered here}\n");
  Attachment job = attachment(with_version(mynet(), "1.1.0"));
  job.env["CNI_ARGS"] = kTenant;
  std::this_thread::sleep_for(std::chrono::milliseconds(70));  // until a change would show
  expect_error(job.add(), 120);                                // compiles
  const Json unlimited = expect_no_trace(job, 120);
  EXPECT_EQ(
      unlimited["msg"],
      "/etc/unicni/policy.d/a.yaml:2: rule tenants: egressRate unlimited is not allowed; allowed: "
      "at most 100000000");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=forbidden";
  EXPECT_EQ(expect_no_trace(job, 120)["msg"],
            "/etc/unicni/policy.d/a.yaml:3: networking is not offered here");
  job.env["CNI_ARGS"] = "K8S_POD_NAMESPACE=a;K8S_POD_NAMESPACE=a";
  expect_no_trace(job, 120);
}

TEST_F(Policies, AForeignMemberIsRuled) {
  Recorder foreign("recorder");
  policy("rules: [{match: {type: recorder}, override: {own: 7}}]");
  Attachment job = attachment(list({bridge(), {{"type", "recorder"}, {"OWN", "x"}}}));
  job.cni_path = bin_dir() + ':' + foreign.folder();
  const Json result = must_add(job);
  policy("rules: [{match: {type: recorder}, override: {own: 8}}]");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  for (const Json& call : foreign.calls()) {
    const Json sent = Json::parse(call["stdin"].get<std::string>());
    EXPECT_EQ(sent.value("own", 0), 7) << call["env"]["CNI_COMMAND"];
    EXPECT_FALSE(sent.contains("OWN"));
  }
  policy("modules: {exec: never}");
  EXPECT_THAT(expect_error(job.add(), 120)["msg"].get<std::string>(),
              HasSubstr("type recorder is a program of another maker"));
  expect_nothing_left(job);
}

TEST_F(Policies, APolicyEditedBrokenOrRemovedNeverBreaksDelCheckOrGc) {
  Recorder foreign("recorder");
  const std::vector<std::string> fates = {
      "rules: [{match: {type: [bridge, recorder]}, override: {mtu: 1200}}]",  // edited
      "rules: [{deny: nobody}]\nmodules: {deny: '*', exec: never}",           // denies it all
      "rules: [", ""};                                                        // broken, removed
  for (std::size_t i = 0; i < fates.size(); ++i) {
    SCOPED_TRACE(fates[i]);
    policy(
        "rules:\n- {match: {type: [bridge, recorder]}, override: {mtu: 1300}}\n"
        "- append: [{type: tuning, sysctl: {net.core.somaxconn: 517}}]\n");
    Attachment job = attachment(list({bridge(), {{"type", "recorder"}}}), "c" + std::to_string(i));
    job.cni_path = bin_dir() + ':' + foreign.folder();
    const Json result = must_add(job);
    if (fates[i].empty()) {
      remove_settings();
      tool({"rm", "-rf", "/run/unicni/compiled"});
    } else {
      policy(fates[i]);
    }
    expect_silent_success(job.check(result));
    expect_silent_success(job.gc(Json::array({valid_entry(job)})));
    expect_silent_success(job.del(result));
    const Json last = foreign.calls().back();
    EXPECT_EQ(last["env"]["CNI_COMMAND"], "DEL");
    EXPECT_EQ(Json::parse(last["stdin"].get<std::string>())["mtu"], 1300);
    expect_nothing_left(job);
  }
}

/// The clock of the file system ticks a few hundred times a second, and an edit may change neither
/// size nor inode.
TEST_F(Policies, AFileChangedWithinOneTickRulesTheNextAdd) {
  policy("rules: [{override: {mtu: 1300}}]");
  const std::string path = std::string(kPolicies) + "/a.yaml";
  for (int i = 0; i < 10; ++i) {
    const Attachment job = attachment(with_version(mynet(), "1.1.0"), "c" + std::to_string(i));
    write_file(path, "rules: [{override: {mtu: 13" + std::to_string(10 + i) + "}}]");
    must_add(job);
    EXPECT_EQ(mtu(job), 1310 + i);
    expect_silent_success(job.del());
  }
}

TEST_F(Policies, ABrokenPolicyFailsAddAndStatusAndNothingElse) {
  const Attachment job = attachment(with_version(mynet(), "1.1.0"));
  const Json result = must_add(job);
  policy("rules: [{requre: {}}]");
  const std::string why =
      "/etc/unicni/policy.d/a.yaml:1:10: rules[0].requre: unknown key; did you mean \"require\"?";
  EXPECT_EQ(expect_error(attachment(job.config, "c2").add(), 121)["msg"], why);
  EXPECT_EQ(expect_error(job.status(), 50)["msg"], why);
  expect_silent_success(job.check(result));
  expect_silent_success(job.gc(Json::array({valid_entry(job)})));
  expect_silent_success(job.del(result));
  expect_nothing_left(job);
}

TEST_F(Policies, ASinglePluginCantBeAddedTo) {
  policy("rules: [{name: more, append: [{type: tuning}]}]");
  const Attachment job = attachment(with_version(mynet(), "1.1.0"));
  const Output add = job.add();
  EXPECT_EQ(add.status, 0);
  EXPECT_THAT(add.err,
              HasSubstr("rule more: nothing can be added to a plugin that is called alone"));
  expect_silent_success(job.del());
}

TEST_F(Policies, AMissingMasterIsTheDefaultRoutesLink) {
  tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "far"});
  tool({"ip", "link", "set", "up0", "up"});
  tool({"ip", "addr", "add", "192.0.2.1/24", "dev", "up0"});
  tool({"ip", "route", "add", "default", "via", "192.0.2.2"});
  const Json config = {{"cniVersion", "1.1.0"}, {"name", "m"}, {"type", "macvlan"}};
  policy("rules: [{require: {master: [eth1]}}]");
  EXPECT_THAT(expect_error(attachment(config).add(), 120)["msg"].get<std::string>(),
              HasSubstr("master missing (the link of the default route, up0) of macvlan"));
  policy("rules: [{require: {master: [up0]}}]");
  const Attachment job = attachment(config, "c2");
  must_add(job);
  expect_silent_success(job.del());
}

TEST_F(Policies, CompilingRacesFiftyAdds) {
  const std::string one = "rules: [{match: {type: bridge}, override: {mtu: 1300}}]";
  const std::string other = "rules: [{match: {type: bridge}, override: {mtu: 1200}}]";
  policy(one);
  std::vector<Attachment> jobs;
  for (int i = 0; i < 50; ++i) {
    jobs.push_back(attachment(with_version(mynet(), "1.1.0"), "c" + std::to_string(i)));
  }
  std::vector<std::thread> threads;
  std::vector<int> states(jobs.size(), -1);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    threads.emplace_back([&, i] { states[i] = jobs[i].add().status; });
    if (i % 10 != 9) continue;
    policy(i % 20 == 9 ? other : one);
    threads.emplace_back([] { tool({stage() + "/bin/unictl", "compile"}); });
  }
  for (std::thread& each : threads) each.join();
  EXPECT_THAT(states, ::testing::Each(0));
  for (const Attachment& job : jobs) {
    const int found = mtu(job);
    EXPECT_TRUE(found == 1300 || found == 1200) << found;
    expect_silent_success(job.del());
  }
  expect_nothing_left(jobs.front());
}

}  // namespace
}  // namespace unicni::test::policies_test
