// bandwidth, tuning and sbr beside Debian's: the same veth, the same prevResult, the same
// configuration. What differs stands in each module's README, "Differences from the reference".
#include <gmock/gmock.h>

#include <regex>

#include "integration/differential.h"

namespace unicni::test::chained_differential_test {
namespace {

using ::testing::IsEmpty;

/// The result of versions before 0.3.0, which know no interfaces.
Json old_result(const std::string& version) {
  Json prev = Json::parse(R"({"ip4": {"ip": "10.1.2.3/24", "gateway": "10.1.2.1",
                                       "routes": [{"dst": "0.0.0.0/0"}]},
                               "ip6": {"ip": "fd00:1::3/64", "gateway": "fd00:1::1"},
                               "dns": {}})");
  prev["cniVersion"] = version;
  return prev;
}

/// eth0 with both families and a gateway each; its other end on the host is vhost0. Of the
/// configuration "run" are commands in the container, "ips" those of prevResult instead, and
/// "interfaces" its interfaces instead ("here" as a sandbox is the container's).
void make_interface(const Container& container, Json& config) {
  tool({"ip", "link", "add", "vhost0", "address", "02:00:00:00:01:00", "type", "veth", "peer",
        "name", "eth0", "address", "02:00:00:00:01:01", "netns", container.name()});
  tool({"ip", "link", "set", "vhost0", "up"});
  container.run({"ip", "link", "set", "eth0", "up"});
  container.run({"ip", "addr", "add", "10.1.2.3/24", "dev", "eth0"});
  container.run({"ip", "addr", "add", "fd00:1::3/64", "dev", "eth0", "nodad"});
  container.run({"ip", "route", "add", "default", "via", "10.1.2.1"});
  container.run({"ip", "route", "add", "10.9.0.0/16", "via", "10.1.2.9"});
  container.run({"ip", "-6", "route", "add", "default", "via", "fd00:1::1"});
  Json prev = Json::parse(R"({
    "interfaces": [{"name": "vhost0", "mac": "02:00:00:00:01:00"},
                   {"name": "eth0", "mac": "02:00:00:00:01:01", "sandbox": ""}],
    "ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1},
            {"address": "fd00:1::3/64", "gateway": "fd00:1::1", "interface": 1}],
    "routes": [{"dst": "0.0.0.0/0"}]})");
  prev["interfaces"][1]["sandbox"] = container.path();
  prev["cniVersion"] = config["cniVersion"];
  if (config["cniVersion"] < "1") {
    prev["ips"][0]["version"] = "4";
    prev["ips"][1]["version"] = "6";
  }
  if (config.contains("ips")) prev["ips"] = config["ips"];
  if (config.contains("interfaces")) prev["interfaces"] = config["interfaces"];
  for (Json& each : prev["interfaces"]) {
    if (each.value("sandbox", "") == "here") each["sandbox"] = container.path();
  }
  if (config["cniVersion"] < "0.3") prev = old_result(config["cniVersion"]);
  for (const Json& command : config.value("run", Json::array())) {
    container.run(command.get<std::vector<std::string>>());
  }
  for (const char* key : {"ips", "interfaces", "run"}) config.erase(key);
  config["prevResult"] = prev;
}

Differential chained(const std::string& config, const std::string& version = "1.0.0") {
  Differential differential;
  differential.config = Json::parse(config);
  differential.config["cniVersion"] = version;
  differential.config["name"] = "mynet";
  differential.prepare = make_interface;
  return differential;
}

/// What is left of `lines` when those that match one of the known differences are gone.
std::vector<std::string> unknown(std::vector<std::string> lines,
                                 const std::vector<std::string>& known) {
  std::erase_if(lines, [&](const std::string& line) {
    for (const std::string& each : known) {
      if (std::regex_search(line, std::regex(each))) return true;
    }
    return false;
  });
  return lines;
}

void expect_same(const Differential& differential, const std::vector<std::string>& known_add,
                 const std::vector<std::string>& known_del) {
  SCOPED_TRACE(differential.config.dump());
  const Differential::Lines lines = differential.run();
  EXPECT_THAT(unknown(lines.add, known_add), IsEmpty());
  EXPECT_THAT(unknown(lines.del, known_del), IsEmpty());
}

// 1.1.1 prints an empty "dns" at 1.0.0; later versions don't.
const char* const kEmptyDns = "^result dns: \\{\\} \\| -$";

const std::vector<std::string> kBandwidthAdd = {
    kEmptyDns, "^host link bwp[0-9a-f]{12} ifalias: - \\| mynet/c1/eth0$",
    // no routes of its own, which the kernel would walk for all others
    "^host sysctl ipv6/conf/bwp[0-9a-f]{12}/disable_ipv6: 0 \\| 1$",
    "^host filter vhost0 (action order 2: mirred .* pass|index 2 ref 1 bind 1): yes \\| -$"};
const std::vector<std::string> kBandwidthDel = {
    "^host (qdisc|filter) vhost0 .*: yes \\| -$", "^host link vhost0 qdisc: tbf \\| noqueue$",
    "^result: refused \\| ok$"};  // DEL of what ADD refused

const std::vector<std::string> kTuningAdd = {
    kEmptyDns,
    // names its attachment
    R"(^file /run/cni/[a-z]+/c1_eth0.json: \{[^|]* \| \{[^|]*"network": "mynet",)",
    // refused by us before anything is written
    R"(^file /run/cni/tuning/c1_eth0.json: \{[^|]* \| -$)"};
const std::vector<std::string> kTuningDel = {
    "^container sysctl ipv4/conf/(eth0/arp_filter|eth0/arp_ignore|all/log_martians): [12] \\| 0$",
    "^result: refused \\| ok$", R"(^file /run/cni/tuning/c1_eth0.json: \{[^|]* \| -$)"};

const std::vector<std::string> kSbrAdd = {
    kEmptyDns,
    // IPv6 routes in the table of an IPv4 address, where nothing looks for them
    "^container route -6 unicast (fd00:1::/64|default via fd00:1::1) dev eth0 table 10[0-9] .*: "
    "yes \\| -$",
    // and away from the main table, though IPv6 has no address in the result
    "^container route -6 unicast (fd00:1::/64|default via fd00:1::1) dev eth0 table main .*: - "
    "\\| yes$"};
const std::vector<std::string> kSbrDel = {
    "^container route -[46] unicast .* dev eth0 table 10[0-9] .*: yes \\| -$",
    "^container route -[46] unicast .* dev eth0 table main .*: - \\| yes$"};

TEST(BandwidthDifferential, IsTheReferences) {
  for (
      const char* limits : {
          R"("ingressRate": 1000000, "ingressBurst": 8000000)",
          R"("egressRate": 1000000, "egressBurst": 8000000)",
          R"("ingressRate": 8, "ingressBurst": 8, "egressRate": 16, "egressBurst": 8)",
          R"("ingressRate": 10000000, "ingressBurst": 1000000, "egressRate": 5000000, "egressBurst": 900000)",
          R"("ingressRate": 0, "ingressBurst": 0, "egressRate": 0, "egressBurst": 0)",
          R"("ingressRate": 100000000000, "ingressBurst": 8000000000)",
          R"("egressBurst": 1000)",
          R"("ingressRate": 1000, "ingressBurst": 34359738360)",
          R"("runtimeConfig": {"bandwidth": {"IngressRate": 2000000, "ingressBurst": 80000, "egressRate": 1000000, "EGRESSBURST": 80000}})",
          R"("ingressRate": 0, "runtimeConfig": {"bandwidth": {"ingressRate": 2000000, "ingressBurst": 80000}})",
      }) {
    expect_same(chained(std::string(R"({"type": "bandwidth", )") + limits + "}"), kBandwidthAdd,
                kBandwidthDel);
  }
  expect_same(
      chained(R"({"type": "bandwidth", "egressRate": 1000000, "egressBurst": 80000})", "0.3.1"),
      kBandwidthAdd, kBandwidthDel);
  // "a rate without burst"
  expect_same(chained(R"({"type": "bandwidth", "ingressRate": 1000})"),
              {"^result: refused \\| ok$"}, kBandwidthDel);
}

TEST(TuningDifferential, IsTheReferences) {
  for (
      const char* settings : {
          R"("mtu": 1400)",
          R"("mac": "c2:11:22:33:44:55")",
          R"("mac": "C2:11:22:33:44:55")",
          R"("promisc": true)",
          R"("allmulti": true)",
          R"("allmulti": false)",
          R"("mtu": 1300, "mac": "c2:11:22:33:44:55", "promisc": true, "allmulti": true)",
          R"("sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1", "net/ipv4/conf/IFNAME/arp_ignore": "2"})",
          R"("sysctl": {"net.ipv4.conf.all.log_martians": "1"}, "mtu": 1450)",
          R"("sysctl": {"kernel.shmmax": "1"})",
          R"("sysctl": {"net.ipv4.no_such_thing": "1"})",
          R"("mac": "c2:11:22:33")",
          R"("mac": "02:00:00:00:00:01", "runtimeConfig": {"mac": "02:00:00:00:00:02"})",
          R"("runtimeConfig": {"mac": "02:00:00:00:00:02"}, "args": {"cni": {"mac": "02:00:00:00:00:03", "mtu": 1444}})",
          R"("dataDir": "/run/cni/elsewhere", "mtu": 1350)",
      }) {
    expect_same(chained(std::string(R"({"type": "tuning", )") + settings + "}"), kTuningAdd,
                kTuningDel);
  }
  expect_same(chained(R"({"type": "tuning", "mtu": 1400, "mac": "c2:11:22:33:44:55"})", "0.4.0"),
              kTuningAdd, kTuningDel);
}

TEST(SbrDifferential, IsTheReferences) {
  for (const char* options : {
           R"("x": "both families")",
           R"("run": [["ip", "route", "del", "10.9.0.0/16"]])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1}],
              "run": [["ip", "-6", "addr", "flush", "dev", "eth0", "scope", "global"],
                      ["ip", "-6", "route", "del", "default"]])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1}])",
           R"("ips": [{"address": "10.1.2.3/24", "interface": 1}])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1"}])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 9}])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1},
                      {"address": "10.1.2.4/24", "gateway": "10.1.2.1", "interface": 1}],
              "run": [["ip", "addr", "add", "10.1.2.4/24", "dev", "eth0"]])",
           R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 1},
                      {"address": "172.16.5.4/20", "gateway": "172.16.0.1", "interface": 1}],
              "run": [["ip", "addr", "add", "172.16.5.4/20", "dev", "eth0"],
                      ["ip", "route", "add", "10.10.0.0/16", "via", "172.16.0.9"]])",
           R"("run": [["ip", "rule", "add", "from", "192.0.2.1", "lookup", "100"],
                      ["ip", "rule", "add", "from", "192.0.2.2", "lookup", "102"]])",
           R"("ips": [])",
       }) {
    expect_same(chained(std::string(R"({"type": "sbr", )") + options + "}"), kSbrAdd, kSbrDel);
  }
}

// Results of versions whose layout has no interfaces: what a plugin needs to know of them it must
// ask the kernel.
TEST(ChainedDifferential, VersionsWithoutInterfacesAreTheReferences) {
  for (const char* version : {"0.1.0", "0.2.0"}) {
    SCOPED_TRACE(version);
    expect_same(chained(R"({"type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 8000000})",
                        version),
                kBandwidthAdd, kBandwidthDel);
    expect_same(chained(R"({"type": "tuning", "mtu": 1400, "mac": "c2:11:22:33:44:55"})", version),
                kTuningAdd, kTuningDel);
    expect_same(chained(R"({"type": "sbr"})", version), kSbrAdd, kSbrDel);
  }
}

// What other makers' main plugins say of the host's side: nothing, more than one link, a wrong one.
TEST(ChainedDifferential, ForeignResultsAreTheReferences) {
  const std::string eth0 = R"({"name": "eth0", "sandbox": "here"})";
  const std::string vhost0 = R"({"name": "vhost0"})";
  const std::string uplink = R"({"name": "up0"})";
  const auto list = [](std::initializer_list<std::string> interfaces) {
    std::string text;
    for (const std::string& each : interfaces) text += (text.empty() ? "" : ", ") + each;
    return "\"interfaces\": [" + text + "], ";
  };
  // The reference's bandwidth needs the peer's name in the list.
  const std::vector<std::string> refused{"^result: refused \\| ok$"};
  // And its tuning tells of the MAC also for an interface of the host with that name.
  std::vector<std::string> tuning = kTuningAdd;
  tuning.push_back("^result interfaces 0 mac: c2:11:22:33:44:55 \\| -$");
  struct Foreign {
    std::string interfaces;
    bool tells;      // of the container's peer
    bool is_second;  // eth0, as "ips" have it
  };
  for (const Foreign& foreign :
       {Foreign{list({eth0}), false, false}, Foreign{list({uplink, eth0}), false, true},
        Foreign{list({uplink, eth0, vhost0}), true, true},
        Foreign{list({vhost0, eth0, uplink}), true, true},
        Foreign{list({R"({"name": "eth0"})", eth0}), false, true}}) {
    const std::string ips =
        foreign.is_second
            ? ""
            : R"("ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 0}], )";
    const std::string given = foreign.interfaces + ips;
    const std::string limits =
        R"("type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 8000000})";
    expect_same(chained("{" + given + limits), foreign.tells ? kBandwidthAdd : refused,
                foreign.tells ? kBandwidthDel : refused);
    expect_same(
        chained("{" + given + R"("type": "tuning", "mtu": 1400, "mac": "c2:11:22:33:44:55"})"),
        tuning, kTuningDel);
    expect_same(chained("{" + given + R"("type": "sbr"})"), kSbrAdd, kSbrDel);
  }
}

}  // namespace
}  // namespace unicni::test::chained_differential_test
