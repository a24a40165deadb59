#include "policy/compiled.h"

#include <gtest/gtest.h>

#include "policy/members_for_test.h"
#include "unicni/line.h"

namespace unicni::policy::compiled_test {
namespace {

Policy whole() {
  Policy policy;
  policy.modules = {{at(1), Patterns{"bridge", "x*"}, {"macvlan"}, Exec::listed},
                    {at(2), Patterns{}, {}, Exec::never},
                    {at(9), {}, {}, Exec::fallback}};
  Rule all = rule({.network = Patterns{"web*", ""},
                   .type = Patterns{"bridge"},
                   .namespace_ = Patterns{"a b=#%\n"},
                   .pod = Patterns{"*"},
                   .if_name = Patterns{"eth0"},
                   .labels = {{"tier", {"web", "db"}}, {"odd key=", {""}}},
                   .denies_missing = true},
                  "web defaults");
  all.deny = "";
  all.defaults = {{"ipMasq", "true", {{"bridge", "false"}, {"ptp", "\"no\""}}, at(4)}};
  all.overrides = {{"mtu", "1400", {}, at(5)}};
  all.limits = {{"mtu", -1, 9000, {}, at(6)},
                {"master", {}, {}, Patterns{"eth1", "eth2"}, at(7)},
                {"sysctl", {}, {}, Patterns{}, at(8)}};
  all.prepended = {{R"({"type":"tuning"})", at(9)}};
  all.appended = {{R"({"type":"bandwidth"})", at(10)}, {R"({"type":"sbr"})", at(11)}};
  policy.rules = {all, rule()};
  return policy;
}

TEST(CompiledPolicy, ReadsAsItWasWritten) {
  EXPECT_EQ(parse_policy(print_policy(whole())), whole());
  EXPECT_EQ(parse_policy(print_policy({})), Policy());
}

TEST(CompiledPolicy, APartOfItIsNone) {
  const std::string text = print_policy(whole());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_policy(text.substr(0, size))) << size;
  }
}

TEST(CompiledPolicy, ADamagedByteIsSeen) {
  const std::string text = print_policy(whole());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(parse_policy(damaged)) << i;
  }
}

TEST(CompiledPolicy, AWordOfAnotherVersionMakesItNone) {
  const std::string end = LineWriter("end").finish();
  EXPECT_TRUE(parse_policy(end));
  EXPECT_FALSE(parse_policy(LineWriter("later").finish() + end));
  EXPECT_FALSE(parse_policy(LineWriter("default").add("key", "mtu").finish() + end))
      << "of no rule";
  EXPECT_FALSE(parse_policy(LineWriter("modules").add("exec", "3").finish() + end));
  EXPECT_FALSE(parse_policy(end + end));
}

}  // namespace
}  // namespace unicni::policy::compiled_test
