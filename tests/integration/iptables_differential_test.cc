// firewall and portmap with "backend": "iptables" beside Debian's: the same prevResult, the same
// configuration, the same rules. What differs stands in each module's README, "Differences from the
// reference".
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>

#include "integration/differential.h"
#include "integration/port_list.h"

namespace unicni::test::iptables_differential_test {
namespace {

using ::testing::IsEmpty;

/// What other makers' plugins, and older versions, say of the same interface ("here" as a sandbox
/// is the container's): nothing of the host, or not the truth.
const std::map<std::string, std::string> kForeignResults = {
    {"0.1.0", R"({"cniVersion": "0.1.0", "ip4": {"ip": "10.1.2.3/24"}, "dns": {}})"},
    {"0.2.0", R"({"cniVersion": "0.2.0", "ip4": {"ip": "10.1.2.3/24"},
                  "ip6": {"ip": "fd00:1::3/64"}, "dns": {}})"},
    {"weave", R"({"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.1.2.3/24"}],
                  "dns": {}})"},
    {"kube-ovn", R"({"cniVersion": "0.4.0", "interfaces": [{"name": "eth0", "sandbox": "here"}],
                     "ips": [{"version": "4", "address": "10.1.2.3/24"}], "dns": {}})"},
    {"azure", R"({"cniVersion": "0.4.0", "interfaces": [{"name": "eth0"}],
                  "ips": [{"version": "4", "address": "10.1.2.3/24"}], "dns": {}})"},
    {"aws", R"({"cniVersion": "1.0.0",
                "interfaces": [{"name": "vhost0"}, {"name": "eth0", "sandbox": "here"},
                               {"name": "dummy3a52ce78095", "mac": "0", "sandbox": "0"}],
                "ips": [{"address": "10.1.2.3/32", "interface": 1}]})"},
    {"two of the host", R"({"cniVersion": "1.0.0",
        "interfaces": [{"name": "up0"}, {"name": "vhost0"}, {"name": "eth0", "sandbox": "here"}],
        "ips": [{"address": "10.1.2.3/24", "interface": 2}]})"},
    {"another of the host", R"({"cniVersion": "1.0.0",
        "interfaces": [{"name": "lo"}, {"name": "eth0", "sandbox": "here"}],
        "ips": [{"address": "10.1.2.3/24", "interface": 1}]})"},
    {"index -1", R"({"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "here"}],
                     "ips": [{"address": "10.1.2.3/24", "interface": -1}]})"},
    {"index 7", R"({"cniVersion": "1.0.0", "interfaces": [{"name": "eth0", "sandbox": "here"}],
                    "ips": [{"address": "10.1.2.3/24", "interface": 7}]})"}};

/// eth0 on the bridge cni0 of the host. Of the configuration "run" are commands on the host, "ips"
/// the addresses of prevResult, and "result" is one of kForeignResults.
void make_bridge_port(const Container& container, Json& config) {
  tool({"ip", "link", "add", "cni0", "address", "02:00:00:00:02:00", "type", "bridge"});
  tool({"ip", "addr", "add", "10.1.2.1/24", "dev", "cni0"});
  tool({"ip", "addr", "add", "fd00:1::1/64", "dev", "cni0", "nodad"});
  tool({"ip", "link", "add", "vhost0", "address", "02:00:00:00:01:00", "master", "cni0", "type",
        "veth", "peer", "name", "eth0", "address", "02:00:00:00:01:01", "netns", container.name()});
  for (const char* link : {"cni0", "vhost0"}) tool({"ip", "link", "set", link, "up"});
  container.run({"ip", "link", "set", "eth0", "up"});
  // Both make table, base chains and policies when they first write.
  for (const std::string program : {"iptables", "ip6tables"}) {
    for (const std::string table : {"nat", "filter"}) tool({program, "-t", table, "-S"});
  }
  Json prev = Json::parse(R"({
    "cniVersion": "1.0.0",
    "interfaces": [{"name": "cni0", "mac": "02:00:00:00:02:00"},
                   {"name": "vhost0", "mac": "02:00:00:00:01:00"},
                   {"name": "eth0", "mac": "02:00:00:00:01:01", "sandbox": ""}]})");
  prev["interfaces"][2]["sandbox"] = container.path();
  prev["ips"] = Json::array();
  for (const Json& address : config.value("ips", Json::parse(R"(["10.1.2.3/24"])"))) {
    prev["ips"].push_back({{"address", address}, {"interface", 2}});
    container.run({"ip", "addr", "replace", address, "dev", "eth0"});
  }
  for (const Json& command : config.value("run", Json::array())) {
    tool(command.get<std::vector<std::string>>());
  }
  if (config.contains("result")) prev = Json::parse(kForeignResults.at(config["result"]));
  if (prev.contains("interfaces")) {
    for (Json& each : prev["interfaces"]) {
      if (each.value("sandbox", "") == "here") each["sandbox"] = container.path();
    }
  }
  for (const char* key : {"ips", "run", "result"}) config.erase(key);
  config["cniVersion"] = prev["cniVersion"];
  config["prevResult"] = prev;
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

void expect_same(const std::string& config, const std::vector<std::string>& known_add,
                 const std::vector<std::string>& known_del) {
  SCOPED_TRACE(config);
  Differential differential;
  differential.config = Json::parse(config);
  differential.config.update({{"cniVersion", "1.0.0"}, {"name", "mynet"}});
  differential.prepare = make_bridge_port;
  differential.iptables = true;
  const Differential::Lines lines = differential.run();
  EXPECT_THAT(unknown(lines.add, known_add), IsEmpty());
  EXPECT_THAT(unknown(lines.del, known_del), IsEmpty());
}

// Versions before 1.0.0 of the spec have it, and Debian's skeleton still prints it.
const std::vector<std::string> kResult{"^result dns: \\{\\} \\| -$"};

std::vector<std::string> operator+(std::vector<std::string> one,
                                   const std::vector<std::string>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

// "comments of ingressPolicy": Debian's version is older than "isolated".
const std::vector<std::string> kComments{"ingressPolicy: same-bridge(\\|isolated)?\\)"};

// "what attachments share"
const std::vector<std::string> kShared{
    "^host ip6?tables filter -(N (CNI-|MY-ADMIN)|A (CNI-|FORWARD .*-j CNI-)).*: [0-9 ]+ \\| -$",
    "^host ip6?tables filter -A FORWARD -j USER: 2 \\| 1$"};

TEST(FirewallDifferential, IptablesRulesAreTheReferences) {
  for (const char* options : {
           R"("ips": ["10.1.2.3/24"])",
           R"("ips": ["fd00:1::3/64"])",
           R"("ips": ["10.1.2.3/24", "fd00:1::3/64"])",
           R"("ips": ["10.1.2.3/24", "10.1.2.4/24", "172.16.5.4/20"])",
           R"("ips": ["10.1.2.3/24", "10.1.2.3/24", "fd00:1::3/64", "fd00:1::3/64"])",
           R"("ips": [])",
           R"("iptablesAdminChainName": "MY-ADMIN")",
           R"("iptablesAdminChainName": "MY-ADMIN",
              "run": [["iptables", "-N", "MY-ADMIN"],
                      ["iptables", "-A", "MY-ADMIN", "-s", "192.0.2.1", "-j", "DROP"]])",
           R"("run": [["iptables", "-P", "FORWARD", "DROP"],
                      ["iptables", "-N", "USER"],
                      ["iptables", "-A", "FORWARD", "-j", "USER"],
                      ["iptables", "-A", "USER", "-s", "10.1.2.3", "-j", "ACCEPT"]])",
           R"("ingressPolicy": "open",
              "run": [["iptables", "-N", "CNI-FORWARD"],
                      ["iptables", "-A", "CNI-FORWARD", "-s", "10.9.9.9", "-j", "ACCEPT"]])",
           R"("ingressPolicy": "same-bridge", "ips": ["10.1.2.3/24", "fd00:1::3/64"])",
       }) {
    expect_same(std::string(R"({"type": "firewall", "backend": "iptables", )") + options + "}",
                kResult + kComments, kShared);
  }
}

// "hairpin": a container reaches its own ports, and "route_localnet": only where 127.0.0.1 leads
// somewhere, and not for ever.
const std::vector<std::string> kBesides{
    "^host link vhost0 linkinfo info_slave_data hairpin: false \\| true$",
    "^host sysctl ipv4/conf/cni0/route_localnet: 1 \\| 0$"};

// "what attachments share"
const std::vector<std::string> kSharedPorts{
    "^host ip6?tables nat -(N CNI-HOSTPORT-|A (CNI-HOSTPORT-|[A-Z]+ .*-j CNI-HOSTPORT-)).*: 1 \\| "
    "-$"};

TEST(PortmapDifferential, IptablesRulesAreTheReferences) {
  const std::string web = R"({"hostPort": 8080, "containerPort": 80, "protocol": "tcp"})";
  const std::string dual = R"("ips": ["10.1.2.3/24", "fd00:1::3/64"], )";
  const auto at = [](const char* host_ip) {
    return std::string(R"("ports": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", )") +
           R"("hostIP": ")" + host_ip + R"("}])";
  };
  // Mappings that meet each other.
  const auto and_at = [&](const char* host_ip) {
    return "\"ports\": [" + web +
           R"(, {"hostPort": 8080, "containerPort": 80, "protocol": "tcp", )" + R"("hostIP": ")" +
           host_ip + R"("}])";
  };
  const std::string two_addresses =
      R"("ports": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "192.0.2.1"},
                   {"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1"},
                   {"hostPort": 8080, "containerPort": 80, "protocol": "udp", "hostIP": "fd00:1::1"}])";
  std::string many;
  for (int i = 0; i < 16; ++i) {
    many += (many.empty() ? "" : ", ") + std::string(R"({"hostPort": )") +
            std::to_string(8000 + i) + R"(, "containerPort": 80, "protocol": "tcp"})";
  }
  for (const std::string& options : {
           "\"ports\": [" + web + "]",
           dual + "\"ports\": [" + web + "]",
           dual + R"("ports": [{"hostPort": 90, "containerPort": 90, "protocol": "udp"}, )" + web +
               R"(, {"hostPort": 91, "containerPort": 91, "protocol": "sctp"}])",
           dual + at("192.0.2.1"),
           dual + at("fd00:1::1"),
           dual + at("0.0.0.0"),
           dual + at("::"),
           at("127.0.0.1"),
           "\"snat\": false, \"ports\": [" + web + "]",
           "\"markMasqBit\": 5, \"ports\": [" + web + "]",
           R"("externalSetMarkChain": "KUBE-MARK-MASQ",
              "run": [["iptables", "-t", "nat", "-N", "KUBE-MARK-MASQ"]], "ports": [)" +
               web + "]",
           dual + R"("conditionsV4": ["!", "-d", "192.0.2.0/24"],
                     "conditionsV6": ["!", "-d", "2001:db8::/32"], "ports": [)" +
               web + "]",
           dual + "\"ports\": [" + many + "]",
           dual + "\"ports\": [" + web +
               R"(, {"hostPort": 8081, "containerPort": 80, "protocol": "tcp"}])",
           dual + two_addresses,
           dual + and_at("0.0.0.0"),
           dual + and_at("::"),
           std::string("\"ports\": []"),
       }) {
    Json config =
        Json::parse("{\"type\": \"portmap\", \"backend\": \"iptables\", " + options + "}");
    config["runtimeConfig"]["portMappings"] = config["ports"];
    config.erase("ports");
    expect_same(config.dump(), kResult + kBesides, kSharedPorts + kBesides);
  }
}

/// Without doubles, which the reference's rules name twice ("--dports 8080,8080").
TEST(PortmapDifferential, RulesOfRandomListsAreTheReferences) {
  for (const PortList& list : port_lists(8, false)) {
    Json config = Json::parse(R"({"type": "portmap", "backend": "iptables",
                                  "ips": ["10.1.2.3/24", "fd00:1::3/64"]})");
    Json& mappings = config["runtimeConfig"]["portMappings"] = Json::array();
    for (const Json& each : port_mappings(list)) {
      if (std::find(mappings.begin(), mappings.end(), each) == mappings.end()) {
        mappings.push_back(each);
      }
    }
    expect_same(config.dump(), kResult + kBesides, kSharedPorts + kBesides);
  }
}

// -1 is no interface, as if the key weren't there.
const std::vector<std::string> kNoIndex{"^result ips 0 interface: -1 \\| -$"};

// The reference's firewall knows no version before 0.4.0.
const std::vector<std::string> kTooOld{"^result: refused \\| ok$"};

TEST(ForeignResultDifferential, RulesAreTheReferencesWhateverTheResultNames) {
  for (const auto& [name, result] : kForeignResults) {
    SCOPED_TRACE(name);
    const std::string version = Json::parse(result)["cniVersion"];
    const std::string named = R"("backend": "iptables", "result": ")" + name + "\"";
    expect_same(R"({"type": "firewall", )" + named + "}", kResult + kNoIndex + kTooOld,
                kShared + (version < "0.4" ? kTooOld : std::vector<std::string>()));
    expect_same(R"({"type": "portmap", "runtimeConfig": {"portMappings": [
                     {"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}, )" +
                    named + "}",
                kResult + kNoIndex + kBesides, kSharedPorts + kBesides);
  }
}

}  // namespace
}  // namespace unicni::test::iptables_differential_test
