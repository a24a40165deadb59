#include "policy/matching.h"

#include <gtest/gtest.h>

#include <string>

#include "policy/glob.h"
#include "policy/members_for_test.h"

namespace unicni::policy::matching_test {
namespace {

TEST(Glob, StarAndQuestionMarkAndNothingElse) {
  const struct {
    const char* pattern;
    const char* text;
    bool matches;
  } rows[] = {
      {"", "", true},         {"", "a", false},           {"*", "", true},
      {"*", "abc", true},     {"a*", "abc", true},        {"a*", "ba", false},
      {"*c", "abc", true},    {"*b*", "abc", true},       {"a?c", "abc", true},
      {"a?c", "ac", false},   {"?", "", false},           {"a**c", "ac", true},
      {"[a]", "a", false},    {"[a]", "[a]", true},       {"Web", "web", false},
      {"*aab", "aaab", true}, {"a*b*c", "axxbxb", false}, {"a.c", "abc", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches_glob(row.pattern, row.text), row.matches) << row.pattern << ' ' << row.text;
  }
}

TEST(Glob, AHostilePatternTakesNoTime) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_FALSE(matches_glob(pattern + "*b", std::string(4000, 'a')));
}

constexpr const char* kLabels = R"({"args":{"cni":{"labels":{"tier":"web","empty":""}}}})";

/// Of a list x-bridge (with host-local) and portmap.
bool matches_list(const Match& match, const Facts& of) {
  const Member bridge = with_ipam(member("x-bridge"), "host-local");
  const Member portmap = member("portmap");
  return matches(rule(match), of, {&bridge, &portmap});
}

TEST(Match, EachKeyAndAllTogether) {
  const std::string args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a;K8S_POD_NAME=web-1";
  const struct {
    const char* what;
    Match match;
    bool matches;
  } rows[] = {
      {"nothing asked", {}, true},
      {"network", {.network = Patterns{"n*"}}, true},
      {"another network", {.network = Patterns{"web"}}, false},
      {"one of a list", {.network = Patterns{"web", "net"}}, true},
      {"an empty list", {.network = Patterns{}}, false},
      {"the type that serves", {.type = Patterns{"bridge"}}, true},
      {"the name of the link", {.type = Patterns{"x-bridge"}}, false},
      {"a chained member", {.type = Patterns{"portmap"}}, true},
      {"an IPAM", {.type = Patterns{"host-local"}}, true},
      {"no member", {.type = Patterns{"tuning"}}, false},
      {"namespace", {.namespace_ = Patterns{"tenant-*"}}, true},
      {"another namespace", {.namespace_ = Patterns{"kube-*"}}, false},
      {"pod", {.pod = Patterns{"web-?"}}, true},
      {"interface", {.if_name = Patterns{"eth0"}}, true},
      {"another interface", {.if_name = Patterns{"net1"}}, false},
      {"label", {.labels = {{"tier", {"db", "web"}}}}, true},
      {"another value", {.labels = {{"tier", {"db"}}}}, false},
      {"a label that isn't there", {.labels = {{"zone", {"*"}}}}, false},
      {"no such label", {.labels = {{"zone", {""}}}}, true},
      {"an empty label is absent", {.labels = {{"empty", {"*"}}}}, false},
      {"all but one", {.network = Patterns{"net"}, .pod = Patterns{"db-*"}}, false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(matches_list(row.match, facts(args, {kLabels})), row.matches) << row.what;
  }
}

TEST(Match, AnAbsentValueMatchesTheEmptyPatternAlone) {
  EXPECT_FALSE(matches_list({.namespace_ = Patterns{"*"}}, facts("")));
  EXPECT_TRUE(matches_list({.namespace_ = Patterns{""}}, facts("")));
  EXPECT_TRUE(matches_list({.namespace_ = Patterns{""}}, facts("K8S_POD_NAMESPACE=")));
  EXPECT_FALSE(matches_list({.namespace_ = Patterns{""}}, facts()));
}

TEST(Match, OnMissingDenyClosesTheDoor) {
  const auto refusal = [](Match match, const Facts& of) {
    match.denies_missing = true;
    return refusal_of([&] { matches_list(match, of); }, Code::policy_violated);
  };
  EXPECT_EQ(refusal({.namespace_ = Patterns{"tenant-*"}}, facts("")),
            "p.yaml:3: rule r looks at the pod's namespace: it is missing, and \"onMissing\" is "
            "deny");
  EXPECT_NE(refusal({.labels = {{"tier", {"web"}}}}, facts()), "");
  EXPECT_EQ(refusal({.namespace_ = Patterns{"", "tenant-*"}}, facts("")), "");
  EXPECT_EQ(refusal({.network = Patterns{"web"}, .namespace_ = Patterns{"a"}}, facts("")), "")
      << "of another network the rule looks at nothing";
}

TEST(Match, GarbageIsDeniedWhereARuleLooksAtItAndNowhereElse) {
  for (const char* args :
       {"K8S_POD_NAMESPACE", "K8S_POD_NAMESPACE=a=b", "K8S_POD_NAMESPACE=a;;",
        "K8S_POD_NAMESPACE=a;K8S_POD_NAMESPACE=a", "K8S_POD_NAMESPACE=a;K8S_POD_NAMESPACE=b",
        "k8s_pod_namespace=a", "K8S_POD_NAMESPACE=a;k8s_POD_namespace=b", "broken"}) {
    EXPECT_NE(refusal_of([&] { matches_list({.namespace_ = Patterns{"a"}}, facts(args)); },
                         Code::policy_violated),
              "")
        << args;
    EXPECT_TRUE(matches_list({.network = Patterns{"net"}}, facts(args))) << args;
  }
  for (const char* config :
       {R"({"args":{"cni":{"labels":"tier=web"}}})", R"({"args":{"labels":{"tier":1}}})",
        R"({"args":{"labels":[{"key":"tier"}]}})", R"({"args":{"labels":["tier"]}})",
        R"({"args":{"labels":[{"key":"tier","value":"a"},{"key":"tier","value":"b"}]}})",
        R"({"args":{"labels":{"tier":"a","tier":"b"}}})"}) {
    EXPECT_NE(refusal_of(
                  [&] {
                    matches_list({.labels = {{"tier", {"a"}}}}, facts("", {config}));
                  },
                  Code::policy_violated),
              "")
        << config;
  }
  EXPECT_NE(refusal_of(
                [&] {
                  matches_list({.labels = {{"tier", {"web"}}}},
                               facts("", {kLabels, R"({"args":{"labels":{"tier":"db"}}})"}));
                },
                Code::policy_violated),
            "")
      << "list and member differ";
}

TEST(Match, LabelsAreAMapOrAListOfPairsInEitherPlace) {
  for (const char* config :
       {R"({"args":{"cni":{"labels":{"tier":"web"}}}})", R"({"args":{"labels":{"tier":"web"}}})",
        R"({"args":{"labels":[{"key":"tier","value":"web"}]}})",
        R"({"ARGS":{"CNI":{"Labels":[{"key":"tier","value":"web"}]}}})"}) {
    EXPECT_TRUE(matches_list({.labels = {{"tier", {"web"}}}}, facts("", {config}))) << config;
  }
}

}  // namespace
}  // namespace unicni::policy::matching_test
