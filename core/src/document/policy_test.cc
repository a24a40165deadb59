#include "document/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/temp_folder_for_test.h"
#include "document/plain.h"
#include "document/tree_for_test.h"
#include "options/demo_table_for_test.h"
#include "policy/compiled.h"
#include "unicni/sys/file.h"

namespace unicni::document::policy_test {
namespace {

struct Rates {
  std::int64_t rate = 0;
  std::string count;
  bool flag = false;
};
constexpr Option kRateRows[] = {
    option<&Rates::rate>("egressRate", "").with_range(0, 1000'000'000),
    option<&Rates::count>("count", ""),
};
constexpr OptionTable kRates = option_table<Rates>(kRateRows);

std::vector<TypeOptions> types() {
  return {{"demo", false, &options::demo::kDemoTable},
          {"bandwidth", false, &kRates},
          {"strict", true, &options::demo::kStrictTable}};
}

policy::Policy policy(const std::string& text) {
  std::vector<std::string> warnings;
  return read_policy(read(text, "p.yaml"), types(), warnings);
}

std::string lint(const std::string& text) {
  std::string lines;
  for (const Finding& finding : type_policy(read(text, "p.yaml"), types()).findings) {
    lines += finding.line("p.yaml") + '\n';
  }
  return lines;
}

constexpr const char* kPolicy = R"(x-tenants: &tenants {namespace: "tenant-*"}
rules:
  - name: web-defaults
    match: {network: "web*", type: demo, pod: "*", interface: eth0, labels: {tier: [web, no]}, onMissing: deny}
    defaults: {flag: yes}
    override: {mtu: 1400, name2: no}
    require: {MTU: {max: 9000}, hostPort: [80, "3*"]}
  - match: *tenants
    require:
      hostPort: {min: 30_000, max: 32767}
      hostIP: "127.0.0.1"
      egressRate: {max: 100M}
      sysctl: [net.core.*]
    append: [{type: bandwidth, egressRate: 100_000_000}]
    prepend: [{type: other, flag: no}]
  - match: {namespace: forbidden}
    deny: "networking is not offered here"
modules: {allow: [demo, "x*"], deny: macvlan, exec: listed}
)";

TEST(PolicyFile, LimitsCompareWhatOverridesWrite) {
  for (const char* word : {"yes", "on", "True", "true", "\"yes\"", "[yes]"}) {
    const auto read = policy(std::string("rules:\n  - require: {flag: ") + word + "}\n");
    const std::string allowed = read.rules.at(0).limits.at(0).allowed.value().at(0);
    EXPECT_EQ(allowed, "true") << word;
  }
  for (const char* number : {"0x578", "1_400", "1400", "\"1400\""}) {
    const auto read = policy(std::string("rules:\n  - require: {mtu: ") + number + "}\n");
    EXPECT_EQ(read.rules.at(0).limits.at(0).allowed, policy::Patterns{"1400"}) << number;
  }
  EXPECT_THAT(lint("rules:\n  - require: {flag: maybe}\n"), testing::HasSubstr("true, false"));
}

TEST(PolicyFile, IsTheRulesThatItDescribes) {
  const policy::Policy read = policy(kPolicy);
  ASSERT_EQ(read.rules.size(), 3U);
  const policy::Rule& web = read.rules[0];
  EXPECT_EQ(web.name, "web-defaults");
  EXPECT_EQ(web.place, (policy::Place{"p.yaml", 3, 5}));
  EXPECT_EQ(web.match, (policy::Match{.network = policy::Patterns{"web*"},
                                      .type = policy::Patterns{"demo"},
                                      .pod = policy::Patterns{"*"},
                                      .if_name = policy::Patterns{"eth0"},
                                      .labels = {{"tier", {"web", "no"}}},
                                      .denies_missing = true}));
  EXPECT_EQ(web.defaults[0], (policy::Value{"flag", "true", {}, {"p.yaml", 5, 16}}));
  EXPECT_EQ(web.overrides[0].json, "1400");
  EXPECT_EQ(web.overrides[1].json, "\"no\"") << "the option table says what it is";
  EXPECT_EQ(web.limits[0], (policy::Limit{"mtu", {}, 9000, {}, {"p.yaml", 7, 15}}));
  EXPECT_EQ(web.limits[1].allowed, (policy::Patterns{"80", "3*"}));

  const policy::Rule& tenants = read.rules[1];
  EXPECT_EQ(tenants.name, "p.yaml:8");
  EXPECT_EQ(tenants.match.namespace_, policy::Patterns{"tenant-*"});
  EXPECT_EQ(tenants.limits[0].min, 30000);
  EXPECT_EQ(tenants.limits[1].allowed, policy::Patterns{"127.0.0.1"});
  EXPECT_EQ(tenants.limits[2].max, 100'000'000);
  EXPECT_EQ(tenants.appended[0].json, R"({"type":"bandwidth","egressRate":100000000})");
  EXPECT_EQ(tenants.prepended[0].json, R"({"type":"other","flag":"no"})");
  EXPECT_EQ(read.rules[2].deny, "networking is not offered here");
  EXPECT_EQ(read.modules[0].allow, (policy::Patterns{"demo", "x*"}));
  EXPECT_EQ(read.modules[0].deny, policy::Patterns{"macvlan"});
  EXPECT_EQ(read.modules[0].exec, policy::Exec::listed);
  EXPECT_EQ(policy::parse_policy(policy::print_policy(read)), read);
}

TEST(PolicyFile, MayBeJsonWithComments) {
  EXPECT_EQ(policy("// no pods\n{\"rules\": [{\"match\": {\"pod\": \"*\"}, \"deny\": \"no\"}]}")
                .rules[0]
                .deny,
            "no");
}

TEST(PolicyFile, AValueIsWhatTheTypesTableSays) {
  const auto overridden = [](const std::string& rule) {
    return policy("rules: [{" + rule + "}]").rules[0].overrides[0];
  };
  EXPECT_EQ(overridden("match: {type: bandwidth}, override: {egressRate: 5M}").json, "5000000");
  EXPECT_EQ(overridden("match: {type: bandwidth}, override: {count: 7}").json, "\"7\"");
  EXPECT_EQ(overridden("match: {type: demo}, override: {count: 7}").json, "7");
  EXPECT_EQ(
      overridden("override: {count: 7}").by_type,
      (std::vector<std::pair<std::string, std::string>>{{"demo", "7"}, {"bandwidth", "\"7\""}}));
  EXPECT_EQ(overridden("match: {type: foreign}, override: {speed: 5M, list: [1, no]}").json,
            "\"5M\"");
  EXPECT_EQ(overridden("match: {type: strict}, override: {key: 1}").json, "\"1\"") << "an IPAM's";
}

TEST(PolicyFile, AnAddedPluginMayHaveSizes) {
  const auto added = [](const std::string& rate) {
    return policy("rules: [{append: [{type: bandwidth, egressRate: " + rate + ", count: 5M}]}]")
        .rules[0]
        .appended[0]
        .json;
  };
  const std::string digits = R"({"type":"bandwidth","egressRate":100000000,"count":"5M"})";
  EXPECT_EQ(added("100M"), digits) << "count is a text by its table";
  EXPECT_EQ(added("\"100M\""), digits);
  EXPECT_EQ(lint("rules: [{append: [{type: bandwidth, egressRate: 100X}]}]").substr(0, 64),
            "p.yaml:1:49: rules[0].append[0].egressRate: an integer from 0 to");
  EXPECT_EQ(lint("rules: [{append: [{type: bandwidth, egressRate: 5G}]}]").substr(0, 44),
            "p.yaml:1:49: rules[0].append[0].egressRate: ")
      << "beyond what the option takes";
}

TEST(PolicyFile, SizesHaveThousandsAndTheirBinaryKin) {
  EXPECT_EQ(parse_size("9000"), 9000);
  EXPECT_EQ(parse_size("100M"), 100'000'000);
  EXPECT_EQ(parse_size("1_000k"), 1'000'000);
  EXPECT_EQ(parse_size("5Mi"), 5 << 20);
  EXPECT_EQ(parse_size("2G"), 2'000'000'000);
  for (const char* text : {"", "M", "5m", "5MB", "-1", "1.5M", "010", "9223372036854775808",
                           "9007199254740993Ti", "0x10"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

TEST(PolicyFile, WhatIsWrongHasItsPlace) {
  const struct {
    const char* text;
    const char* finding;
  } rows[] = {
      {"[]", "1:1: the policy: an object with \"rules\" or \"modules\" is expected, not a list"},
      {"rule: []", "1:1: rule: unknown key; did you mean \"rules\"?"},
      {"rules: {a: 1}", "1:8: rules: a list of rules is expected, not an object"},
      {"rules: [1]", "1:9: rules[0]: a rule, which is an object, is expected, not 1"},
      {"rules: [{requre: {mtu: {max: 1}}, deny: x}]",
       "1:10: rules[0].requre: unknown key; did you mean \"require\"?"},
      {"rules: [{match: {namespce: a}, deny: x}]",
       "1:18: rules[0].match.namespce: unknown key; did you mean \"namespace\"?"},
      {"rules: [{match: {pod: }, deny: x}]",
       "1:18: rules[0].match.pod: a text, or a list of texts, in which * stands for any text, is "
       "expected, not nothing"},
      {"rules: [{override: {type: a}}]", "1:21: rules[0].override.type: no rule can set this key"},
      {"rules: [{override: {PrevResult: {}}}]",
       "1:21: rules[0].override.PrevResult: no rule can set this key"},
      {"rules: [{match: {type: demo}, override: {mtuu: 1}}]",
       "1:42: rules[0].override.mtuu: no plugin that the rule is about has such an option; did "
       "you mean \"mtu\"?"},
      {"rules: [{match: {type: demo}, defaults: {mtu: much}}]",
       "1:47: rules[0].defaults.mtu: an integer"},
      {"rules: [{require: {hostprt: {max: 1}}}]",
       "1:20: rules[0].require.hostprt: no plugin has such an option; did you mean \"hostPort\"?"},
      {"rules: [{require: {mtu: {max: much}}}]",
       "1:31: rules[0].require.mtu.max: a number, as 9000, 100M or 5Mi, is expected, not much"},
      {"rules: [{require: {mtu: {maximum: 1}}}]",
       "1:26: rules[0].require.mtu.maximum: unknown key"},
      {"rules: [{require: {mtu: {min: 2, max: 1}}}]",
       "1:25: rules[0].require.mtu: no number is from 2 to 1"},
      {"rules: [{require: {mtu: {}}}]",
       "1:25: rules[0].require.mtu: \"min\", \"max\" or both is expected, not an object"},
      {"rules: [{require: {sysctl: {max: 1}}}]",
       "1:28: rules[0].require.sysctl: a text or a list of texts is expected, not an object"},
      {"rules: [{require: {egressRate: [1]}}]",
       "1:32: rules[0].require.egressRate: an object with \"min\" or \"max\" is expected, not a "
       "list"},
      {"rules: [{append: {type: demo}}]",
       "1:18: rules[0].append: a list of plugin objects is expected, not an object"},
      {"rules: [{append: [{mtu: 1}]}]",
       "1:19: rules[0].append[0].type: missing, the name of a plugin is needed"},
      {"rules: [{deny: []}]",
       "1:16: rules[0].deny: the text of the refusal, in quotes unless it is words, is expected, "
       "not a list"},
      {"rules: [{append: [{type: unicni, plugins: []}]}]",
       "1:26: rules[0].append[0].type: a list can't be added to a list"},
      {"rules: [{onMissing: refuse, deny: x}]",
       "1:21: rules[0].onMissing: \"deny\" or \"ignore\" is expected, not refuse"},
      {"modules: {exec: always}",
       "1:17: modules.exec: \"never\", \"listed\" or \"fallback\" is expected, not always"},
  };
  for (const auto& row : rows) {
    const std::string wanted = std::string("p.yaml:") + row.finding;
    EXPECT_THAT(lint(row.text), ::testing::StartsWith(wanted)) << row.text;
    EXPECT_THAT(refusal_of([&] { policy(row.text); }, Code::policy_unreadable),
                ::testing::StartsWith(wanted));
  }
}

/// `no` is no denial to some and a text to others.
TEST(PolicyFile, ADenialIsATextAndNoBooleanOrNumber) {
  for (const char* value :
       {"no", "No", "false", "off", "yes", "true", "", "~", "null", "''", "0", "1_000", "1.5"}) {
    const std::string text = fmt::format("rules:\n- {{deny: {}}}", value);
    EXPECT_THAT(refusal_of([&] { policy(text); }, Code::policy_unreadable),
                ::testing::MatchesRegex("p.yaml:2:[0-9]+: rules\\[0\\].deny: the text .*"))
        << value;
  }
  for (const char* value : {"'no'", "\"1\"", "no network here", "3 is too many"}) {
    EXPECT_TRUE(policy(fmt::format("rules: [{{deny: {}}}]", value)).rules.front().deny) << value;
  }
  EXPECT_THAT(
      refusal_of([] { policy("{\"rules\": [{\"deny\": false}]}"); }, Code::policy_unreadable),
      ::testing::StartsWith("p.yaml:1:21: rules[0].deny: the text"));
}

TEST(PolicyFile, ARuleThatDoesNothingIsOnlyWarnedOf) {
  EXPECT_EQ(lint("rules: [{name: idle}]"), "p.yaml:1:9: rules[0]: the rule does nothing\n");
  EXPECT_EQ(policy("rules: [{name: idle}]").rules.size(), 1U);
  EXPECT_TRUE(policy("rules: \n").empty());
}

/// A denial that matches nobody protects nobody. An ADD goes on: the other rules still count.
TEST(PolicyFile, WhatNothingCanMatchIsWarnedOf) {
  const struct {
    const char* rule;
    const char* finding;
  } rows[] = {
      {"match: {namespace: []}, deny: x", "match.namespace: an empty list matches nothing"},
      {"match: {labels: {tier: []}}, deny: x", "match.labels.tier: an empty list matches nothing"},
      {"match: {namespace: '[a-z]*'}, deny: x",
       "match.namespace: \"[a-z]*\" matches nothing: no namespace has a \"[\""},
      {"match: {namespace: 'a b'}, deny: x", "match.namespace: \"a b\" matches nothing"},
      {"match: {namespace: [a, Tenant-A]}, deny: x",
       "match.namespace[1]: \"Tenant-A\" matches nothing: no namespace has a \"T\""},
      {"match: {pod: a/b}, deny: x", "match.pod: \"a/b\" matches nothing"},
      {"match: {network: 'ä*'}, deny: x", "match.network: \"ä*\" matches nothing"},
      {"match: {interface: abcdefghijklmnopqrst}, deny: x",
       "match.interface: \"abcdefghijklmnopqrst\" matches nothing: no interface has 20 characters"},
      {"require: {hostIP: [127.0.0.1, 300.0.0.1]}",
       "require.hostIP[1]: \"300.0.0.1\" is no address and no subnet"},
      {"require: {hostPort: {max: 99999}}", "require.hostPort: \"max\" is no limit"},
      {"require: {hostPort: {min: 70000}}", "require.hostPort: no port is at least 70000"},
      {"require: {hostPort: [80, 70000]}", "require.hostPort: no port is 70000"},
      {"match: {namespace: ['', 'a*', '*-?'], pod: a.b-1, network: 'a_B.*', interface: 'eth*'}, "
       "deny: x",
       ""},
      {"match: {interface: '****************a'}, deny: x", ""},
      {"require: {hostIP: ['', '127.*', '::1', 10.0.0.0/8], hostPort: {min: 1, max: 65535}}", ""},
      {"require: {hostPort: ['3*', 80]}", ""},
  };
  for (const auto& row : rows) {
    const std::string text = std::string("rules: [{") + row.rule + "}]";
    const std::string findings = lint(text);
    EXPECT_THAT(findings, ::testing::HasSubstr(row.finding)) << row.rule;
    EXPECT_EQ(findings.empty(), std::string(row.finding).empty()) << row.rule << findings;
    EXPECT_NO_THROW(policy(text)) << row.rule;
  }
}

TEST(PolicyFolder, HasItsYamlFilesInTheOrderOfBytes) {
  const TempFolder folder;
  for (const char* name : {"b.yaml", "a.yaml", "Z.yaml", "10.yaml", ".hidden.yaml", "x.yml"}) {
    sys::create_file(folder / name, "", 0600);
  }
  EXPECT_EQ(list_policies(folder.path()),
            (std::vector<std::string>{folder / "10.yaml", folder / "Z.yaml", folder / "a.yaml",
                                      folder / "b.yaml"}));
  EXPECT_TRUE(list_policies(folder / "none").empty());
}

}  // namespace
}  // namespace unicni::document::policy_test
