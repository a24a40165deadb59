#include "policy/ruling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/members_for_test.h"
#include "policy/rates.h"

namespace unicni::policy::ruling_test {
namespace {

std::string refusal(const Policy& policy, std::vector<Member> members,
                    Code code = Code::policy_violated) {
  const Facts of = facts();
  return refusal_of(
      [&] {
        const Ruling ruling(policy, of, members);
        ruling.change(members);
        ruling.require(members, true);
      },
      code);
}

/// Configuration of the first member after defaults and overrides.
std::string changed(const Policy& policy, Member first, const std::string& args = "") {
  const Facts of = facts(args);
  std::vector<Member> members{std::move(first)};
  Ruling(policy, of, members).change(members);
  return members.front().config;
}

Value value(std::string key, std::string json) {
  return {std::move(key), std::move(json), {}, at(4)};
}

Policy defaults(std::vector<Value> values, Match match = {}) {
  Policy policy;
  policy.rules = {rule(std::move(match))};
  policy.rules.back().defaults = std::move(values);
  return policy;
}

Policy overrides(std::vector<Value> values, Match match = {}) {
  Policy policy;
  policy.rules = {rule(std::move(match))};
  policy.rules.back().overrides = std::move(values);
  return policy;
}

TEST(Modules, AllowDenyAndExec) {
  const Member ours = member("x-bridge");
  const Member program = foreign(member("calico"));
  const struct {
    const char* what;
    ModuleRules modules;
    const Member* member;
    const char* why;
  } rows[] = {
      {"nothing", {at(2)}, &ours, ""},
      {"allowed", {at(2), Patterns{"bridge"}}, &ours, ""},
      {"not allowed", {at(2), Patterns{"ptp"}}, &ours, "type x-bridge is not allowed"},
      {"denied", {at(2), {}, {"bridge"}}, &ours, "type x-bridge is denied"},
      {"denied by the link's name", {at(2), {}, {"x-*"}}, &ours, "type x-bridge is denied"},
      {"deny beats allow", {at(2), Patterns{"*"}, {"bridge"}}, &ours, "type x-bridge is denied"},
      {"a program", {at(2), {}, {}, Exec::fallback}, &program, ""},
      {"no program",
       {at(2), Patterns{"*"}, {}, Exec::never},
       &program,
       "type calico is a program of another maker, and none may be run"},
      {"listed", {at(2), Patterns{"calico"}, {}, Exec::listed}, &program, ""},
      {"not listed",
       {at(2), {}, {}, Exec::listed},
       &program,
       "type calico is a program of another maker that \"allow\" doesn't list"},
      {"modules are no programs", {at(2), {}, {}, Exec::never}, &ours, ""},
  };
  for (const auto& row : rows) {
    Policy policy;
    policy.modules = {row.modules};
    const std::string why = row.why;
    EXPECT_EQ(refusal(policy, {*row.member}), why.empty() ? "" : "p.yaml:2: modules: " + why)
        << row.what;
  }
}

TEST(Modules, AProgramMustLeaveNoDoubtAboutItsIpam) {
  const Policy policy;
  const std::string refused =
      " stands more than once in the configuration, if letter case is passed over, and programs of "
      "other makers differ in which one they take";
  const std::string two = R"({"ipam":{"type":"a"},"IPAM":{"type":"b"}})";
  EXPECT_EQ(refusal(policy, {foreign(member("bridge", two))}), "bridge: \"ipam\"" + refused);
  EXPECT_EQ(refusal(policy, {foreign(member("bridge", R"({"ipam":{"type":"a","Type":"b"}})"))}),
            "bridge: \"ipam.type\"" + refused);
  Member ours = with_ipam(member("bridge", two), "theirs");
  ours.ipam.is_program = true;
  EXPECT_EQ(refusal(policy, {ours}), "bridge: \"ipam\"" + refused);
  EXPECT_EQ(refusal(policy, {with_ipam(member("bridge", two), "host-local")}), "");
  EXPECT_EQ(refusal(policy, {foreign(member("bridge", R"({"ipam":{"type":"a"}})"))}), "");
}

TEST(Modules, HoldForIpamAndInAllFiles) {
  Policy policy;
  policy.modules = {{at(2), Patterns{"*"}}, {at(5), {}, {"host-local"}}};
  EXPECT_EQ(refusal(policy, {with_ipam(member("bridge"), "host-local")}),
            "p.yaml:5: modules: type host-local is denied");
  EXPECT_EQ(refusal(policy, {with_ipam(member("bridge"), "static")}), "");
}

TEST(Deny, HasItsTextItsRuleAndItsPlace) {
  Policy policy;
  policy.rules = {rule({.namespace_ = Patterns{"other"}}),
                  rule({.namespace_ = Patterns{"tenant-a"}})};
  for (Rule& each : policy.rules) each.deny = "networking is not offered here";
  policy.rules.back().place = at(7);
  EXPECT_EQ(refusal(policy, {member("bridge")}),
            "p.yaml:7: rule r: networking is not offered here");
}

TEST(Default, IsForWhereTheNetconfIsSilent) {
  const Policy policy = defaults({value("ipmasq", "true")});
  EXPECT_EQ(changed(policy, member("bridge", R"({"type":"bridge"})")),
            R"({"type":"bridge","ipMasq":true})");
  EXPECT_EQ(changed(policy, member("bridge", R"({"ipMasq":null})")), R"({"ipMasq":true})");
  EXPECT_EQ(changed(policy, member("bridge", R"({"ipMasq":false})")), R"({"ipMasq":false})");
  EXPECT_EQ(changed(policy, member("bridge", R"({"IPMASQ":false})")), R"({"IPMASQ":false})");
}

TEST(Default, TheFirstWinsAndTheLastOverride) {
  Policy policy;
  policy.rules = {rule(), rule()};
  policy.rules[0].defaults = {value("mtu", "1")};
  policy.rules[1].defaults = {value("mtu", "2")};
  EXPECT_EQ(changed(policy, member("bridge")), R"({"mtu":1})");
  policy.rules[0].overrides = {value("mtu", "3")};
  policy.rules[1].overrides = {value("mtu", "4")};
  EXPECT_EQ(changed(policy, member("bridge")), R"({"mtu":4})");
}

TEST(Override, BeatsEverySpellingAndEverySource) {
  EXPECT_EQ(changed(overrides({value("mtu", "1400")}),
                    member("bridge", R"({"mtu":9000,"MTU":9000,"a":1.0})")),
            R"({"a":1.0,"mtu":1400})");
  EXPECT_EQ(changed(overrides({value("mtu", "1400")}, {.type = Patterns{"tuning"}}),
                    member("tuning", R"({"args":{"cni":{"MTU":9000,"x":1},"y":2}})")),
            R"({"mtu":1400,"args":{"y":2,"cni":{"x":1,"mtu":1400}}})");
  EXPECT_EQ(changed(overrides({value("mac", R"("02:00:00:00:00:01")")}),
                    member("bridge", R"({"runtimeConfig":{"Mac":"02:00:00:00:00:02"}})")),
            R"({"mac":"02:00:00:00:00:01","runtimeConfig":{"mac":"02:00:00:00:00:01"}})");
  EXPECT_EQ(changed(overrides({value("mac", R"("02:00:00:00:00:01")")}), member("bridge"),
                    "MAC=02:00:00:00:00:02"),
            R"({"mac":"02:00:00:00:00:01","runtimeConfig":{"mac":"02:00:00:00:00:01"}})")
      << "the runtime's beats CNI_ARGS";
}

TEST(Values, ReachWhatTypeSelectsAndWithoutTypeTheInterface) {
  const Facts of = facts();
  std::vector<Member> members{
      with_ipam(member("x-bridge", R"({"ipam":{"type":"host-local"}})"), "host-local"),
      member("tuning")};
  Policy policy = overrides({value("mtu", "1400")});
  policy.rules.push_back(rule({.type = Patterns{"host-local"}}));
  policy.rules.back().overrides = {value("dataDir", R"("/d")")};
  Ruling(policy, of, members).change(members);
  EXPECT_EQ(members[0].config, R"({"mtu":1400,"ipam":{"type":"host-local","dataDir":"/d"}})")
      << "the order of keys says nothing";
  EXPECT_EQ(members[1].config, "{}");
  EXPECT_EQ(members[0].changes[0].str(), "override bridge.mtu=1400: r (p.yaml:4)");
  EXPECT_EQ(members[0].changes[1].str(), "override host-local.dataDir=\"/d\": r (p.yaml:4)");
}

TEST(Values, AKeyThatOurModuleLacksIsAnErrorAndOfAProgramNobodyKnows) {
  EXPECT_EQ(
      refusal(overrides({value("ipMask", "true")}), {member("bridge")}, Code::policy_unreadable),
      "p.yaml:4: rule r: bridge has no option \"ipMask\"; did you mean \"ipMasq\"?");
  Member program = foreign(member("calico"));
  program.makes_interface = true;
  EXPECT_EQ(changed(overrides({value("ipMask", "true")}), program), R"({"ipMask":true})");
}

TEST(Values, AreWhatTheTypesTableSays) {
  Policy policy = overrides({{"mtu", "1", {{"macvlan", "2"}}, at(4)}});
  EXPECT_EQ(changed(policy, member("bridge")), R"({"mtu":1})");
  EXPECT_EQ(changed(policy, member("macvlan")), R"({"mtu":2})");
}

constexpr const char* kAnnotated =
    R"({"runtimeConfig":{"bandwidth":{"IngressRate":10,"ingressBurst":11,"egressRate":0}}})";

TEST(Bandwidth, ADefaultForOneDirectionDoesNotSilenceThePodsAnnotations) {
  const Policy policy = defaults({value("egressRate", "100"), value("egressBurst", "5")},
                                 {.type = Patterns{"bandwidth"}});
  const std::string runtime = kAnnotated;
  EXPECT_EQ(changed(policy, member("bandwidth", kAnnotated)),
            runtime.substr(0, runtime.size() - 1) +
                R"(,"ingressRate":10,"ingressBurst":11,"egressRate":100,"egressBurst":5})");
}

TEST(Bandwidth, AGivenRateKeepsItsOwnBurst) {
  const Policy policy = defaults({value("egressBurst", "5"), value("egressRate", "100")},
                                 {.type = Patterns{"bandwidth"}});
  EXPECT_EQ(changed(policy, member("bandwidth", R"({"egressRate":7})")), R"({"egressRate":7})");
  EXPECT_EQ(changed(overrides({value("egressRate", "9")}, {.type = Patterns{"bandwidth"}}),
                    member("bandwidth", R"({"egressRate":7,"egressBurst":1000})")),
            R"({"egressRate":9})")
      << "an overridden rate gets bandwidth's documented burst";
}

TEST(Bandwidth, AnAppendedOneBesideAnotherLimitsToTheLower) {
  const Change added{Effect::added, "bandwidth", "", "", "r", at(9)};
  const auto of_two = [&](const char* own, const char* appended) {
    std::vector<Member> members{member("bandwidth", own), member("bandwidth", appended)};
    members[1].changes = {added};
    keep_lowest_rates(members);
    return members[0].config + " " + members[1].config;
  };
  EXPECT_EQ(of_two(R"({"egressRate":200})", R"({"egressRate":100})"),
            R"({"egressRate":0} {"egressRate":100})");
  EXPECT_EQ(of_two(R"({"egressRate":50})", R"({"egressRate":100,"egressBurst":9})"),
            R"({"egressRate":50} {"egressRate":0})");
  EXPECT_EQ(of_two("{}", R"({"egressRate":100})"), R"({} {"egressRate":100})");
  EXPECT_EQ(of_two(kAnnotated, R"({"ingressRate":5,"egressRate":100})"),
            std::string(kAnnotated).substr(0, std::string(kAnnotated).size() - 1) +
                R"(,"ingressRate":0} {"ingressRate":5,"egressRate":100})");
}

TEST(Additions, ComeInTheOrderOfTheRules) {
  Policy policy;
  policy.rules = {rule({}, "a"), rule({}, "b"), rule({.network = Patterns{"other"}}, "c")};
  for (Rule& each : policy.rules) {
    each.appended = {{R"({"type":"tuning"})", at(1)}};
    each.prepended = {{R"({"type":"sbr"})", at(1)}};
  }
  const Facts of = facts();
  const std::vector<Member> members{member("bridge")};
  const Ruling ruling(policy, of, members);
  ASSERT_EQ(ruling.appended().size(), 2U);
  EXPECT_EQ(ruling.appended()[1].rule->name, "b");
  EXPECT_EQ(ruling.prepended()[0].change("sbr").str(), "add sbr: a (p.yaml:1)");
}

TEST(Delegate, IsRuledByWhatMatchedTheListAndByWhatMatchesIt) {
  Policy policy;
  policy.rules = {rule({.type = Patterns{"portmap"}}, "list"),
                  rule({.type = Patterns{"bridge"}}, "own"),
                  rule({.type = Patterns{"tuning"}}, "neither")};
  policy.rules[0].limits = {{"mtu", {}, 1500, {}, at(5)}};
  policy.rules[1].overrides = {value("mtu", "1400")};
  policy.rules[2].limits = {{"mtu", {}, 1, {}, at(6)}};
  const Facts of = facts();
  const std::vector<Member> list{member("flannel"), member("portmap")};
  const Ruling of_list(policy, of, list);
  std::vector<Member> delegate{member("bridge", R"({"mtu":9000})")};
  const Ruling ruling(of_list, delegate.front());
  EXPECT_EQ(refusal_of([&] { ruling.require(delegate, false); }, Code::policy_violated),
            "p.yaml:5: rule list: mtu 9000 of bridge is not allowed; allowed: at most 1500");
  ruling.change(delegate);
  EXPECT_EQ(delegate.front().config, R"({"mtu":1400})");
  ruling.require(delegate, false);

  policy.rules[1].deny = "no bridges";
  EXPECT_NE(refusal_of([&] { Ruling(of_list, delegate.front()); }, Code::policy_violated), "");
}

}  // namespace
}  // namespace unicni::policy::ruling_test
