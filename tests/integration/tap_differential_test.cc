// tap beside what the reference is documented to do (Debian's 1.1.1 has no tap): the same end state
// but for what modules/tap/README.md lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/reference_model.h"

namespace unicni::test::tap_differential_test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

using Lines = std::vector<std::string>;

Json tap(const std::string& changes) {
  Json config = Json::parse(R"({
    "cniVersion": "1.0.0", "name": "net", "type": "tap",
    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
  })");
  config.merge_patch(Json::parse(changes));
  return config;
}

/// The way by `ip tuntap`, which is taken unless both owner and group are set.
Json reference_tap(const Attachment& job, const Container& container) {
  const Json& config = job.config;
  const std::string& name = job.if_name;
  if (config.contains("bridge") && !container.succeeds({"ip", "link", "show", config["bridge"]})) {
    return nullptr;
  }
  Json result = model_ipam(job);
  std::vector<std::string> add{"ip", "tuntap", "add", "mode", "tap", "name", name};
  if (config.value("multiQueue", false)) add.emplace_back("multi_queue");
  for (const auto& [key, word] : {std::pair("owner", "user"), std::pair("group", "group")}) {
    if (config.contains(key)) add.insert(add.end(), {word, config[key].dump()});
  }
  container.run(add);
  std::string mac = config.value("mac", "");
  const auto args = job.env.find("CNI_ARGS");
  if (args != job.env.end()) mac = args->second.substr(args->second.find("MAC=") + 4);
  mac = config.value("runtimeConfig", Json::object()).value("mac", mac);
  if (!mac.empty()) container.run({"ip", "link", "set", name, "address", mac});
  if (config.contains("mtu"))
    container.run({"ip", "link", "set", name, "mtu", config["mtu"].dump()});
  if (config.contains("bridge")) {
    container.run({"ip", "link", "set", name, "master", config["bridge"]});
  }
  if (result.contains("ips")) {
    container.run({"sysctl", "-qw", "net.ipv4.conf." + name + ".arp_notify=1"});
  }
  model_configure(job, container, result);
  result.erase("dns");
  if (config.contains("dns")) result["dns"] = config["dns"];
  return model_result(job, container, result);
}

const Lines kLayer3 = {"container sysctl ipv6/conf/eth0/accept_dad: 1 | 0"};
/// IPv6 addresses are usable at once, and announced when the link goes UP again. The reference's
/// are tentative until a program attaches.
const Lines kIpv6 = {"container addr eth0 fd00:1:2::2/64 nodad: - | true",
                     "container route -6 local fd00:1:2::2 dev eth0 table local proto kernel "
                     "scope global metric 0: - | yes",
                     "container sysctl ipv6/conf/eth0/accept_dad: 1 | 0",
                     "container sysctl ipv6/conf/eth0/ndisc_notify: 0 | 1"};

void expect_differences(Differential differential, const Lines& wanted) {
  differential.model = reference_tap;
  const Differential::Lines found = differential.run();
  EXPECT_THAT(found.add, UnorderedElementsAreArray(wanted));
  EXPECT_THAT(found.del, IsEmpty());
}

void make_bridge(const Container& container, Json&) {
  container.run({"ip", "link", "add", "br0", "address", "02:00:00:00:00:0b", "type", "bridge"});
  container.run({"ip", "link", "set", "br0", "up"});
}

TEST(TapDifferential, Plain) { expect_differences({.config = tap("{}")}, kLayer3); }

TEST(TapDifferential, Layer2) { expect_differences({.config = tap(R"({"ipam": null})")}, {}); }

TEST(TapDifferential, Ipv6Only) {
  expect_differences(
      {.config = tap(R"({"ipam": {"subnet": "fd00:1:2::/64", "routes": [{"dst": "::/0"}]}})")},
      kIpv6);
}

TEST(TapDifferential, DualStack) {
  expect_differences(
      {.config = tap(R"({"ipam": {"subnet": null, "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
         "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}})")},
      kIpv6);
}

TEST(TapDifferential, MtuAndMac) {
  expect_differences({.config = tap(R"({"mtu": 1400, "mac": "02:00:00:00:00:01"})")}, kLayer3);
}

TEST(TapDifferential, MacOfCniArgs) {
  expect_differences({.config = tap(R"({"mac": "02:00:00:00:00:01"})"),
                      .env = {{"CNI_ARGS", "IgnoreUnknown=1;MAC=02:00:00:00:00:02"}}},
                     kLayer3);
}

TEST(TapDifferential, MacOfTheRuntime) {
  expect_differences({.config = tap(R"({"mac": "02:00:00:00:00:01",
                                        "runtimeConfig": {"mac": "02:00:00:00:00:03"}})"),
                      .env = {{"CNI_ARGS", "IgnoreUnknown=1;MAC=02:00:00:00:00:02"}}},
                     kLayer3);
}

TEST(TapDifferential, SeveralQueues) {
  expect_differences({.config = tap(R"({"multiQueue": true})")}, kLayer3);
}

TEST(TapDifferential, Owner) { expect_differences({.config = tap(R"({"owner": 1000})")}, kLayer3); }

TEST(TapDifferential, Group) { expect_differences({.config = tap(R"({"group": 0})")}, kLayer3); }

TEST(TapDifferential, BridgeInTheContainer) {
  expect_differences(
      {.config = tap(R"({"ipam": null, "bridge": "br0", "mac": "02:00:00:00:00:01"})"),
       .prepare = make_bridge},
      {});
}

TEST(TapDifferential, MissingBridge) {
  expect_differences({.config = tap(R"({"bridge": "br0"})")}, {});
}

TEST(TapDifferential, DnsOfTheConfiguration) {
  expect_differences({.config = tap(R"({"dns": {"nameservers": ["10.0.0.53"]}})")}, kLayer3);
}

TEST(TapDifferential, RoutesWithMetricTableAndGateway) {
  expect_differences({.config = tap(R"({"ipam": {"type": "static", "subnet": null,
      "addresses": [{"address": "10.1.2.5/24", "gateway": "10.1.2.1"}],
      "routes": [{"dst": "192.168.0.0/16", "gw": "10.1.2.9"}, {"dst": "172.16.0.0/12"}]}})")},
                     kLayer3);
}

TEST(TapDifferential, DnsOfIpamIsKept) {
  Differential differential{.config = tap(R"({"ipam": {"resolvConf": "/run/resolv.conf"}})")};
  differential.prepare = [](const Container&, Json&) {
    write_file("/run/resolv.conf", "nameserver 192.0.2.53\n");
  };
  expect_differences(differential, {"container sysctl ipv6/conf/eth0/accept_dad: 1 | 0",
                                    "result dns nameservers 0: - | 192.0.2.53"});
}

}  // namespace
}  // namespace unicni::test::tap_differential_test
