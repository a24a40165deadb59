// The exact bytes of a result at each version: RES-13
#include "protocol/result_print.h"

#include <gtest/gtest.h>

#include "protocol/result_narrow.h"
#include "unicni/error.h"

namespace unicni::protocol::result_print_test {
namespace {

Result bridge_result() {
  Result result;
  result.interfaces = {
      {"cni0", "aa:bb:cc:dd:ee:01", 1500, "", "", "", ""},
      {"eth0", "aa:bb:cc:dd:ee:02", 1400, "/run/netns/x", "/s.sock", "0000:01:00.0", ""}};
  result.ips = {{*IpNet::parse("10.1.2.3/24"), IpAddress::parse("10.1.2.1"), 1, ""},
                {*IpNet::parse("2001:db8::2/64"), std::nullopt, 0, ""}};
  Route via;
  via.dst = *IpNet::parse("0.0.0.0/0");
  via.gw = IpAddress::parse("10.1.2.1");
  Route rich;
  rich.dst = *IpNet::parse("2001:db8:1::/48");
  rich.mtu = 1300;
  rich.advmss = 1200;
  rich.priority = 100;
  rich.table = 0;
  rich.scope = 0;
  result.routes = {via, rich};
  result.dns = {{"10.1.2.1"}, "local", {"a.local"}, {"ndots:2"}};
  return result;
}

TEST(PrintResult, PlainIpsByAlphabet) {
  const char* expected = R"({
    "cniVersion": "1.1.0",
    "dns": {
        "domain": "local",
        "nameservers": [
            "10.1.2.1"
        ],
        "options": [
            "ndots:2"
        ],
        "search": [
            "a.local"
        ]
    },
    "interfaces": [
        {
            "mac": "aa:bb:cc:dd:ee:01",
            "mtu": 1500,
            "name": "cni0"
        },
        {
            "mac": "aa:bb:cc:dd:ee:02",
            "mtu": 1400,
            "name": "eth0",
            "pciID": "0000:01:00.0",
            "sandbox": "/run/netns/x",
            "socketPath": "/s.sock"
        }
    ],
    "ips": [
        {
            "address": "10.1.2.3/24",
            "gateway": "10.1.2.1",
            "interface": 1
        },
        {
            "address": "2001:db8::2/64",
            "interface": 0
        }
    ],
    "routes": [
        {
            "dst": "0.0.0.0/0",
            "gw": "10.1.2.1"
        },
        {
            "advmss": 1200,
            "dst": "2001:db8:1::/48",
            "mtu": 1300,
            "priority": 100,
            "scope": 0,
            "table": 0
        }
    ]
})";
  EXPECT_EQ(print_result(bridge_result(), SpecVersion::v1_1_0), expected);
  // CONV-07: nothing is dropped between 1.1.0 and 1.0.0.
  std::string at_1_0_0 = expected;
  at_1_0_0.replace(at_1_0_0.find("1.1.0"), 5, "1.0.0");
  EXPECT_EQ(print_result(bridge_result(), SpecVersion::v1_0_0), at_1_0_0);
}

TEST(PrintResult, VersionedIpsInOrderOfDeclaration) {
  const std::string expected = R"({
    "cniVersion": "0.4.0",
    "interfaces": [
        {
            "name": "cni0",
            "mac": "aa:bb:cc:dd:ee:01"
        },
        {
            "name": "eth0",
            "mac": "aa:bb:cc:dd:ee:02",
            "sandbox": "/run/netns/x"
        }
    ],
    "ips": [
        {
            "version": "4",
            "interface": 1,
            "address": "10.1.2.3/24",
            "gateway": "10.1.2.1"
        },
        {
            "version": "6",
            "interface": 0,
            "address": "2001:db8::2/64"
        }
    ],
    "routes": [
        {
            "dst": "0.0.0.0/0",
            "gw": "10.1.2.1"
        },
        {
            "dst": "2001:db8:1::/48",
            "mtu": 1300,
            "advmss": 1200,
            "priority": 100,
            "table": 0,
            "scope": 0
        }
    ],
    "dns": {
        "nameservers": [
            "10.1.2.1"
        ],
        "domain": "local",
        "search": [
            "a.local"
        ],
        "options": [
            "ndots:2"
        ]
    }
})";
  for (const auto version : {SpecVersion::v0_3_0, SpecVersion::v0_3_1, SpecVersion::v0_4_0}) {
    std::string text = expected;
    text.replace(text.find("0.4.0"), 5, version_text(version));
    EXPECT_EQ(print_result(bridge_result(), version), text);
  }
}

TEST(PrintResult, Ip4Ip6InOrderOfDeclaration) {
  const std::string expected = R"({
    "cniVersion": "0.2.0",
    "ip4": {
        "ip": "10.1.2.3/24",
        "gateway": "10.1.2.1",
        "routes": [
            {
                "dst": "0.0.0.0/0",
                "gw": "10.1.2.1"
            }
        ]
    },
    "ip6": {
        "ip": "2001:db8::2/64",
        "routes": [
            {
                "dst": "2001:db8:1::/48"
            }
        ]
    },
    "dns": {
        "nameservers": [
            "10.1.2.1"
        ],
        "domain": "local",
        "search": [
            "a.local"
        ],
        "options": [
            "ndots:2"
        ]
    }
})";
  for (const auto version : {SpecVersion::v0_1_0, SpecVersion::v0_2_0}) {
    std::string text = expected;
    text.replace(text.find("0.2.0"), 5, version_text(version));
    EXPECT_EQ(print_result(bridge_result(), version), text);
  }
}

TEST(PrintResult, EmptyDnsIsAnObjectBelow100AndAbsentFromThere) {  // RES-13
  EXPECT_EQ(print_result({}, SpecVersion::v1_0_0), "{\n    \"cniVersion\": \"1.0.0\"\n}");
  EXPECT_EQ(print_result({}, SpecVersion::v0_3_1),
            "{\n    \"cniVersion\": \"0.3.1\",\n    \"dns\": {}\n}");
  Result result;
  result.ips.push_back({*IpNet::parse("10.0.0.2/8"), std::nullopt, std::nullopt, ""});
  EXPECT_EQ(print_compact_result(result, SpecVersion::v0_1_0),
            R"({"cniVersion":"0.1.0","ip4":{"ip":"10.0.0.2/8"},"dns":{}})");
}

TEST(PrintResult, NameIsAlwaysThere) {  // RES-13
  Result result;
  result.interfaces.emplace_back();
  EXPECT_EQ(print_compact_result(result, SpecVersion::v1_1_0),
            R"({"cniVersion":"1.1.0","interfaces":[{"name":""}]})");
  EXPECT_EQ(print_compact_result(result, SpecVersion::v0_4_0),
            R"({"cniVersion":"0.4.0","interfaces":[{"name":""}],"dns":{}})");
}

TEST(PrintResult, UnknownKeysAmongTheOthers) {  // RES-12 D
  Result result;
  result.interfaces.push_back({"e", "m", 0, "", "", "", R"({"mx":[1,{"z":1,"a":2}],"Zone":1})"});
  result.extra = R"({"a.b/c":{},"zz":null})";
  EXPECT_EQ(
      print_compact_result(result, SpecVersion::v1_1_0),
      R"({"a.b/c":{},"cniVersion":"1.1.0","interfaces":[{"Zone":1,"mac":"m","mx":[1,{"z":1,"a":2}],"name":"e"}],"zz":null})");
  EXPECT_EQ(
      print_compact_result(result, SpecVersion::v0_4_0),
      R"({"cniVersion":"0.4.0","interfaces":[{"name":"e","mac":"m","mx":[1,{"z":1,"a":2}],"Zone":1}],"dns":{},"a.b/c":{},"zz":null})");
}

TEST(PrintResult, UnknownKeysNeverReplaceKnownOnes) {
  Result result;
  result.extra = R"({"cniVersion":"9","ips":3})";
  result.ips.push_back({*IpNet::parse("10.0.0.2/8"), std::nullopt, std::nullopt, "no object"});
  EXPECT_EQ(print_compact_result(result, SpecVersion::v1_1_0),
            R"({"cniVersion":"1.1.0","ips":[{"address":"10.0.0.2/8"}]})");
}

TEST(PrintResult, BadBytesBecomeReplacementCharacters) {
  Result result;
  result.interfaces.push_back({"e\xff", "", 0, "", "", "", ""});
  EXPECT_EQ(print_compact_result(result, SpecVersion::v1_1_0),
            "{\"cniVersion\":\"1.1.0\",\"interfaces\":[{\"name\":\"e\xEF\xBF\xBD\"}]}");
}

TEST(PrintResult, OldVersionsNeedAnAddress) {  // CONV-09
  for (std::size_t i = 0; i < kSpecVersions.size(); ++i) {
    const auto version = static_cast<SpecVersion>(i);
    Result result = bridge_result();
    result.ips.clear();
    const bool expressible = version >= SpecVersion::v0_3_0;
    EXPECT_EQ(can_express_without_ips(version), expressible);
    if (expressible) {
      EXPECT_NO_THROW(print_result(result, version));
      continue;
    }
    try {
      print_result(result, version);
      ADD_FAILURE() << kSpecVersions[i];
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_EQ(error.msg().rfind("cannot convert", 0), 0U) << error.msg();
    }
  }
}

}  // namespace
}  // namespace unicni::protocol::result_print_test
