// macvlan beside the reference: result, kernel state and files of both, and each difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/differential.h"
#include "support/kernel_state.h"

namespace unicni::test::macvlan_differential_test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

struct Case {
  const char* name;
  const char* changes;  ///< of the configuration below
  std::map<std::string, std::string> env = {};
  std::vector<std::string> more = {};  ///< differences beside the known ones
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

class MacvlanDifferential : public ::testing::TestWithParam<Case> {
 protected:
  static Differential of(const Case& each) {
    Differential differential;
    differential.config = Json::parse(R"({
      "cniVersion": "0.4.0", "name": "net", "type": "macvlan", "master": "up0",
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
    })");
    differential.config.merge_patch(Json::parse(each.changes));
    differential.env = each.env;
    differential.prepare = [](const Container&, Json&) {
      tool({"ip", "link", "add", "up0", "mtu", "1450", "type", "veth", "peer", "name", "far"});
      tool({"ip", "link", "set", "up0", "up"});
      tool({"ip", "link", "set", "far", "up"});
      tool({"ip", "addr", "add", "10.1.3.1/24", "dev", "up0"});
      tool({"ip", "route", "add", "default", "via", "10.1.3.2"});
    };
    return differential;
  }
};

// IPAM's addresses are unique, so the kernel doesn't probe them; a queue of packets has the
// kernel's length (README.md, "Different from the reference").
const char* const kNoDad = "container sysctl ipv6/conf/eth0/accept_dad: 1 | 0";
const char* const kQueue = "container link eth0 txqlen: - | 1000";

TEST_P(MacvlanDifferential, IsWhatTheReadmeSays) {
  const Case& each = GetParam();
  const Differential::Lines lines = of(each).run();
  std::vector<std::string> known = {kQueue};
  if (of(each).config.contains("ipam")) known.emplace_back(kNoDad);
  known.insert(known.end(), each.more.begin(), each.more.end());
  // Debian 13's build of the reference takes no route for the default one: it refuses ADD and DEL.
  std::vector<std::string> known_del;
  const bool is_13 = read_file("/etc/os-release").find("VERSION_ID=\"13\"") != std::string::npos;
  if (is_13 && each.name == std::string_view("default_route")) {
    known = known_del = {"result: refused | ok"};
  }
  EXPECT_THAT(lines.add, UnorderedElementsAreArray(known));
  EXPECT_THAT(lines.del, UnorderedElementsAreArray(known_del));
}

INSTANTIATE_TEST_SUITE_P(
    All, MacvlanDifferential,
    ::testing::Values(
        Case{"defaults", "{}"}, Case{"private_mode", R"({"mode": "private"})"},
        Case{"vepa", R"({"mode": "vepa", "mtu": 1400})"},
        Case{"passthru", R"({"mode": "passthru"})"}, Case{"empty_mode", R"({"mode": ""})"},
        Case{"mac", R"({"mac": "02:00:00:00:00:01"})"},
        Case{"mac_of_arguments",
             R"({"mac": "02:00:00:00:00:01"})",
             {{"CNI_ARGS", "IgnoreUnknown=1;MAC=02:00:00:00:00:02"}}},
        Case{"mac_of_the_runtime",
             R"({"runtimeConfig": {"mac": "02:00:00:00:00:03"}})",
             {{"CNI_ARGS", "IgnoreUnknown=1;X=y;MAC=02:00:00:00:00:02"}}},
        Case{"default_route", R"({"master": null})"},
        Case{"layer_2", R"({"ipam": null, "dns": {"nameservers": ["192.0.2.53"]}})"},
        Case{"version_0_2_0", R"({"cniVersion": "0.2.0"})"},
        // Debian's 1.1.1 prints the empty "dns", which 1.x omits since.
        Case{"version_1_0_0", R"({"cniVersion": "1.0.0"})", {}, {"result dns: {} | -"}},
        Case{"dual_stack",
             R"({"ipam": {"subnet": null, "ranges": [[{"subnet": "10.1.2.0/24"}],
             [{"subnet": "fd00:1:2::/64"}]], "routes": [{"dst": "::/0"}]}})",
             {},
             // 1.9.1 sets the two sysctls.
             {"container addr eth0 fd00:1:2::2/64 nodad: - | true",
              "container sysctl ipv6/conf/eth0/keep_addr_on_down: 0 | 1",
              "container sysctl ipv6/conf/eth0/ndisc_notify: 0 | 1"}},
        Case{"dns", R"({"dns": {"nameservers": ["192.0.2.53"], "search": ["example.net"]}})"},
        Case{"routes", R"({"ipam": {"routes": [
             {"dst": "10.9.0.0/16"}, {"dst": "10.8.0.0/16", "gw": "10.1.2.7"}]}})"},
        Case{"mtu_of_the_parent", R"({"mtu": 1450})"}),
    [](const auto& each) { return std::string(each.param.name); });

// What the reference refuses we refuse; but its DEL fails then, and its ADD leaves the link.
class MacvlanRefusals : public MacvlanDifferential {};

TEST_P(MacvlanRefusals, AreTheSame) {
  const Case& each = GetParam();
  const Differential::Lines lines = of(each).run();
  EXPECT_THAT(lines.add, IsEmpty());
  EXPECT_THAT(lines.del, UnorderedElementsAreArray(each.more));
}

INSTANTIATE_TEST_SUITE_P(
    All, MacvlanRefusals,
    ::testing::Values(
        Case{"mtu_beyond_the_parent", R"({"mtu": 1451})", {}, {"result: refused | ok"}},
        Case{"no_master", R"({"master": "none0"})", {}, {"result: refused | ok"}},
        Case{"unknown_mode", R"({"mode": "source"})"}),
    [](const auto& each) { return std::string(each.param.name); });

class MacvlanLeak : public MacvlanDifferential {};

TEST_P(MacvlanLeak, OfTheReferenceIsNoneOfOurs) {
  Differential differential = of(GetParam());
  differential.leaks_of_refusals = true;
  const Differential::Lines lines = differential.run();
  EXPECT_THAT(lines.add, Contains("container link eth0 kind: macvlan | -"));
  EXPECT_THAT(lines.add, Not(Contains(StartsWith("result"))));
}

INSTANTIATE_TEST_SUITE_P(All, MacvlanLeak,
                         ::testing::Values(Case{"argument_unknown_to_ipam",
                                                "{}",
                                                {{"CNI_ARGS", "MAC=02:00:00:00:00:02"}}}),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace unicni::test::macvlan_differential_test
