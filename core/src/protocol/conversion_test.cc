// Every pair of the seven versions, and what every result keeps of itself on its way over the wire.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>

#include "protocol/result_narrow.h"
#include "protocol/result_parse.h"
#include "protocol/result_print.h"
#include "unicni/error.h"

namespace unicni::protocol::conversion_test {
namespace {

using Json = nlohmann::ordered_json;

// The same attachment in each layout, with as much as the layout knows, and what becomes of it in
// the others.
constexpr const char* kSource[] = {
    // 0.1.0, 0.2.0; the IPv6 route inside ip4 is one of CONV-03's odd cases
    R"({"cniVersion":"?","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"0.0.0.0/0"},{"dst":"2001:db8:9::/48"}]},
        "ip6":{"ip":"2001:db8::2/64","routes":[{"dst":"::/0","gw":"2001:db8::1"}]},"dns":{"nameservers":["10.1.2.1"]}})",
    // 0.3.0, 0.3.1, 0.4.0
    R"({"cniVersion":"?","interfaces":[{"name":"cni0","mac":"m"},{"name":"eth0","sandbox":"/ns","mtu":1500}],
        "ips":[{"version":"6","interface":1,"address":"2001:db8::2/64"},{"version":"4","interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},
               {"version":"4","address":"10.1.2.4/24"}],
        "routes":[{"dst":"::/0","gw":"2001:db8::1","mtu":1400,"table":0},{"dst":"10.9.0.0/16","scope":0}],"dns":{"domain":"d"}})",
    // 1.0.0, 1.1.0
    R"({"cniVersion":"?","interfaces":[{"name":"cni0","mac":"m","mtu":1500},{"name":"eth0","sandbox":"/ns","socketPath":"/s","pciID":"p"}],
        "ips":[{"interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"::ffff:10.1.2.4/120"}],
        "routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.9","priority":5,"advmss":1},{"dst":"2001:db8::/32"}]})",
};

constexpr const char* kExpected[3][3] = {
    {
        // CONV-02, but that a route goes to the family of its dst
        R"({"cniVersion":"?","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"0.0.0.0/0"}]},
            "ip6":{"ip":"2001:db8::2/64","routes":[{"dst":"2001:db8:9::/48"},{"dst":"::/0","gw":"2001:db8::1"}]},"dns":{"nameservers":["10.1.2.1"]}})",
        // CONV-03, CONV-16
        R"({"cniVersion":"?","ips":[{"version":"4","address":"10.1.2.3/24","gateway":"10.1.2.1"},{"version":"6","address":"2001:db8::2/64"}],
            "routes":[{"dst":"0.0.0.0/0"},{"dst":"2001:db8:9::/48"},{"dst":"::/0","gw":"2001:db8::1"}],"dns":{"nameservers":["10.1.2.1"]}})",
        // CONV-10
        R"({"cniVersion":"?","dns":{"nameservers":["10.1.2.1"]},"ips":[{"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"address":"2001:db8::2/64"}],
            "routes":[{"dst":"0.0.0.0/0"},{"dst":"2001:db8:9::/48"},{"dst":"::/0","gw":"2001:db8::1"}]})",
    },
    {
        // CONV-08
        R"({"cniVersion":"?","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"10.9.0.0/16"}]},
            "ip6":{"ip":"2001:db8::2/64","routes":[{"dst":"::/0","gw":"2001:db8::1"}]},"dns":{"domain":"d"}})",
        // CONV-04
        R"({"cniVersion":"?","interfaces":[{"name":"cni0","mac":"m"},{"name":"eth0","sandbox":"/ns"}],
            "ips":[{"version":"6","interface":1,"address":"2001:db8::2/64"},{"version":"4","interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},
                   {"version":"4","address":"10.1.2.4/24"}],
            "routes":[{"dst":"::/0","gw":"2001:db8::1","mtu":1400,"table":0},{"dst":"10.9.0.0/16","scope":0}],"dns":{"domain":"d"}})",
        // CONV-05
        R"({"cniVersion":"?","dns":{"domain":"d"},"interfaces":[{"mac":"m","name":"cni0"},{"name":"eth0","sandbox":"/ns"}],
            "ips":[{"address":"2001:db8::2/64","interface":1},{"address":"10.1.2.3/24","gateway":"10.1.2.1","interface":0},{"address":"10.1.2.4/24"}],
            "routes":[{"dst":"::/0","gw":"2001:db8::1","mtu":1400,"table":0},{"dst":"10.9.0.0/16","scope":0}]})",
    },
    {
        // CONV-08: no IPv6 address, so its route goes
        R"({"cniVersion":"?","ip4":{"ip":"10.1.2.3/24","gateway":"10.1.2.1","routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.9"}]},"dns":{}})",
        // CONV-06
        R"({"cniVersion":"?","interfaces":[{"name":"cni0","mac":"m"},{"name":"eth0","sandbox":"/ns"}],
            "ips":[{"version":"4","interface":0,"address":"10.1.2.3/24","gateway":"10.1.2.1"},{"version":"4","address":"10.1.2.4/24"}],
            "routes":[{"dst":"10.9.0.0/16","gw":"10.1.2.9","advmss":1,"priority":5},{"dst":"2001:db8::/32"}],"dns":{}})",
        // CONV-01, CONV-07
        R"({"cniVersion":"?","interfaces":[{"mac":"m","mtu":1500,"name":"cni0"},{"name":"eth0","pciID":"p","sandbox":"/ns","socketPath":"/s"}],
            "ips":[{"address":"10.1.2.3/24","gateway":"10.1.2.1","interface":0},{"address":"10.1.2.4/24"}],
            "routes":[{"advmss":1,"dst":"10.9.0.0/16","gw":"10.1.2.9","priority":5},{"dst":"2001:db8::/32"}]})",
    },
};

std::string at(const char* text, SpecVersion version) {
  std::string filled = text;
  filled.replace(filled.find('?'), 1, version_text(version));
  return filled;
}

std::vector<SpecVersion> all_versions() {
  std::vector<SpecVersion> all;
  for (std::size_t i = 0; i < kSpecVersions.size(); ++i) all.push_back(static_cast<SpecVersion>(i));
  return all;
}

class Conversion : public testing::TestWithParam<std::tuple<SpecVersion, SpecVersion>> {};

TEST_P(Conversion, KeepsWhatBothVersionsKnow) {  // CONV-01 to CONV-08, CONV-10, CONV-14 to CONV-16
  const auto [from, to] = GetParam();
  const auto source = static_cast<std::size_t>(result_family(from));
  const auto target = static_cast<std::size_t>(result_family(to));
  const Json expected = Json::parse(at(kExpected[source][target], to));
  const Result result = parse_result(at(kSource[source], from), to);
  EXPECT_EQ(print_result(result, to), expected.dump(4));
  EXPECT_EQ(print_compact_result(result, to), expected.dump());
}

TEST_P(Conversion, WithoutAddressesFailsOnlyBelow030) {  // CONV-09
  const auto [from, to] = GetParam();
  const Result result = parse_result(at(R"({"cniVersion":"?","dns":{"domain":"d"}})", from), to);
  EXPECT_EQ(result.dns.domain, "d");  // DNS-02
  if (to >= SpecVersion::v0_3_0) {
    EXPECT_EQ(parse_result(print_result(result, to), to), result);
  } else {
    EXPECT_THROW(print_result(result, to), Error);
    EXPECT_THROW(narrowed(result, to), Error);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Conversion,
                         testing::Combine(testing::ValuesIn(all_versions()),
                                          testing::ValuesIn(all_versions())),
                         [](const auto& pair) {
                           std::string name = std::string(version_text(std::get<0>(pair.param))) +
                                              "_to_" +
                                              std::string(version_text(std::get<1>(pair.param)));
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

// Random results; the seed is fixed so that a failure repeats.
class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}

  Result result() {
    Result result;
    fill(result.interfaces,
         [&] { return Interface{text(), text(), number(), text(), text(), text(), extra()}; });
    fill(result.ips, [&] {
      IpConfig ip{net(), std::nullopt, std::nullopt, extra()};
      if (coin()) ip.gateway = net().address();
      if (coin()) ip.interface = static_cast<int>(below(3));
      return ip;
    });
    fill(result.routes, [&] {
      Route route{net(),    std::nullopt, number(),     number(),
                  number(), std::nullopt, std::nullopt, extra()};
      if (coin()) route.gw = net().address();
      if (coin()) route.table = number();
      if (coin()) route.scope = below(256);
      return route;
    });
    fill(result.dns.nameservers, [&] { return net().address().str(); });
    result.dns.domain = text();
    fill(result.dns.search, [&] { return text(); });
    fill(result.dns.options, [&] { return text(); });
    result.extra = extra();
    return result;
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(engine_()) % limit; }
  bool coin() { return below(2) == 0; }
  std::uint32_t number() { return coin() ? 0 : static_cast<std::uint32_t>(engine_()); }
  std::string text() {
    constexpr const char* words[] = {
        "", "eth0", "0a:58:0a:01:02:03", "/run/netns/a b", "\"q\"\\\n", "\xc3\xa4\xe2\x82\xac"};
    return words[below(6)];
  }
  std::string extra() {  // by alphabet, as 1.x prints
    if (coin()) return {};
    return R"({"org.example/y":["z",null,{"a":-1}],"x":)" + std::to_string(below(9)) + '}';
  }
  IpNet net() {
    if (coin())
      return {IpAddress::v4(static_cast<std::uint32_t>(engine_())), static_cast<int>(below(33))};
    std::array<std::uint8_t, 16> bytes{0x20, 0x01};
    for (std::size_t i = 2; i < bytes.size(); ++i)
      bytes[i] = coin() ? 0 : static_cast<std::uint8_t>(engine_());
    return {IpAddress::v6(bytes), static_cast<int>(below(129))};
  }
  template <class T, class Make>
  void fill(std::vector<T>& list, Make make) {
    for (std::uint32_t n = below(4); n > 0; --n) list.push_back(make());
  }

  std::mt19937 engine_;
};

TEST(ResultProperty, ParsingUndoesPrinting) {
  Dice dice(20240229);
  std::size_t expressible = 0;
  for (int round = 0; round < 100; ++round) {
    const Result result = dice.result();
    for (const SpecVersion version : all_versions()) {
      if (result.ips.empty() && !can_express_without_ips(version)) continue;
      const std::string text = print_result(result, version);
      const Result back = parse_result(text, version);
      ASSERT_EQ(back, narrowed(result, version)) << text;
      ASSERT_EQ(print_result(back, version), text);
      ASSERT_EQ(parse_result(print_compact_result(result, version), version), back);
      if (result_family(version) == ResultFamily::plain_ips) {
        ASSERT_EQ(back, result);
      }
      ++expressible;
    }
  }
  EXPECT_GT(expressible, 100U * 5);
}

}  // namespace
}  // namespace unicni::protocol::conversion_test
