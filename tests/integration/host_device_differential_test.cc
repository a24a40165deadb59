// The same netconf through Debian's host-device and ours. modules/host-device/README.md lists what
// differs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/differential.h"

namespace unicni::test::host_device_differential_test {
namespace {

using ::testing::ElementsAreArray;

using Lines = std::vector<std::string>;

/// What each configuration changes of the list of differences.
enum Trait : unsigned { plain = 0, with_ips = 1, with_v6 = 2, empty_dns = 4, refused = 8 };

struct Case {
  const char* name;
  unsigned traits;
  const char* config;
};

Lines differences_of_add(unsigned traits) {
  Lines lines;
  if ((traits & with_v6) != 0)
    lines.push_back("container addr eth0 fd00:1:2::2/64 nodad: - | true");
  if ((traits & with_ips) != 0) {
    lines.push_back("container sysctl ipv4/conf/eth0/arp_notify: 0 | 1");
    lines.push_back("container sysctl ipv6/conf/eth0/accept_dad: 1 | 0");
  }
  if ((traits & with_v6) != 0) {
    lines.push_back("container sysctl ipv6/conf/eth0/keep_addr_on_down: 0 | 1");
    lines.push_back("container sysctl ipv6/conf/eth0/ndisc_notify: 0 | 1");
  }
  if ((traits & empty_dns) != 0) lines.push_back("result dns: {} | -");
  return lines;
}

Lines differences_of_del(unsigned traits) {
  if ((traits & refused) != 0) return {"result: refused | ok"};
  return {"host link h0 ifalias: h0 | -"};
}

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

/// A device that is down and has no alias, so that coming home is the same on both sides.
void make_device(const Container&, Json&) {
  tool({"ip", "link", "add", "h0", "type", "veth", "peer", "name", "far0"});
  tool({"ip", "link", "set", "h0", "address", "02:00:00:00:00:11", "mtu", "1400"});
  tool({"ip", "link", "set", "far0", "address", "02:00:00:00:00:12", "up"});
}

class HostDeviceDifferential : public ::testing::TestWithParam<Case> {};

TEST_P(HostDeviceDifferential, IsAsTheReadmeSays) {
  Json config = Json::parse(GetParam().config);
  if (!config.contains("cniVersion")) config["cniVersion"] = "1.0.0";
  config["name"] = "net";
  config["type"] = "host-device";
  // Both names of its MACs are the same on both sides.
  config["x-macs"] = {"02:00:00:00:00:11", "02:00:00:00:00:12"};
  const auto lines = Differential{.config = config, .prepare = &make_device}.run();
  EXPECT_THAT(lines.add, ElementsAreArray(differences_of_add(GetParam().traits)));
  EXPECT_THAT(lines.del, ElementsAreArray(differences_of_del(GetParam().traits)));
}

const Case kCases[] = {
    {"Device", empty_dns, R"({"device": "h0"})"},
    {"Hwaddr", empty_dns, R"({"hwaddr": "02:00:00:00:00:11"})"},
    {"Version031", plain, R"({"device": "h0", "cniVersion": "0.3.1"})"},
    {"Version040WithIpam", with_ips, R"({"device": "h0", "cniVersion": "0.4.0",
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}})"},
    {"Version020WithIpam", with_ips, R"({"device": "h0", "cniVersion": "0.2.0",
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}})"},
    {"Ipv4WithRoutes", with_ips | empty_dns,
     R"({"device": "h0", "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
      "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.9.0.0/16", "gw": "10.1.2.9"}]}})"},
    {"Ipv6", with_ips | with_v6 | empty_dns,
     R"({"device": "h0", "ipam": {"type": "host-local", "subnet": "fd00:1:2::/64",
      "routes": [{"dst": "::/0"}]}})"},
    {"DualStack", with_ips | with_v6 | empty_dns, R"({"device": "h0", "ipam": {"type": "host-local",
      "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]],
      "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}})"},
    {"Static", with_ips | empty_dns, R"({"device": "h0", "ipam": {"type": "static",
      "addresses": [{"address": "10.1.2.3/31"}, {"address": "10.1.3.3/24", "gateway": "10.1.3.1"}]}})"},
    {"Dns", with_ips,
     R"({"device": "h0", "dns": {"nameservers": ["10.1.2.1"], "search": ["example.net"]},
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}})"},
    {"MissingDevice", refused, R"({"device": "h7"})"},
    {"NoDevice", refused, R"({})"},
    {"KernelpathElsewhere", refused, R"({"kernelpath": "/etc"})"},
    {"PciDeviceThatIsMissing", refused, R"({"pciBusID": "ffff:ff:1f.7"})"},
    {"DeviceIdThatIsMissing", refused, R"({"runtimeConfig": {"deviceID": "ffff:ff:1f.7"}})"},
};

INSTANTIATE_TEST_SUITE_P(All, HostDeviceDifferential, ::testing::ValuesIn(kCases),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace unicni::test::host_device_differential_test
