#include "options/cni_args.h"

#include <gmock/gmock.h>

#include "options/demo_table_for_test.h"

namespace unicni::options::cni_args_test {
namespace {

using demo::parse_args;
using demo::thrown;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string refusal(const std::string& args) {
  return thrown([&] { parse_args(args); });
}

TEST(CniArgs, EmptyIsFine) {
  EXPECT_THAT(parse_args("")->ips, IsEmpty());
  EXPECT_FALSE(parse_args("")->loud);
}

TEST(CniArgs, FillsRows) {
  const auto spoken = parse_args("IP=10.0.0.2/24, fd00::2/64;LOUD=TRUE;LEVEL=3;GATEWAY=10.0.0.1");
  ASSERT_EQ(spoken->ips.size(), 2U);
  EXPECT_EQ(spoken->ips[0].str(), "10.0.0.2/24");
  EXPECT_EQ(spoken->ips[1].str(), "fd00::2/64");
  EXPECT_TRUE(spoken->loud);
  EXPECT_EQ(spoken->level, 3);
  EXPECT_EQ(spoken->gateway, IpAddress::parse("10.0.0.1"));
}

TEST(CniArgs, APieceHasExactlyOneEqualsSign) {
  for (const char* args : {"LOUD", "LOUD=1;", "LOUD=1=1", ";LOUD=1", "LOUD=1;;LEVEL=1", ";"}) {
    EXPECT_THAT(refusal(args), HasSubstr("4: ARGS: invalid pair \"")) << args;
  }
}

TEST(CniArgs, EmptyValuesAreLegal) {
  const auto spoken = parse_args("IP=;GATEWAY=;LOUD=;LEVEL=;IgnoreUnknown=");
  EXPECT_THAT(spoken->ips, IsEmpty());
  EXPECT_FALSE(spoken->gateway.has_value());
  EXPECT_FALSE(spoken->loud);
  EXPECT_EQ(spoken->level, parse_args("")->level);
}

TEST(CniArgs, EmptyValueTakesAnEarlierOneBack) {
  EXPECT_THAT(parse_args("IP=10.0.0.2/24;IP=")->ips, IsEmpty());
  EXPECT_EQ(parse_args("LEVEL=3;LEVEL=")->level, parse_args("")->level);
}

TEST(CniArgs, KeysAreCaseSensitiveAndNotTrimmed) {
  EXPECT_EQ(refusal("loud=1"), R"(4: ARGS: unknown args ["loud=1"])");
  EXPECT_EQ(refusal(" LOUD=1"), R"(4: ARGS: unknown args [" LOUD=1"])");
}

TEST(CniArgs, UnknownKeysAreAnErrorUnlessIgnored) {
  EXPECT_EQ(refusal("FOO=1;LOUD=1;BAR=x"), R"(4: ARGS: unknown args ["FOO=1" "BAR=x"])");
  for (const char* yes : {"1", "true", "TRUE", "True"}) {
    EXPECT_TRUE(parse_args(std::string("FOO=1;LOUD=1;IgnoreUnknown=") + yes)->loud)
        << "its position does not matter";
  }
  for (const char* no : {"0", "false", "FALSE"}) {
    EXPECT_THAT(refusal(std::string("IgnoreUnknown=") + no + ";FOO=1"), HasSubstr("unknown args"));
  }
  EXPECT_THAT(parse_args("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=a;K8S_POD_INFRA_"
                         "CONTAINER_ID=b;K8S_POD_UID=")
                  .warnings,
              IsEmpty());
}

TEST(CniArgs, BadBooleansAreErrors) {
  EXPECT_EQ(
      refusal("IgnoreUnknown=yes"),
      R"(4: ARGS: error parsing value of pair "IgnoreUnknown=yes": 1, 0, true or false is expected)");
  EXPECT_THAT(refusal("LOUD=yes"), HasSubstr(R"(4: ARGS: error parsing value of pair "LOUD=yes")"));
}

TEST(CniArgs, BadValuesAreErrors) {
  EXPECT_THAT(refusal("IP=x"),
              HasSubstr(R"(4: ARGS: error parsing value of pair "IP=x": an address with prefix)"));
  EXPECT_THAT(refusal("IP=10.0.0.2/24,"),
              HasSubstr("4: ARGS: error parsing value of pair \"IP=10.0.0.2/24,\""));
  EXPECT_EQ(
      refusal("LEVEL=10"),
      R"(4: ARGS: error parsing value of pair "LEVEL=10": an integer from 0 to 9 is expected)");
  EXPECT_THAT(refusal("LEVEL=1x"), HasSubstr("4: ARGS"));
  EXPECT_THAT(refusal("GATEWAY=10.0.0.1/24"), HasSubstr("4: ARGS"));
}

TEST(CniArgs, OfEqualKeysTheLastCounts) { EXPECT_EQ(parse_args("LEVEL=1;LEVEL=2")->level, 2); }

TEST(CniArgs, IsNotLookedAtWithoutSuchRows) {
  EXPECT_NO_THROW(
      demo::parse_as<demo::Demo>(demo::kDemoTable, "{}", Command::add, false, "garbage;;"));
}

TEST(CniArgs, DelWarnsInstead) {
  const auto broken = parse_args("garbage", Command::del);
  EXPECT_THAT(broken.warnings, ElementsAre(HasSubstr("ARGS: invalid pair \"garbage\"")));
  const auto spoken = parse_args("FOO=1;LEVEL=10;LOUD=1;IgnoreUnknown=yes", Command::del);
  EXPECT_TRUE(spoken->loud);
  EXPECT_EQ(spoken->level, 0);
  EXPECT_EQ(spoken.warnings.size(), 3U);
  const auto list = parse_args("IP=10.0.0.2/24,bad", Command::del);
  EXPECT_THAT(list->ips, IsEmpty());
  EXPECT_EQ(list.warnings.size(), 1U);
}

}  // namespace
}  // namespace unicni::options::cni_args_test
