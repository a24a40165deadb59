#include "options/parse.h"

#include <gmock/gmock.h>

#include "options/demo_table_for_test.h"

namespace unicni::options::parse_test {
namespace {

using demo::parse_demo;
using demo::refusal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Parse, AbsentKeysLeaveDefaults) {
  const auto demo = parse_demo("{}");
  EXPECT_FALSE(demo->flag);
  EXPECT_EQ(demo->count, 4);
  EXPECT_EQ(demo->color, "blue");
  EXPECT_EQ(demo->name, "as constructed");
  EXPECT_FALSE(demo->gateway.has_value());
  EXPECT_FALSE(demo->dns.has_value());
  EXPECT_THAT(demo.warnings, IsEmpty());
}

TEST(Parse, NullLeavesTheDefault) {
  const auto demo =
      parse_demo(R"({"flag":null,"count":null,"color":null,"gateway":null,"ranges":null,"dns":null,
                                   "runtimeConfig":null,"args":null,"trunk":null})");
  EXPECT_EQ(demo->count, 4);
  EXPECT_EQ(demo->color, "blue");
  EXPECT_THAT(demo->ranges, IsEmpty());
  EXPECT_FALSE(demo->dns.has_value());
  EXPECT_THAT(demo.warnings, IsEmpty());
}

TEST(Parse, FillsEveryKind) {
  const auto demo =
      parse_demo(R"({"flag":true,"count":9,"mtu":4294967295,"color":"green","name2":"x",
    "gateway":"fd00::1","maybe":-3,"words":["a","b"],"ranges":[[{"subnet":"10.0.0.0/8","gateway":"10.0.0.1"}],[]],
    "routes":[{"dst":"0.0.0.0/0","gw":"10.0.0.1","mtu":1400,"table":0,"scope":253}],
    "dns":{"nameservers":["1.1.1.1"],"domain":"d","search":["s"],"options":["o"]},
    "runtimeConfig":{"mac":"0a-58-0a-01-02-03","ips":["10.0.0.2/24","fd00::2/64"]},"args":{"cni":{"mac":"0a:58:0a:01:02:04"}}})");
  EXPECT_TRUE(demo->flag);
  EXPECT_EQ(demo->count, 9);
  EXPECT_EQ(demo->mtu, 4294967295U);
  EXPECT_EQ(demo->color, "green");
  EXPECT_EQ(demo->name, "x");
  EXPECT_EQ(demo->gateway, IpAddress::parse("fd00::1"));
  EXPECT_EQ(demo->maybe, -3);
  EXPECT_THAT(demo->words, ElementsAre("a", "b"));
  ASSERT_EQ(demo->ranges.size(), 2U);
  ASSERT_EQ(demo->ranges[0].size(), 1U);
  EXPECT_EQ(demo->ranges[0][0].subnet.str(), "10.0.0.0/8");
  EXPECT_EQ(demo->ranges[0][0].gateway, IpAddress::parse("10.0.0.1"));
  EXPECT_EQ(demo->ranges[0][0].weight, 3) << "default of a nested row";
  EXPECT_THAT(demo->ranges[1], IsEmpty());
  ASSERT_EQ(demo->routes.size(), 1U);
  EXPECT_EQ(demo->routes[0].mtu, 1400U);
  EXPECT_EQ(demo->routes[0].table, 0U);
  EXPECT_EQ(demo->routes[0].scope, 253U);
  EXPECT_FALSE(parse_demo(R"({"routes":[{"dst":"::/0"}]})")->routes[0].table.has_value());
  ASSERT_TRUE(demo->dns.has_value());
  EXPECT_THAT(demo->dns->nameservers, ElementsAre("1.1.1.1"));
  EXPECT_EQ(demo->dns->domain, "d");
  EXPECT_THAT(demo->dns->search, ElementsAre("s"));
  EXPECT_THAT(demo->dns->options, ElementsAre("o"));
  EXPECT_EQ(demo->mac->str(), "0a:58:0a:01:02:03");
  ASSERT_EQ(demo->runtime_ips.size(), 2U);
  EXPECT_EQ(demo->runtime_ips[1].str(), "fd00::2/64");
  EXPECT_EQ(demo->args_mac->str(), "0a:58:0a:01:02:04");
  EXPECT_THAT(demo.warnings, IsEmpty());
}

TEST(Parse, IpamModulesReadTheirObject) {
  const auto demo =
      parse_demo(R"({"type":"bridge","count":1,"bridge":"b","ipam":{"type":"demo","count":2}})",
                 Command::add, true);
  EXPECT_EQ(demo->count, 2);
  EXPECT_THAT(demo.warnings, IsEmpty()) << "keys outside belong to the main plugin";
  EXPECT_EQ(refusal(R"({"count":1})", true), "7: IPAM config missing 'ipam' key");
  EXPECT_EQ(refusal(R"({"ipam":null})", true), "7: IPAM config missing 'ipam' key");
  EXPECT_EQ(refusal(R"({"ipam":{"count":-1}})", true),
            "7: ipam.count: an integer from 0 to 9 is expected, not -1");
}

TEST(Parse, IntegersWithoutFractionAreIntegers) {
  EXPECT_EQ(parse_demo(R"({"count":1.0})")->count, 1);
  EXPECT_EQ(parse_demo(R"({"maybe":-2e3})")->maybe, -2000);
}

TEST(Parse, WrongIntegersNameKeyValueAndRange) {
  EXPECT_EQ(refusal(R"({"count":"5"})"),
            R"(7: count: an integer from 0 to 9 is expected, not "5")");
  EXPECT_EQ(refusal(R"({"count":10})"), "7: count: an integer from 0 to 9 is expected, not 10");
  EXPECT_EQ(refusal(R"({"count":1.5})"), "7: count: an integer from 0 to 9 is expected, not 1.5");
  EXPECT_EQ(refusal(R"({"count":true})"), "7: count: an integer from 0 to 9 is expected, not true");
  EXPECT_EQ(refusal(R"({"mtu":4294967296})"),
            "7: mtu: an integer from 0 to 4294967295 is expected, not 4294967296");
  EXPECT_EQ(refusal(R"({"mtu":-1})"),
            "7: mtu: an integer from 0 to 4294967295 is expected, not -1");
  EXPECT_EQ(refusal(R"({"maybe":18446744073709551615})"),
            "7: maybe: an integer is expected, not 18446744073709551615");
  EXPECT_THAT(refusal(R"({"maybe":1e300})"),
              HasSubstr("7: maybe: an integer is expected, not 1e+300"));
}

TEST(Parse, BooleansAreOnlyTrueAndFalse) {
  EXPECT_EQ(refusal(R"({"flag":"true"})"), R"(7: flag: true or false is expected, not "true")");
  EXPECT_EQ(refusal(R"({"flag":1})"), "7: flag: true or false is expected, not 1");
}

TEST(Parse, StringsAreNotConverted) {
  EXPECT_EQ(refusal(R"({"name2":5})"), "7: name2: a string is expected, not 5");
  EXPECT_EQ(refusal(R"({"words":"a"})"), R"(7: words: a list is expected, not "a")");
  EXPECT_EQ(refusal(R"({"words":["a",1]})"), "7: words[1]: a string is expected, not 1");
  EXPECT_EQ(refusal(R"({"dns":[]})"), "7: dns: an object is expected, not []");
}

TEST(Parse, ChoicesAreListed) {
  EXPECT_EQ(refusal(R"({"color":"red"})"), R"(7: color: "blue" or "green" is expected, not "red")");
  EXPECT_EQ(refusal(R"({"color":""})"), R"(7: color: "blue" or "green" is expected, not "")");
}

TEST(Parse, EmptyAddressIsAbsentOnlyIfOptional) {
  EXPECT_FALSE(parse_demo(R"({"gateway":""})")->gateway.has_value());
  EXPECT_FALSE(parse_demo(R"({"runtimeConfig":{"mac":""}})")->mac.has_value());
  EXPECT_THAT(refusal(R"({"ranges":[[{"subnet":""}]]})"),
              HasSubstr(R"(7: ranges[0][0].subnet: an address with)"));
  EXPECT_THAT(refusal(R"({"gateway":"10.0.0.256"})"),
              HasSubstr(R"(7: gateway: an IP address such as)"));
}

TEST(Parse, ErrorsNameTheFullPath) {
  EXPECT_THAT(
      refusal(R"({"ipam":{"ranges":[[{"subnet":"10.0.0.0/8"},{"subnet":"10.0.0.0/33"}]]}})", true),
      testing::AllOf(HasSubstr("7: ipam.ranges[0][1].subnet: "),
                     HasSubstr(R"(not "10.0.0.0/33")")));
  EXPECT_THAT(refusal(R"({"ranges":[[{"gateway":"10.0.0.1"}]]})"),
              HasSubstr("7: ranges[0][0].subnet: missing"));
  EXPECT_EQ(refusal(R"({"ranges":[[null]]})"), "7: ranges[0][0]: an object is expected, not null");
  EXPECT_EQ(refusal(R"({"ranges":[{}]})"), "7: ranges[0]: a list is expected, not {}");
  EXPECT_THAT(refusal(R"({"runtimeConfig":{"ips":["10.0.0.1"]}})"),
              HasSubstr("7: runtimeConfig.ips[0]: "));
  EXPECT_THAT(refusal(R"({"args":{"cni":{"mac":5}}})"),
              HasSubstr("7: args.cni.mac: a MAC address"));
  EXPECT_EQ(refusal(R"({"args":{"cni":[]}})"), "7: args.cni: an object is expected, not []");
  EXPECT_EQ(refusal(R"({"runtimeConfig":3})"), "7: runtimeConfig: an object is expected, not 3");
  EXPECT_EQ(refusal(R"({"routes":[{"dst":"::/0","scope":256}]})"),
            "7: routes[0].scope: an integer from 0 to 255 is expected, not 256");
}

TEST(Parse, LongValuesAreShortened) {
  const std::string long_text(500, 'x');
  const std::string refused = refusal(R"({"count":")" + long_text + R"("})");
  EXPECT_LT(refused.size(), 140U);
  EXPECT_THAT(refused, testing::EndsWith("xxx..."));
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  EXPECT_THAT(refusal(R"({"count":"x)" + umlauts + R"("})"), testing::EndsWith("ä..."));
  EXPECT_THAT(refusal(R"({"count":")" + umlauts + R"("})"), testing::EndsWith("ä..."));
}

TEST(Parse, DetailsSayWhatTheKeyIsFor) {
  try {
    parse_demo(R"({"count":10})");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.details(), "how many");
  }
}

TEST(Parse, RequiredKeys) {
  const auto strict = [](const std::string& json) {
    return demo::thrown([&] { demo::parse_as<demo::Strict>(demo::kStrictTable, json); });
  };
  EXPECT_EQ(strict("{}"), "7: needed: missing, a string is needed");
  EXPECT_EQ(strict(R"({"needed":null})"), "7: needed: missing, a string is needed");
  EXPECT_EQ(strict(R"({"needed":"x"})"), "nothing");
}

TEST(Parse, WhatIsNotOfferedIsRefusedByName) {
  EXPECT_EQ(refusal(R"({"trunk":true})"), "2: trunk: true is not offered yet");
  EXPECT_EQ(refusal(R"({"backend":"iptables"})"), R"(2: backend: "iptables" is not offered yet)");
  EXPECT_EQ(refusal(R"({"trunk":[{"id":5}]})"), R"(2: trunk: [{"id":5}] is not offered yet)");
  EXPECT_EQ(refusal(R"({"trunk":4})"), "2: trunk: 4 is not offered yet");
}

TEST(Parse, WhatIsNotOfferedMayAskForNothing) {
  for (const char* nothing : {"false", "0", "\"\"", "[]", "{}", "null"}) {
    EXPECT_EQ(refusal(std::string(R"({"trunk":)") + nothing + "}"), "nothing") << nothing;
  }
  EXPECT_EQ(parse_demo(R"({"backend":"nftables"})")->backend, "nftables");
  EXPECT_EQ(parse_demo(R"({"backend":""})")->backend, "nftables");
}

TEST(Parse, KeysOfOtherVerbsAreNotRead) {
  EXPECT_EQ(parse_demo(R"({"addOnly":5})")->add_only, 5);
  const auto check = parse_demo(R"({"addOnly":"wrong"})", Command::check);
  EXPECT_EQ(check->add_only, 0);
  EXPECT_THAT(check.warnings, IsEmpty());
}

TEST(Parse, DelNeverThrows) {
  const auto demo = parse_demo(
      R"({"flag":"x","count":77,"color":"red","gateway":"nope","trunk":true,"words":["a",1,"b"],
    "mtu":1300,"dns":{"domain":5,"search":["s"]},"runtimeConfig":[],"args":{"cni":7}})",
      Command::del);
  EXPECT_FALSE(demo->flag);
  EXPECT_EQ(demo->count, 4);
  EXPECT_EQ(demo->color, "blue");
  EXPECT_FALSE(demo->gateway.has_value());
  EXPECT_THAT(demo->words, ElementsAre("a", "b"));
  EXPECT_EQ(demo->mtu, 1300U) << "what is right still counts";
  ASSERT_TRUE(demo->dns.has_value());
  EXPECT_THAT(demo->dns->search, ElementsAre("s"));
  EXPECT_THAT(
      demo.warnings,
      ElementsAre(HasSubstr("flag: "), "count: an integer from 0 to 9 is expected, not 77; ignored",
                  HasSubstr("color: "), HasSubstr("gateway: "), HasSubstr("words[1]: "),
                  HasSubstr("dns.domain: "), HasSubstr("trunk: true is not offered yet"),
                  HasSubstr("runtimeConfig: "), HasSubstr("args.cni: ")));
}

TEST(Parse, DelDropsElementsThatLackARequiredKey) {
  const auto demo = parse_demo(R"({"ranges":[[{"subnet":"bad","gateway":"10.0.0.1"},
    {"subnet":"10.0.0.0/8","gateway":"bad"},{"gateway":"10.0.0.1"}],"x"]})",
                               Command::del);
  ASSERT_EQ(demo->ranges.size(), 1U);
  ASSERT_EQ(demo->ranges[0].size(), 1U);
  EXPECT_EQ(demo->ranges[0][0].subnet.str(), "10.0.0.0/8");
  EXPECT_FALSE(demo->ranges[0][0].gateway.has_value());
  EXPECT_THAT(demo.warnings,
              ElementsAre(HasSubstr("ranges[0][0].subnet: "), HasSubstr("ranges[0][1].gateway: "),
                          HasSubstr("ranges[0][2].subnet: missing"), HasSubstr("ranges[1]: ")));
}

TEST(Parse, DelWithoutIpamObjectKeepsDefaults) {
  const auto demo = parse_demo("{}", Command::del, true);
  EXPECT_EQ(demo->count, 4);
  EXPECT_THAT(demo.warnings, ElementsAre("IPAM config missing 'ipam' key; ignored"));
  EXPECT_EQ(parse_demo(R"({"ipam":3})", Command::del, true).warnings.size(), 1U);
}

TEST(Parse, OtherVerbsAreAsStrictAsAdd) {
  for (const Command command : {Command::check, Command::gc, Command::status}) {
    EXPECT_THROW(parse_demo(R"({"count":77})", command), Error);
  }
}

TEST(Parse, NoTextHoldsANulByte) {
  EXPECT_EQ(demo::refusal(R"({"name2":"br\u0000x"})"),
            "7: name2: \"br\\u0000x\" holds a NUL byte, which no text here may");
  EXPECT_THAT(demo::refusal(R"({"color":"blue\u0000"})"), HasSubstr("7: color: "));
  EXPECT_THAT(demo::refusal(R"({"words":["a","\u0000"]})"), HasSubstr("7: words[1]: "));
  EXPECT_THAT(demo::refusal(R"({"dns":{"domain":"a\u0000b"}})"), HasSubstr("7: dns.domain: "));
  EXPECT_THAT(demo::refusal(R"({"gateway":"10.0.0.1\u0000"})"), HasSubstr("7: gateway: "));
  for (const char* settings : {R"({"a\u0000b":"x"})", R"({"a":"x\u0000"})"}) {
    EXPECT_THAT(demo::thrown([&] {
                  demo::parse_as<demo::Free>(demo::kFreeTable,
                                             R"({"settings":)" + std::string(settings) + "}");
                }),
                HasSubstr("7: settings: "));
  }
  EXPECT_EQ(parse_demo(R"({"name2":"br\\u0000x"})")->name, "br\\u0000x") << "only text about it";
}

TEST(Parse, OnDelATextWithANulByteNamesNothing) {
  const auto demo = parse_demo(R"({"name2":"br\u0000x","words":["a","b\u0000"]})", Command::del);
  EXPECT_EQ(demo->name, "as constructed");
  EXPECT_THAT(demo->words, ElementsAre("a"));
  EXPECT_THAT(demo.warnings, ElementsAre(HasSubstr("name2: "), HasSubstr("words[1]: ")));
}

TEST(Parse, ATableWithAWrongDefaultIsAnInternalError) {
  static constexpr Option kRows[] = {
      option<&demo::Demo::count>("count", "how many").with_range(0, 9).with_default("10")};
  static constexpr OptionTable kTable = option_table<demo::Demo>(kRows);
  EXPECT_THAT(demo::thrown([] { demo::parse_as<demo::Demo>(kTable, "{}"); }),
              HasSubstr(R"(999: option table: default "10" of "count")"));
}

}  // namespace
}  // namespace unicni::options::parse_test
