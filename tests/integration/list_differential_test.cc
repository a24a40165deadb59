// Whole lists beside Debian's, plugin by plugin as a runtime runs them: two members of one type,
// and chained plugins at versions whose results name no interface. What differs stands in each
// module's README, "Differences from the reference", or is said here.
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

#include "integration/differential.h"

namespace unicni::test::list_differential_test {
namespace {

using Known = std::vector<std::string>;

Known operator+(Known one, const Known& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

/// The lines that match none of the known differences.
std::string unknown(const std::vector<std::string>& lines, const Known& known) {
  std::string text;
  for (const std::string& line : lines) {
    const auto matches = [&](const std::string& each) {
      return std::regex_search(line, std::regex(each));
    };
    if (std::none_of(known.begin(), known.end(), matches)) text += line + '\n';
  }
  return text;
}

/// Differences that there may be after ADD, in what CHECK says, and after DEL.
struct Differences {
  Known add = {};
  Known check = {};
  Known del = {};
};

// The reference's bridge knows no aliases, its veths have no queue, and 1.1.1 prints an empty
// "dns".
const Differences kBridge{
    {"^container link eth0 txqlen: - \\| 1000$",
     "^host link (cni0|veth1) ifalias: - \\| (unicni|mynet/c1/eth0)$",
     "^host link veth1 txqlen: - \\| 1000$", "^host sysctl ipv6/conf/veth1/disable_ipv6: 0 \\| 1$",
     "^result dns: \\{\\} \\| -$"},
    {},
    {"^host link cni0 ifalias: - \\| unicni$"}};

// The file names its attachment, and of each attribute it has the first member's original. The MAC
// there is random where the bridge's plugin made the interface.
const Known kFile{R"(^file /run/cni/tuning/c1_eth0.json: \{[^|]* \| \{[^|]*"network": "mynet",)"};

// Debian's tuning looks for .../conf/IFNAME on CHECK.
const Known kIfname{"^CHECK of member [01], tuning: refused \\| ok$"};

// And takes the other's promiscuous mode for a fault.
const Known kPromiscuous{"^CHECK of member 0, tuning: refused \\| ok$"};

// Its portmap looks for the chain in ip6tables as well, though the container has no IPv6.
const Known kPortCheck{"^CHECK of member [12], portmap: refused \\| ok$"};

// "route_localnet" goes with the last port.
const Known kLocalnet{"^host sysctl ipv4/conf/cni0/route_localnet: 1 \\| 0$"};

// "what attachments share" goes with the last one.
const Known kShared{"^host iptables (filter|nat) -(N|A) .*: [0-9 ]+ \\| -$"};

/// A list whose first member is the bridge.
void expect_same_behind_bridge(const char* chain, const Differences& known,
                               const std::string& version = "1.0.0") {
  SCOPED_TRACE(version + ' ' + chain);
  Differential differential;
  differential.config = Json::parse(R"({"name": "mynet", "type": "bridge", "bridge": "cni0",
    "isGateway": true, "hairpinMode": true,
    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}})");
  differential.config["cniVersion"] = version;
  for (const Json& plugin : Json::parse(chain)) differential.chain.push_back(plugin);
  // Both make tables, base chains and policies when they first write.
  differential.prepare = [](const Container&, Json&) {
    for (const char* table : {"nat", "filter"}) tool({"iptables", "-t", table, "-S"});
    for (const char* table : {"nat", "filter"}) tool({"ip6tables", "-t", table, "-S"});
  };
  differential.iptables = true;
  const Differential::Lines lines = differential.run();
  EXPECT_EQ(unknown(lines.add, kBridge.add + known.add), "");
  EXPECT_EQ(unknown(lines.check, known.check), "");
  EXPECT_EQ(unknown(lines.del, kBridge.del + known.del), "");
}

/// A veth of some other maker, which is there before the first member's ADD and stays after its
/// DEL: what each member gives back shows.
void make_veth(const Container& container, Json& config) {
  tool({"ip", "link", "add", "vhost0", "address", "02:00:00:00:01:00", "type", "veth", "peer",
        "name", "eth0", "address", "02:00:00:00:01:01", "netns", container.name()});
  tool({"ip", "link", "set", "vhost0", "up"});
  container.run({"ip", "link", "set", "eth0", "up"});
  container.run({"ip", "addr", "add", "10.1.2.3/24", "dev", "eth0"});
  container.run({"ip", "route", "add", "default", "via", "10.1.2.1"});
  config["prevResult"] = {
      {"cniVersion", config["cniVersion"]},
      {"interfaces",
       {{{"name", "vhost0"}, {"mac", "02:00:00:00:01:00"}},
        {{"name", "eth0"}, {"mac", "02:00:00:00:01:01"}, {"sandbox", container.path()}}}},
      {"ips", {{{"address", "10.1.2.3/24"}, {"gateway", "10.1.2.1"}, {"interface", 1}}}},
      {"routes", {{{"dst", "0.0.0.0/0"}}}}};
}

struct VethCase {
  const char* chain;
  Differences known;
};

void expect_same_behind_veth(const VethCase& tested) {
  SCOPED_TRACE(tested.chain);
  Differential differential;
  for (const Json& plugin : Json::parse(tested.chain)) differential.chain.push_back(plugin);
  differential.config = differential.chain.front();
  differential.config.update({{"cniVersion", "1.0.0"}, {"name", "mynet"}});
  differential.chain.erase(differential.chain.begin());
  differential.prepare = make_veth;
  const Differential::Lines lines = differential.run();
  EXPECT_EQ(unknown(lines.add, Known{"^result dns: \\{\\} \\| -$"} + tested.known.add), "");
  EXPECT_EQ(unknown(lines.check, tested.known.check), "");
  EXPECT_EQ(unknown(lines.del, tested.known.del), "");
}

TEST(ListDifferential, TwoMembersOfATypeDoWhatTheReferencesDoAndAreUndone) {
  // The reference takes what the first member set for the originals, and with sysctls it gives
  // nothing back.
  const Differences mtu{
      kFile, {}, {"^container (link|sysctl ipv6/conf/)[ ]?eth0[ /]mtu: 1400 \\| 1500$"}};
  const Differences mac{
      kFile,
      {},
      {"^container link eth0 (ALLMULTI: on \\| -|address: c2:.* \\| 02:00:00:00:01:01)$"}};
  const Differences sysctl{
      {}, kIfname, {"^container sysctl ipv4/conf/eth0/arp_(filter: 1|ignore: 2) \\| 0$"}};
  // It leaves qdiscs on a link that stays.
  const Differences limits{
      {"^host link bwp[0-9a-f]{12} ifalias: - \\| mynet/c1/eth0$",
       "^host sysctl ipv6/conf/bwp[0-9a-f]{12}/disable_ipv6: 0 \\| 1$",
       "^host filter vhost0 (action order 2: mirred .* pass|index 2 ref 1 bind "
       "1): yes \\| -$"},
      {},
      {"^host (qdisc|filter) vhost0 .*: yes \\| -$", "^host link vhost0 qdisc: tbf \\| noqueue$"}};
  // Its second sbr fails over the first one's routes, and leaves them.
  const Differences sbr{{"^result: refused \\| ok$"},
                        {"^CHECK of member [012], (sbr|tuning): - \\| ok$"},
                        {"^result: refused \\| ok$"}};
  const VethCase cases[] = {
      {R"([{"type": "tuning", "mtu": 1400}, {"type": "tuning", "promisc": true}])",
       {mtu.add, kPromiscuous, mtu.del}},
      {R"([{"type": "tuning", "mtu": 1400}, {"type": "tuning", "mtu": 1300}])", mtu},
      {R"([{"type": "tuning", "mtu": 1400}, {"type": "tuning", "mtu": 1400}])", mtu},
      {R"([{"type": "tuning", "mac": "c2:11:22:33:44:55"},
           {"type": "tuning", "allmulti": true}, {"type": "tuning", "mtu": 1300}])",
       mac},
      {R"([{"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
           {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_ignore": "2"}}])",
       sysctl},
      {R"([{"type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 8000000},
           {"type": "bandwidth", "egressRate": 1000000, "egressBurst": 8000000}])",
       limits},
      {R"([{"type": "sbr"}, {"type": "sbr"}])", sbr},
      {R"([{"type": "sbr"}, {"type": "tuning", "mtu": 1400}, {"type": "sbr"}])", sbr},
      {R"([{"type": "tuning", "mtu": 1400}, {"type": "bandwidth", "ingressRate": 1000000,
            "ingressBurst": 8000000}, {"type": "tuning", "mac": "c2:11:22:33:44:55"}])",
       {kFile + limits.add, {}, mtu.del + limits.del}},
  };
  for (const VethCase& tested : cases) expect_same_behind_veth(tested);
}

TEST(ListDifferential, TwoMembersOfATypeHaveTheReferencesRules) {
  for (
      const char* chain : {
          R"([{"type": "firewall", "backend": "iptables"}, {"type": "firewall", "backend": "iptables"}])",
          R"([{"type": "firewall", "backend": "iptables"},
               {"type": "firewall", "backend": "iptables", "iptablesAdminChainName": "MY-ADMIN"}])",
      }) {
    expect_same_behind_bridge(chain, {{}, {}, kShared});
  }
  const std::string ports = R"("runtimeConfig": {"portMappings": [
    {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}})";
  const std::string portmap = R"({"type": "portmap", "backend": "iptables", )";
  for (const std::string& second : {std::string(), std::string("\"markMasqBit\": 5, ")}) {
    const std::string chain = "[" + portmap + ports + ", " + portmap + second + ports + "]";
    expect_same_behind_bridge(chain.c_str(), {{}, kPortCheck, kShared + kLocalnet});
  }
}

TEST(ListDifferential, VersionsWithoutInterfacesAreTheReferences) {
  const std::string portmap = R"({"type": "portmap", "backend": "iptables", "runtimeConfig":
    {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}})";
  const std::string tuning = R"({"type": "tuning", "mtu": 1400, "mac": "c2:11:22:33:44:55"})";
  for (const char* version : {"0.1.0", "0.2.0"}) {
    for (const std::string& chain :
         {"[" + tuning + "]", "[" + portmap + "]", "[" + portmap + ", " + tuning + "]",
          "[" + portmap + R"(, {"type": "sbr"}, )" + tuning + "]"}) {
      expect_same_behind_bridge(chain.c_str(), {kFile, {}, kShared + kLocalnet}, version);
    }
    // Its firewall knows no version before 0.4.0, its bandwidth none before 0.3.0.
    for (const char* chain :
         {R"([{"type": "firewall", "backend": "iptables"}])",
          R"([{"type": "bandwidth", "ingressRate": 1000000, "ingressBurst": 8000000}])"}) {
      const Known refused{"^result: refused \\| ok$"};
      expect_same_behind_bridge(chain, {refused, {}, refused}, version);
    }
  }
}

}  // namespace
}  // namespace unicni::test::list_differential_test
