#include "protocol/result_parse.h"

#include <gtest/gtest.h>

#include "unicni/error.h"

namespace unicni::protocol::result_parse_test {
namespace {

// The message of the refusal, "" if the text is a result.
std::string refusal(std::string_view text, SpecVersion fallback = SpecVersion::v1_1_0) {
  try {
    parse_result(text, fallback);
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::decode)) << text;
    return error.msg();
  }
}

Result ips(std::string_view element, SpecVersion version = SpecVersion::v1_1_0) {
  return parse_result(std::string(R"({"ips":[)") + std::string(element) + "]}", version);
}

TEST(ParseResult, EveryLayoutOfOneAttachment) {  // RES-01, RES-03 to RES-05
  Result expected;
  expected.ips.push_back(
      {*IpNet::parse("10.1.2.3/24"), IpAddress::parse("10.1.2.1"), std::nullopt, ""});
  Route route;
  route.dst = *IpNet::parse("10.9.0.0/16");
  route.gw = IpAddress::parse("10.1.2.9");
  expected.routes = {route};
  expected.dns.domain = "d";
  const char* old_layout =
      R"({"ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.9"}]},"dns":{"domain":"d"}})";
  const char* new_layout =
      R"({"ips":[{"version":"4","address":"10.1.2.3/24","gateway":"10.1.2.1"}],"routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.9"}],"dns":{"domain":"d"}})";
  for (std::size_t i = 0; i < kSpecVersions.size(); ++i) {
    const auto version = static_cast<SpecVersion>(i);
    EXPECT_EQ(parse_result(version < SpecVersion::v0_3_0 ? old_layout : new_layout, version),
              expected)
        << kSpecVersions[i];
  }
}

TEST(ParseResult, OwnVersionDecides) {  // RES-02, PREV-02
  const char* ip4 = R"("ip4":{"ip":"10.0.0.2/8"})";
  const char* plain = R"("ips":[{"address":"10.0.0.2/8"}])";
  struct {
    std::string text;
    SpecVersion fallback;
    std::size_t ips;
  } const cases[] = {
      {std::string(R"({"cniVersion":"0.1.0",)") + ip4 + "}", SpecVersion::v1_1_0, 1},
      {std::string(R"({"cniVersion":"1.0.0",)") + plain + "}", SpecVersion::v0_2_0, 1},
      {std::string("{") + ip4 + "}", SpecVersion::v0_2_0, 1},
      {std::string("{") + ip4 + "}", SpecVersion::v1_0_0, 0},
      {std::string(R"({"cniVersion":"",)") + plain + "}", SpecVersion::v0_3_1, 1},
      {std::string(R"({"cniVersion":null,)") + plain + "}", SpecVersion::v1_0_0, 1},
      {std::string(R"({"cniVersion":3,)") + plain + "}", SpecVersion::v1_0_0, 1},
  };
  for (const auto& test : cases) {
    EXPECT_EQ(parse_result(test.text, test.fallback).ips.size(), test.ips) << test.text;
  }
}

TEST(ParseResult, UnknownVersionNamesBoth) {  // CONV-12
  EXPECT_EQ(refusal(R"({"cniVersion":"1.2.0"})", SpecVersion::v1_0_0),
            "cannot convert a result of cniVersion \"1.2.0\" to 1.0.0");
}

TEST(ParseResult, EmptyResultAndNulls) {  // PREV-02
  for (const char* text :
       {"{}", "null", R"({"ips":null,"routes":null,"interfaces":null,"dns":null})",
        R"({"ips":[],"routes":[],"interfaces":[],"dns":{}})",
        R"({"dns":{"nameservers":null,"domain":null,"search":[],"options":[]}})"}) {
    for (std::size_t i = 0; i < kSpecVersions.size(); ++i) {
      EXPECT_EQ(parse_result(text, static_cast<SpecVersion>(i)), Result{}) << text;
    }
  }
  EXPECT_EQ(parse_result(R"({"ip4":null,"ip6":null})", SpecVersion::v0_2_0), Result{});
}

TEST(ParseResult, InterfaceIndex) {  // RES-06
  EXPECT_EQ(ips(R"({"address":"10.0.0.2/8","interface":0})").ips[0].interface, 0);
  EXPECT_EQ(ips(R"({"address":"10.0.0.2/8","interface":2})").ips[0].interface, 2);
  for (const char* absent : {"", R"(,"interface":-1)", R"(,"interface":null)"}) {
    EXPECT_EQ(ips(std::string(R"({"address":"10.0.0.2/8")") + absent + "}").ips[0].interface,
              std::nullopt)
        << absent;
  }
  for (const char* bad : {"-2", "1.0", "\"1\"", "2147483648", "true", "[]"}) {
    EXPECT_NE(refusal(std::string(R"({"ips":[{"address":"10.0.0.2/8","interface":)") + bad + "}]}"),
              "")
        << bad;
  }
}

TEST(ParseResult, RouteAttributes) {  // RES-05, RES-07
  const char* zeros =
      R"({"routes":[{"dst":"10.0.0.0/8","mtu":0,"advmss":0,"priority":0,"table":0,"scope":0}]})";
  const char* values =
      R"({"routes":[{"dst":"10.0.0.0/8","mtu":1400,"advmss":1360,"priority":4294967295,"table":100,"scope":253}]})";
  for (const auto version :
       {SpecVersion::v0_3_0, SpecVersion::v0_4_0, SpecVersion::v1_0_0, SpecVersion::v1_1_0}) {
    Route route = parse_result(zeros, version).routes.at(0);
    EXPECT_EQ(route.mtu + route.advmss + route.priority, 0U);
    EXPECT_EQ(route.table, 0U);
    EXPECT_EQ(route.scope, 0U);
    route = parse_result(values, version).routes.at(0);
    EXPECT_EQ(route.mtu, 1400U);
    EXPECT_EQ(route.advmss, 1360U);
    EXPECT_EQ(route.priority, 4294967295U);
    EXPECT_EQ(route.table, 100U);
    EXPECT_EQ(route.scope, 253U);
  }
}

TEST(ParseResult, AddressesKeepHostBits) {  // RES-08
  struct {
    const char* text;
    const char* net;
  } const cases[] = {{"10.1.2.3/8", "10.1.2.3/8"},
                     {"::ffff:1.2.3.4/120", "1.2.3.4/24"},
                     {"2001:DB8::0:5/64", "2001:db8::5/64"},
                     {"0.0.0.0/0", "0.0.0.0/0"}};
  for (const auto& test : cases) {
    EXPECT_EQ(ips(std::string(R"({"address":")") + test.text + "\"}").ips[0].address.str(),
              test.net);
  }
}

TEST(ParseResult, EmptyGatewayIsAbsent) {  // RES-09
  EXPECT_EQ(ips(R"({"address":"10.0.0.2/8","gateway":""})").ips[0].gateway, std::nullopt);
  EXPECT_EQ(parse_result(R"({"routes":[{"dst":"10.0.0.0/8","gw":""}]})", SpecVersion::v1_0_0)
                .routes[0]
                .gw,
            std::nullopt);
}

TEST(ParseResult, Refusals) {  // RES-08 to RES-10, RES-14
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {R"([])", "result is array"},
      {R"("x")", "result is \"x\""},
      {R"({"ips":{}})", "result.ips is object"},
      {R"({"ips":[null]})", "result.ips[0] is null"},
      {R"({"ips":["10.0.0.2/8"]})", "result.ips[0] is \"10.0.0.2/8\""},
      {R"({"ips":[{}]})", "result.ips[0].address is null"},
      {R"({"ips":[{"address":null}]})", "result.ips[0].address is null"},
      {R"({"ips":[{"address":""}]})", "result.ips[0].address is \"\""},
      {R"({"ips":[{"address":"10.0.0.2"}]})", "result.ips[0].address is \"10.0.0.2\""},
      {R"({"ips":[{"address":"10.0.0.02/8"}]})", "result.ips[0].address is \"10.0.0.02/8\""},
      {R"({"ips":[{"address":"10.0.0.2/33"}]})", "result.ips[0].address is \"10.0.0.2/33\""},
      {R"({"ips":[{"address":"<nil>"}]})", "result.ips[0].address is \"<nil>\""},
      {R"({"ips":[{"address":7}]})", "result.ips[0].address is 7"},
      {R"({"ips":[{"address":"10.0.0.2/8"},{"address":"10.0.0.3/8","gateway":"x"}]})",
       "result.ips[1].gateway is \"x\""},
      {R"({"interfaces":[null]})", "result.interfaces[0] is null"},
      {R"({"interfaces":[{"name":3}]})", "result.interfaces[0].name is 3"},
      {R"({"interfaces":[{"name":"e","mtu":-1}]})", "result.interfaces[0].mtu is -1"},
      {R"({"interfaces":[{"name":"e","mtu":4294967296}]})",
       "result.interfaces[0].mtu is 4294967296"},
      {R"({"routes":[{}]})", "result.routes[0].dst is null"},
      {R"({"routes":[null]})", "result.routes[0] is null"},
      {R"({"routes":[{"dst":"10.0.0.0/8","gw":"10.0.0"}]})", "result.routes[0].gw is \"10.0.0\""},
      {R"({"routes":[{"dst":"10.0.0.0/8","mtu":-1}]})", "result.routes[0].mtu is -1"},
      {R"({"routes":[{"dst":"10.0.0.0/8","advmss":"1"}]})", "result.routes[0].advmss is \"1\""},
      {R"({"routes":[{"dst":"10.0.0.0/8","priority":1.5}]})", "result.routes[0].priority is 1.5"},
      {R"({"routes":[{"dst":"10.0.0.0/8","table":-254}]})", "result.routes[0].table is -254"},
      {R"({"routes":[{"dst":"10.0.0.0/8","scope":256}]})", "result.routes[0].scope is 256"},
      {R"({"dns":[]})", "result.dns is array"},
      {R"({"dns":{"nameservers":"8.8.8.8"}})", "result.dns.nameservers is \"8.8.8.8\""},
      {R"({"dns":{"search":["a",null]}})", "result.dns.search[1] is null"},
      {R"({"dns":{"domain":1}})", "result.dns.domain is 1"},
  };
  for (const auto& test : cases) EXPECT_EQ(refusal(test.text), test.message);
  EXPECT_NE(refusal("{"), "");
}

TEST(ParseResult, RefusalsOfTheOldLayout) {
  struct {
    const char* text;
    const char* message;
  } const cases[] = {
      {R"({"ip4":{}})", "result.ip4.ip is null"},
      {R"({"ip4":"10.0.0.2/8"})", "result.ip4 is \"10.0.0.2/8\""},
      {R"({"ip4":{"ip":"10.0.0.2"}})", "result.ip4.ip is \"10.0.0.2\""},
      {R"({"ip4":{"ip":"2001:db8::1/64"}})", "result.ip4.ip is \"2001:db8::1/64\""},  // CONV-14
      {R"({"ip6":{"ip":"10.0.0.2/8"}})", "result.ip6.ip is \"10.0.0.2/8\""},
      {R"({"ip6":{"ip":"2001:db8::1/64","routes":[null]}})", "result.ip6.routes[0] is null"},
  };
  for (const auto& test : cases) EXPECT_EQ(refusal(test.text, SpecVersion::v0_2_0), test.message);
}

TEST(ParseResult, VersionOfAnAddressIsRedundant) {  // CONV-14 D
  const auto version = SpecVersion::v0_4_0;
  EXPECT_EQ(
      refusal(
          R"({"ips":[{"version":"4","address":"10.0.0.2/8"},{"version":"6","address":"::1/128"},{"address":"10.0.0.3/8"}]})",
          version),
      "");
  EXPECT_EQ(
      parse_result(
          R"({"ips":[{"version":"6","address":"10.0.0.2/24"},{"version":"ip4","address":"::2/64"}]})",
          version),
      parse_result(R"({"ips":[{"address":"10.0.0.2/24"},{"address":"::2/64"}]})", version))
      << "a wrong one is redundant: the address has its family";
  EXPECT_EQ(refusal(R"({"ips":[{"version":4,"address":"10.0.0.2/24"}]})", version),
            "result.ips[0].version is 4");
  // RES-04: from 1.0.0 on the field means nothing.
  EXPECT_EQ(ips(R"({"version":"6","address":"10.0.0.2/8"})").ips[0],
            ips(R"({"address":"10.0.0.2/8"})").ips[0]);
}

TEST(ParseResult, UnknownKeysAreKept) {  // RES-12 D
  const char* text =
      R"({"new":{"a":[1]},"interfaces":[{"name":"e","speed":10}],"ips":[{"address":"10.0.0.2/8","life":"x"}],"routes":[{"dst":"10.0.0.0/8","via":1}]})";
  for (const auto version :
       {SpecVersion::v0_3_0, SpecVersion::v0_4_0, SpecVersion::v1_0_0, SpecVersion::v1_1_0}) {
    const Result result = parse_result(text, version);
    EXPECT_EQ(result.extra, R"({"new":{"a":[1]}})");
    EXPECT_EQ(result.interfaces[0].extra, R"({"speed":10})");
    EXPECT_EQ(result.ips[0].extra, R"({"life":"x"})");
    EXPECT_EQ(result.routes[0].extra, R"({"via":1})");
  }
}

TEST(ParseResult, UnknownKeysOfAnotherLayoutAreDropped) {
  const Result result =
      parse_result(R"({"cniVersion":"1.1.0","new":1,"interfaces":[{"name":"e","speed":10}]})",
                   SpecVersion::v0_4_0);
  EXPECT_EQ(result.extra, "");
  EXPECT_EQ(result.interfaces[0].extra, "");
  EXPECT_EQ(
      parse_result(R"({"new":1,"ip4":{"ip":"10.0.0.2/8","new":1}})", SpecVersion::v0_2_0).extra,
      "");
}

TEST(ParseResult, InterfaceFieldsThatOldVersionsLack) {  // CONV-05
  const char* text =
      R"({"interfaces":[{"name":"e","mac":"m","sandbox":"s","mtu":1500,"socketPath":"/p","pciID":"i"}]})";
  const Interface old = parse_result(text, SpecVersion::v0_4_0).interfaces.at(0);
  EXPECT_EQ(old, (Interface{"e", "m", 0, "s", "", "", ""}));
  for (const auto version : {SpecVersion::v1_0_0, SpecVersion::v1_1_0}) {
    EXPECT_EQ(parse_result(text, version).interfaces.at(0),
              (Interface{"e", "m", 1500, "s", "/p", "i", ""}));
  }
}

TEST(ParseResult, NamesHoldNoNulByte) {
  for (const char* key : {"name", "mac", "sandbox", "socketPath", "pciID"}) {
    const std::string text = std::string(R"({"interfaces":[{")") + key + R"(":"veth0\u0000x"}]})";
    EXPECT_EQ(refusal(text), std::string("result.interfaces[0].") + key + " is \"veth0\\u0000x\"");
  }
}

TEST(ParseResult, KeysInAnyLetterCase) {  // as the reference
  const Result result = parse_result(
      R"({"CNIVersion":"0.4.0","IPs":[{"Version":"4","Address":"10.0.0.2/8"}],"DNS":{"Domain":"d"}})",
      SpecVersion::v1_1_0);
  ASSERT_EQ(result.ips.size(), 1U);
  EXPECT_EQ(result.dns.domain, "d");
  EXPECT_EQ(result.extra, "");
}

TEST(RestoreName, OfAnInterfaceWhoseBytesJsonCannotHold) {
  Result result;
  result.interfaces.resize(3);
  result.interfaces[0].name = "cni0";
  result.interfaces[1].name = "\xef\xbf\xbd_a";
  result.interfaces[2].name = "\xef\xbf\xbd_b";
  restore_name(result, "\xe4_a");
  EXPECT_EQ(result.interfaces[0].name, "cni0");
  EXPECT_EQ(result.interfaces[1].name, "\xe4_a");
  EXPECT_EQ(result.interfaces[2].name, "\xef\xbf\xbd_b");
}

}  // namespace
}  // namespace unicni::protocol::result_parse_test
