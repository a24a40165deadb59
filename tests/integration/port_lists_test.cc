// Lists of mappings that meet each other: several host ports to one port of the container, one port
// at several addresses of the host, any address written in more than one way.
#include <random>
#include <set>

#include "integration/port_world.h"

namespace unicni::test::port_lists_test {
namespace {

using ::testing::IsEmpty;

constexpr const char* kAnyAddress[] = {"", "0.0.0.0", "::"};
constexpr const char* kOneAddress[] = {kHost4, kHost6, "127.0.0.1"};
constexpr int kPorts[] = {8080, 8081, 8082, 8083};

struct Mapping {
  int host_port;
  const char* protocol;
  std::string host_ip;
};

/// Each port of the host has one target, and is published either at any address or at single ones:
/// all else is a conflict.
int target_of(int host_port) { return host_port == 8083 ? kUnpublishedPort : kContainerPort; }

Json request(const std::vector<Mapping>& mappings) {
  Json list = Json::array();
  for (const Mapping& each : mappings) {
    list.push_back({{"hostPort", each.host_port},
                    {"containerPort", target_of(each.host_port)},
                    {"protocol", each.protocol},
                    {"hostIP", each.host_ip}});
  }
  return list;
}

std::vector<Mapping> random_list(std::mt19937& random) {
  std::vector<Mapping> list;
  const auto pick = [&](const auto& from) { return from[random() % std::size(from)]; };
  bool any_address[std::size(kPorts)];
  for (bool& each : any_address) each = random() % 2 == 0;
  for (std::size_t count = 1 + random() % 6; count > 0; --count) {
    const std::size_t port = random() % std::size(kPorts);
    list.push_back({kPorts[port], random() % 3 == 0 ? "udp" : "tcp",
                    any_address[port] ? pick(kAnyAddress) : pick(kOneAddress)});
  }
  return list;
}

/// What the mappings come to: at which addresses a port leads to the container.
bool is_open(const std::vector<Mapping>& mappings, int port, const char* protocol,
             const std::string& address) {
  const bool v6 = address.find(':') != std::string::npos;
  return std::any_of(mappings.begin(), mappings.end(), [&](const Mapping& each) {
    if (each.host_port != port || std::string(each.protocol) != protocol) return false;
    if (each.host_ip.empty()) return true;
    if (each.host_ip == "0.0.0.0") return !v6;
    return each.host_ip == "::" ? v6 : each.host_ip == address;
  });
}

class PortLists : public ::testing::TestWithParam<const char*> {
 protected:
  static std::vector<std::string> left() {
    std::vector<std::string> found;
    for (const char* set :
         {"port4_any", "port6_any", "port4_at", "port6_at", "claim4", "claim6", "pub4", "pub6",
          "masqall4", "masqall6", "nosnat4", "nosnat6", "att4", "att6"}) {
      for (const std::string& element : nft_elements(set)) {
        found.push_back(std::string(set) + ' ' + element);
      }
    }
    for (const int family : {4, 6}) {
      for (const std::string& each : masqueraded(family)) found.push_back("masqueraded " + each);
    }
    return found;
  }
  /// Who answers, from outside at the host's addresses and from the host at 127.0.0.1.
  void expect_open(const std::vector<Mapping>& mappings, bool open) {
    std::vector<Knock> knocks;
    std::vector<std::string> expected;
    for (const int port : kPorts) {
      for (const char* protocol : {"tcp", "udp"}) {
        for (const char* address : {kHost4, kHost6, "127.0.0.1"}) {
          const bool loopback = std::string(address) == "127.0.0.1";
          knocks.push_back({world_.netns_of(loopback ? "host" : "outside"),
                            std::string(protocol) == "tcp" ? Transport::tcp : Transport::udp,
                            address, port});
          expected.push_back(open && is_open(mappings, port, protocol, address) ? "c1" : "");
        }
      }
    }
    const auto answers = world_.knock(knocks);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(answers[i].server, expected[i])
          << knocks[i].to << ' ' << knocks[i].port
          << (knocks[i].transport == Transport::tcp ? " tcp" : " udp");
    }
  }
  PortWorld world_;
};

TEST_P(PortLists, LeadWhereTheySayAndGoWhole) {
  const Json backend = {{"backend", GetParam()}};
  std::vector<std::vector<Mapping>> lists = {
      {{8080, "tcp", ""}, {8081, "tcp", ""}},
      {{8080, "tcp", kHost4}, {8080, "tcp", "127.0.0.1"}},
      {{8080, "tcp", ""}, {8080, "tcp", "0.0.0.0"}},
      {{8080, "tcp", ""}, {8080, "tcp", "::"}},
      {{8080, "tcp", "0.0.0.0"}, {8080, "tcp", "::"}, {8080, "udp", ""}, {8081, "udp", kHost4}},
  };
  std::mt19937 random(5);
  for (int i = 0; i < 6; ++i) lists.push_back(random_list(random));
  world_.serve("outside", world_.outside().fd(), {kContainerPort});
  std::string before;  // with the tables that the first one makes
  for (const auto& mappings : lists) {
    const Json wanted = request(mappings);
    SCOPED_TRACE(wanted.dump());
    const Attachment job = world_.add("c1", PortWorld::list(1, wanted, backend));
    expect_silent_success(job.check(world_.result_of("c1")));
    expect_open(mappings, true);
    world_.remove(job);
    expect_open(mappings, false);
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_THAT(files_in("/run/unicni/attachments"), IsEmpty());
    if (before.empty()) before = PortWorld::foreign_rules();
    EXPECT_EQ(PortWorld::foreign_rules(), before);
  }
}

/// With the journal lost the elements are found by their owner.
TEST_P(PortLists, GoWithoutAJournal) {
  const Json wanted = request({{8080, "tcp", ""}, {8081, "tcp", ""}, {8080, "tcp", "0.0.0.0"}});
  const Attachment job = world_.add("c1", PortWorld::list(1, wanted, {{"backend", GetParam()}}));
  tool({"rm", "-rf", "/run/unicni"});
  world_.remove(job);
  EXPECT_THAT(left(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Backends, PortLists, ::testing::Values("nftables", "iptables"),
                         [](const auto& given) { return std::string(given.param); });

/// tc-redirect-tap and its kind tell of the same address once more.
class DoubledAddress : public HostTest {
 protected:
  Attachment after_tap(const Json& firewall) {
    Container& inside = container();
    tool({"ip", "link", "add", "vh0", "type", "veth", "peer", "name", "eth0", "netns",
          inside.path()});
    Attachment job{.config = firewall, .netns = inside.path()};
    job.config["cniVersion"] = "1.0.0";
    job.config["name"] = "net";
    job.config["type"] = "firewall";
    job.config["prevResult"] = Json::parse(R"({
      "cniVersion": "1.0.0",
      "interfaces": [{"name": "vh0"}, {"name": "eth0", "sandbox": "?"}, {"name": "tap0", "sandbox": "c1"}],
      "ips": [{"address": "10.5.0.2/24", "interface": 1}, {"address": "10.5.0.2/24", "interface": 2},
              {"address": "fd00:5::2/64", "interface": 1}, {"address": "fd00:5::2/64", "interface": 2}]})");
    job.config["prevResult"]["interfaces"][1]["sandbox"] = inside.path();
    return job;
  }
  static std::string rules() { return PortWorld::foreign_rules(); }
};

TEST_F(DoubledAddress, OfFirewallIsOneAndGoes) {
  for (const char* flavour : {"iptables-nft", "ip6tables-nft"})
    tool({flavour, "-P", "FORWARD", "DROP"});
  const std::string before = rules();
  for (const Json& firewall :
       {Json{{"backend", "nftables"}}, Json{{"backend", "nftables"}, {"ingressPolicy", "isolated"}},
        Json{{"backend", "iptables"}}}) {
    SCOPED_TRACE(firewall.dump());
    const Attachment job = after_tap(firewall);
    must_add(job);
    expect_silent_success(job.call("CHECK", job.config));
    if (firewall["backend"] == "iptables") {
      const std::string listed = tool({"iptables-nft", "-S", "CNI-FORWARD"}).out;
      EXPECT_EQ(listed.find("-s 10.5.0.2"), listed.rfind("-s 10.5.0.2")) << listed;
    } else {
      EXPECT_EQ(nft_elements("att4").size(), 1U);
    }
    expect_silent_success(job.del());
    EXPECT_EQ(rules(), before);
    EXPECT_THAT(nft_elements("att4"), IsEmpty());
    EXPECT_THAT(nft_elements("att6"), IsEmpty());
    expect_silent_success(job.del());
    tool({"ip", "link", "del", "vh0"});
    containers_.clear();
  }
}

}  // namespace
}  // namespace unicni::test::port_lists_test
