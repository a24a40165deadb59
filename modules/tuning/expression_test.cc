#include "expression.h"

#include <gmock/gmock.h>

#include <ctime>
#include <string>

#include "unicni/error.h"

namespace unicni::tuning::expression_test {
namespace {

using testing::HasSubstr;

bool matches(const std::string& expression, const std::string& text) {
  return Expression(expression).is_in(text);
}

std::string refusal(const std::string& expression) {
  try {
    static_cast<void>(Expression(expression));
    return "none";
  } catch (const Error& error) {
    return error.msg();
  }
}

TEST(Expression, IsFoundInAnyPartOfTheText) {
  EXPECT_TRUE(matches("ipv4", "net.ipv4.conf"));
  EXPECT_TRUE(matches("", "anything"));
  EXPECT_TRUE(matches("^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$", "net.ipv4.conf.IFNAME.arp_filter"));
  EXPECT_FALSE(matches("^net\\.ipv4\\.conf\\.IFNAME\\.[a-z_]*$", "net.ipv4.conf.IFNAME.arp2"));
  EXPECT_FALSE(matches("^ipv4", "net.ipv4.conf"));
  EXPECT_FALSE(matches("ipv4$", "net.ipv4.conf"));
}

TEST(Expression, HasTheSyntaxOfGo) {
  struct Case {
    const char* expression;
    const char* in;
    const char* not_in;
  };
  const Case cases[] = {
      {"^a.c$", "abc", "a\nc"},
      {"^(?s)a.c$", "a\nc", "ac"},
      {"^(?s:a.c)|x$", "a\nc", "ac"},
      {"^(a|bc|)d$", "bcd", "cd"},
      {"^a*b+c?$", "aabb", "aac"},
      {"^a*?b+?c??$", "bc", "a"},
      {"^a{2}$", "aa", "aaa"},
      {"^a{2,}$", "aaaa", "a"},
      {"^a{1,3}$", "aaa", "aaaa"},
      {"^(ab){2,3}$", "ababab", "ab"},
      {"^a{0}b$", "b", "ab"},
      {"^a{,2}$", "a{,2}", "aa"},
      {"^a{x$", "a{x", "a"},
      {"^[abc]+$", "cab", "abd"},
      {"^[^abc]+$", "xyz", "xaz"},
      {"^[a-c_.]+$", "a_.b", "d"},
      {"^[]a]+$", "]a", "b"},
      {"^[a-]+$", "a-", "b"},
      {"^[\\d_]+$", "12_3", "a"},
      {"^[[:alpha:]]+$", "aZ", "a1"},
      {"^[[:^alpha:]]+$", "12", "a"},
      {"^[^[:space:]]+$", "ab", "a b"},
      {"^\\w+\\W\\d\\D\\s\\S$", "a_1.5x b", "a_1.x5 b"},
      {"^(?i)Net\\.[a-c]$", "nET.B", "nET.D"},
      {"^(?i:n)et$", "Net", "NET"},
      {"^(?i-s)n(?-i)E$", "NE", "Ne"},
      {"(?m)^b$", "a\nb\nc", "ab"},
      {"\\Ab$", "b", "a\nb"},
      {"b\\z", "ab", "b\n"},
      {"\\bconf\\b", "net.conf.all", "net.confs"},
      {"\\Bonf", "conf", "onf"},
      {"^\\Qa.b*\\E+$", "a.b**", "axb"},
      {"^(?P<name>a)(?:b)(?<other>c)$", "abc", "ab"},
      {"^\\x41\\x{42}\\103\\.\\/\\-$", "ABC./-", "ABCx/-"},
      {"^\\t\\n\\v\\f\\r\\a$", "\t\n\v\f\r\a", "t"},
      {"^.$", "\xc3\xa4", "ab"},
      {"^[\xc3\xa4-\xc3\xb6]$", "\xc3\xb5", "a"},
      {"^(a*)*$", "aaa", "b"},
      {"^(|a)+$", "aa", "b"},
      {"^[^\\x00-\\x{10FFFF}]?a$", "a", "ba"},
      {"^^*a$$", "a", "ba"},
  };
  for (const Case& each : cases) {
    EXPECT_TRUE(matches(each.expression, each.in)) << each.expression;
    EXPECT_FALSE(matches(each.expression, each.not_in)) << each.expression;
  }
}

TEST(Expression, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {"*a", "missing argument to repetition operator"},
      {"a|+", "missing argument to repetition operator"},
      {"a**", "invalid nested repetition operator"},
      {"a{2}{3}", "invalid nested repetition operator"},
      {"(a", "missing closing )"},
      {"a)", "unexpected )"},
      {"[a", "missing closing ]"},
      {"[", "missing closing ]"},
      {"[b-a]", "invalid character class range"},
      {"[[:letter:]]", "invalid character class range"},
      {"a\\", "trailing backslash at end of expression"},
      {"\\1", "invalid escape sequence"},
      {"\\pN", "invalid escape sequence"},
      {"\\x{110000}", "invalid escape sequence"},
      {"(?=a)", "invalid or unsupported Perl syntax"},
      {"(?P<>a)", "invalid named capture"},
      {"a{3,2}", "invalid repeat count"},
      {"a{1001}", "invalid repeat count"},
      {"((a{100}){100}){100}", "expression is too large"},
  };
  for (const auto& [expression, what] : cases)
    EXPECT_THAT(refusal(expression), HasSubstr(what)) << expression;
  EXPECT_THAT(refusal(std::string(200, '(') + std::string(200, ')')), HasSubstr("nests too deep"));
}

TEST(Expression, ALongTextTakesTimeThatIsItsLengthTimesTheExpressions) {
  const std::string text(60'000, 'a');
  const std::clock_t begin = std::clock();
  EXPECT_FALSE(matches("^(a|a)*$", text + "!"));
  EXPECT_FALSE(matches("(a*)*b", text));
  EXPECT_FALSE(matches("^(a?){30}a{30}$", text));
  EXPECT_TRUE(matches("^[a-z]*$", text));
  EXPECT_LT(std::clock() - begin, 10 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace unicni::tuning::expression_test
