// ipvlan and vlan beside the reference: result, kernel state and files of both, and each
// difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/differential.h"
#include "support/kernel_state.h"

namespace unicni::test::link_differential_test {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAreArray;

struct Case {
  const char* name;
  const char* config;                  ///< over the one below
  std::vector<std::string> more = {};  ///< differences beside the known ones
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

// IPAM's addresses are unique, so the kernel doesn't probe them; a queue of packets has the
// kernel's length (README.md of the modules, "Different from the reference").
const char* const kNoDad = "container sysctl ipv6/conf/eth0/accept_dad: 1 | 0";
const char* const kQueue = "container link eth0 txqlen: - | 1000";
const char* const kAnnounced = "container sysctl ipv4/conf/eth0/arp_notify: 0 | 1";
// Debian's 1.1.1 prints the empty "dns", which 1.x omits since.
const char* const kDns = "result dns: {} | -";
// A configuration that ADD refuses is no hindrance for our DEL.
const char* const kDelRefused = "result: refused | ok";

class LinkDifferential : public ::testing::TestWithParam<Case> {
 protected:
  static Differential::Lines lines_of(const char* type, const Case& each,
                                      bool leaks_of_refusals = false) {
    Differential differential;
    differential.leaks_of_refusals = leaks_of_refusals;
    differential.config = Json::parse(R"({
      "cniVersion": "0.4.0", "name": "net", "master": "up0", "vlanId": 7,
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
    })");
    differential.config["type"] = type;
    differential.config.merge_patch(Json::parse(each.config));
    differential.prepare = [](const Container&, Json&) {
      tool({"ip", "link", "add", "up0", "address", "02:00:00:00:00:10", "mtu", "1450", "up", "type",
            "veth", "peer", "name", "far"});
      tool({"ip", "link", "set", "far", "up"});
      tool({"ip", "route", "add", "default", "dev", "up0"});
    };
    return differential.run();
  }
  static std::vector<std::string> with(std::vector<std::string> known,
                                       const std::vector<std::string>& more) {
    known.insert(known.end(), more.begin(), more.end());
    return known;
  }
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }

class IpvlanDifferential : public LinkDifferential {};

TEST_P(IpvlanDifferential, IsWhatTheReadmeSays) {
  const Differential::Lines lines = lines_of("ipvlan", GetParam());
  EXPECT_THAT(lines.add, UnorderedElementsAreArray(with({kQueue, kNoDad}, GetParam().more)));
  EXPECT_THAT(lines.del, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, IpvlanDifferential,
    ::testing::Values(Case{"smaller", R"({"mode": "l2", "mtu": 1400})"},
                      Case{"l3", R"({"mode": "l3"})"}, Case{"l3s", R"({"mode": "l3s"})"},
                      Case{"empty_mode", R"({"mode": "", "cniVersion": "0.2.0"})"},
                      Case{"default_route", R"({"master": null})"},
                      Case{"long_packets", R"({"mtu": 1500})"},
                      Case{"version_1_0_0", R"({"cniVersion": "1.0.0"})", {kDns}},
                      Case{"dns", R"({"dns": {"nameservers": ["192.0.2.53"]}})"},
                      Case{"chained", R"({"master": null, "ipam": null, "prevResult": {
                           "cniVersion": "0.4.0", "interfaces": [{"name": "up0"}],
                           "ips": [{"version": "4", "address": "10.1.2.77/24",
                                    "gateway": "10.1.2.1", "interface": 0}],
                           "routes": [{"dst": "10.9.0.0/16"}]}})"}),
    name_of);

class VlanDifferential : public LinkDifferential {};

TEST_P(VlanDifferential, IsWhatTheReadmeSays) {
  const Differential::Lines lines = lines_of("vlan", GetParam());
  EXPECT_THAT(lines.add,
              UnorderedElementsAreArray(with({kQueue, kNoDad, kAnnounced}, GetParam().more)));
  EXPECT_THAT(lines.del, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, VlanDifferential,
    ::testing::Values(Case{"no_vlan", R"({"vlanId": null})"},
                      Case{"vlan_4094", R"({"vlanId": 4094, "cniVersion": "0.2.0"})"},
                      Case{"smaller", R"({"mtu": 1400})"},
                      Case{"mtu_of_the_parent", R"({"mtu": 1450})"},
                      Case{"version_1_0_0", R"({"cniVersion": "1.0.0"})", {kDns}},
                      Case{"dns", R"({"dns": {"nameservers": ["192.0.2.53"]}})"},
                      Case{"routes", R"({"ipam": {"routes": [
                           {"dst": "10.9.0.0/16"}, {"dst": "10.8.0.0/16", "gw": "10.1.2.7"}]}})"}),
    name_of);

class VlanRefusals : public LinkDifferential {};

TEST_P(VlanRefusals, AreTheSame) {
  const Differential::Lines lines = lines_of("vlan", GetParam());
  EXPECT_THAT(lines.add, IsEmpty());
  EXPECT_THAT(lines.del, UnorderedElementsAreArray(GetParam().more));
}

INSTANTIATE_TEST_SUITE_P(All, VlanRefusals,
                         ::testing::Values(Case{"vlan_4095", R"({"vlanId": 4095})", {kDelRefused}},
                                           Case{"mtu_beyond", R"({"mtu": 1451})", {kDelRefused}},
                                           Case{"no_master", R"({"master": null})", {kDelRefused}}),
                         name_of);

// Where the reference fails it leaves the link.
class LinkLeaks : public LinkDifferential {};

TEST_P(LinkLeaks, OfTheReferenceAreNoneOfOurs) {
  const std::string type = GetParam().name;
  const Differential::Lines lines = lines_of(type.c_str(), GetParam(), true);
  EXPECT_THAT(lines.add, Contains("container link eth0 kind: " + type + " | -"));
  EXPECT_THAT(lines.add, Not(Contains(StartsWith("result"))));
}

INSTANTIATE_TEST_SUITE_P(All, LinkLeaks,
                         ::testing::Values(Case{"ipvlan", R"({"ipam": null})"},
                                           Case{"vlan", R"({"ipam": {"subnet": "10.1.2.1/24"}})"}),
                         name_of);

}  // namespace
}  // namespace unicni::test::link_differential_test
