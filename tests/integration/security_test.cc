// What others got wrong before us: a test for each of these CVEs, with packets.
#include <thread>

#include "integration/port_world.h"
#include "support/raw_packets.h"
#include "support/recorder.h"

namespace unicni::test::security_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kPort = 8080;
constexpr int kService = 7777;  ///< of the host itself
constexpr std::array kTransports = {Transport::tcp, Transport::udp};

// --- CVE-2019-9946: portmap's rules came before those of others ----------------------------------

class OthersDnat : public ::testing::TestWithParam<const char*> {
 protected:
  /// Sends that port to the second container, as kube-proxy and its kind do.
  void redirect() {
    const std::string to = world_.address("c2", false) + ':' + std::to_string(kUnpublishedPort);
    for (const char* protocol : {"tcp", "udp"}) {
      if (std::string(GetParam()) == "nft") {
        tool({"nft", "add", "table", "ip", "foreign"});
        tool({"nft", "add", "chain", "ip", "foreign", "first",
              "{ type nat hook prerouting priority dstnat; policy accept; }"});
        tool({"nft", "add", "rule", "ip", "foreign", "first", protocol, "dport",
              std::to_string(kPort), "dnat", "to", to});
      } else {
        tool({GetParam(), "-t", "nat", "-A", "PREROUTING", "-p", protocol, "--dport",
              std::to_string(kPort), "-j", "DNAT", "--to-destination", to});
      }
    }
  }
  void expect_server(const std::string& name) {
    for (const Transport transport : kTransports) {
      EXPECT_EQ(world_.reaches("outside", transport, kHost4, kPort), name);
    }
    EXPECT_EQ(world_.reaches("outside", Transport::tcp, kHost6, kPort), "c1") << "another family";
  }
  PortWorld world_;
};

TEST_P(OthersDnat, WinsWhenItWasThereBefore) {
  world_.add("c2", PortWorld::list(1, Json::array()));
  redirect();
  world_.add("c1", PortWorld::list(1, published(kPort)));
  expect_server("c2");
}

TEST_P(OthersDnat, WinsWhenItComesLater) {
  world_.add("c2", PortWorld::list(1, Json::array()));
  world_.add("c1", PortWorld::list(1, published(kPort)));
  expect_server("c1");
  redirect();
  expect_server("c2");
}

INSTANTIATE_TEST_SUITE_P(Cve2019_9946, OthersDnat,
                         ::testing::Values("nft", "iptables-nft", "iptables-legacy"),
                         [](const auto& each) {
                           std::string name = each.param;
                           std::erase(name, '-');
                           return name;
                         });

// --- CVE-2020-8558: route_localnet opened the host's loopback services
// -----------------------------

class Localnet : public ::testing::Test {
 protected:
  Localnet() {
    world_.add("c1", PortWorld::list(1, published(kPort)));
    world_.serve("host", world_.host(), {kService});
    Container& inside = world_.container("c1");
    // A container that may do in its namespace as it likes.
    inside.run({"ip", "addr", "del", "127.0.0.1/8", "dev", "lo"});
    inside.run({"sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1"});
    inside.run({"ip", "route", "add", "127.0.0.0/8", "via", "10.11.0.1"});
    tool({"nft", "add", "table", "inet", "watch"});
    tool({"nft", "add", "chain", "inet", "watch", "in",
          "{ type filter hook input priority 0; policy accept; }"});
    for (const char* end : {"saddr", "daddr"}) {
      tool({"nft", "add", "rule", "inet", "watch", "in", "iifname", "br1", "ip", end, "127.0.0.0/8",
            "th", "dport", std::to_string(kService), "counter"});
    }
  }
  /// Whether the host took a packet of that bridge from or to such an address.
  static bool took(const std::string& end) {
    const std::string rules = tool({"nft", "list", "chain", "inet", "watch", "in"}).out;
    const std::size_t rule = rules.find(end);
    return rules.substr(rule, rules.find('\n', rule) - rule).find("packets 0 ") ==
           std::string::npos;
  }
  void send_to_loopback() {
    for (const Transport transport : kTransports) {
      answers_ += world_.reaches("c1", transport, "127.0.0.1", kService);
    }
  }
  void send_from_loopback() {
    // Else the kernel believes no packet that its own address came from outside.
    tool({"sysctl", "-qw", "net.ipv4.conf.br1.accept_local=1"});
    world_.container("c1").run({"ip", "addr", "add", "127.0.0.1/32", "dev", "eth0"});
    world_.knock({{world_.netns_of("c1"), Transport::udp, "10.11.0.1", kService, "127.0.0.1"}},
                 std::chrono::milliseconds(300));
  }
  static void take_the_guard_away() {
    tool({"nft", "flush", "chain", "inet", "unicni", "localnet"});
  }
  PortWorld world_;
  std::string answers_;
};

TEST_F(Localnet, TheHostsLoopbackServicesStayItsOwn) {
  ASSERT_EQ(sysctl("net/ipv4/conf/br1/route_localnet"), "1");
  for (const Transport transport : kTransports) {
    EXPECT_EQ(world_.reaches("host", transport, "127.0.0.1", kPort), "c1");
  }
  send_to_loopback();
  EXPECT_EQ(answers_, "");
  EXPECT_FALSE(took("daddr"));
}

TEST_F(Localnet, TheyWouldNotWithoutTheGuard) {
  take_the_guard_away();
  send_to_loopback();
  EXPECT_EQ(answers_, "host");
  EXPECT_TRUE(took("daddr"));
}

TEST_F(Localnet, NobodyComesFromTheHostsLoopbackAddresses) {
  send_from_loopback();
  EXPECT_FALSE(took("saddr"));
}

TEST_F(Localnet, SomebodyWouldWithoutTheGuard) {
  take_the_guard_away();
  send_from_loopback();
  EXPECT_TRUE(took("saddr"));
}

// --- CVE-2020-10749: a container's router advertisement changed the host's routes
// -------------------

class RouterAdvertisement : public HostTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(RouterAdvertisement, ChangesNothingOnTheHost) {
  // As some clouds have it: advertisements are taken from everywhere, also by routers.
  tool({"sysctl", "-qw", "net.ipv6.conf.all.accept_ra=2", "net.ipv6.conf.default.accept_ra=2"});
  const Json config = {{"cniVersion", "1.0.0"},
                       {"name", "net1"},
                       {"type", GetParam()},
                       {"isGateway", true},
                       {"ipam", {{"type", "host-local"}, {"subnet", "10.11.0.0/24"}}}};
  Json own = config;
  if (std::string(GetParam()) == "ptp") own.erase("isGateway");
  const Attachment job = attachment(own);
  must_add(job);
  Container& neighbour = container("neighbour");
  tool({"ip", "link", "add", "wire", "type", "veth", "peer", "name", "eth0", "netns",
        neighbour.path()});
  tool({"ip", "link", "set", "wire", "up"});
  neighbour.run({"ip", "link", "set", "eth0", "up"});

  const auto routes = [] { return tool({"ip", "-6", "route"}).out; };
  // Somebody who is no container of ours is believed: the message is a good one.
  int sent = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while ((sent < 3 || routes().find("default") == std::string::npos) &&
         std::chrono::steady_clock::now() < end) {
    if (send_router_advertisement(netns(job), "eth0", "2001:db8:bad::")) ++sent;
    send_router_advertisement(neighbour.fd(), "eth0", "2001:db8:600d::");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_GE(sent, 3);
  EXPECT_THAT(routes(), HasSubstr("dev wire"));
  EXPECT_THAT(routes(), HasSubstr("2001:db8:600d::/64"));
  EXPECT_THAT(routes(), Not(HasSubstr("2001:db8:bad::")));
  EXPECT_THAT(tool({"ip", "-6", "addr"}).out, Not(HasSubstr("2001:db8:bad:")));
}

INSTANTIATE_TEST_SUITE_P(Cve2020_10749, RouterAdvertisement, ::testing::Values("bridge", "ptp"),
                         [](const auto& each) { return std::string(each.param); });

// --- CVE-2021-20206: a type with a path ran any program
// --------------------------------------------

class TypeWithPath : public HostTest {
 protected:
  TypeWithPath() {
    evil_.answer("ADD", R"({"cniVersion": "1.0.0", "ips": []})");
    evil_.answer("DEL", "");
  }
  void expect_refused(const Json& config) {
    Attachment job = attachment(config, "c" + std::to_string(++count_));
    job.type = "unicni";
    job.cni_path = bin_dir() + ":/run/plugins";
    if (config["type"] == "bridge") job.type = "bridge";
    const Json error = expect_error(job.add(), 7);
    EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("evil")) << error;
    static_cast<void>(job.del());
    EXPECT_THAT(evil_.calls(), IsEmpty());
  }
  static constexpr const char* kPaths[] = {"../evil/evil", "/run/evil/evil", "../../run/evil/evil",
                                           "./../evil/evil"};
  Recorder evil_{"evil", "/run/evil"};
  Recorder good_{"good"};
  int count_ = 0;
};

TEST_F(TypeWithPath, OfANetworkIsRefused) {
  for (const char* path : kPaths) {
    expect_refused({{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", path}});
  }
}

TEST_F(TypeWithPath, OfIpamIsRefused) {
  for (const char* path : kPaths) {
    expect_refused(
        {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", "bridge"}, {"ipam", {{"type", path}}}});
  }
}

TEST_F(TypeWithPath, OfAMemberOfAListIsRefused) {
  for (const char* path : kPaths) {
    const Json member = {{"type", path}};
    expect_refused({{"cniVersion", "1.0.0"},
                    {"name", "net"},
                    {"type", "unicni"},
                    {"plugins", {{{"type", "loopback"}}, member}}});
    expect_refused({{"cniVersion", "1.0.0"},
                    {"name", "net"},
                    {"type", "unicni"},
                    {"plugins", {{{"type", "bridge"}, {"ipam", member}}}}});
  }
}

// --- CVE-2025-67499: published ports took connections to other machines' ports
// ---------------------

TEST(Cve2025_67499, APortOfAnotherMachineIsThatMachines) {
  PortWorld world;
  world.add("c1", PortWorld::list(1, published(kPort)));
  world.add("c2", PortWorld::list(1, Json::array()));
  world.add("c3", PortWorld::list(2, Json::array()));
  world.serve("outside", world.outside().fd(), {kPort});
  world.serve("other", world.netns_of("c3"), {kPort});
  for (const Transport transport : kTransports) {
    for (const char* from : {"c1", "c2", "c3", "host"}) {
      EXPECT_EQ(world.reaches(from, transport, kOutside4, kPort), "outside") << from;
      EXPECT_EQ(world.reaches(from, transport, kOutside6, kPort), "outside") << from;
    }
    for (const bool v6 : {false, true}) {
      EXPECT_EQ(world.reaches("outside", transport, world.address("c3", v6), kPort), "other");
    }
    EXPECT_EQ(world.reaches("outside", transport, kHost4, kPort), "c1");
  }
}

// --- SCTP, which this machine's kernel may not speak: the rule, and packets by hand
// ------------------

TEST(SctpPort, AnInitArrivesAtTheContainersPort) {
  for (const Forward forward : {Forward::accept, Forward::drop_nft}) {
    PortWorld world(forward);
    world.add("c1", PortWorld::list(
                        1, {{{"hostPort", 9000}, {"containerPort", 9001}, {"protocol", "sctp"}}}));
    for (const bool v6 : {false, true}) {
      const SctpListener listener(world.netns_of("c1"), v6);
      send_sctp_init(world.outside().fd(), v6 ? kHost6 : kHost4, 9000, 4000);
      const auto packet = listener.next(std::chrono::seconds(2));
      ASSERT_TRUE(packet) << name_of(forward);
      EXPECT_EQ(packet->from, v6 ? kOutside6 : kOutside4);
      EXPECT_EQ(packet->from_port, 4000);
      EXPECT_EQ(packet->to_port, 9001);
      EXPECT_EQ(packet->chunk, 1);
      EXPECT_TRUE(packet->whole);
      send_sctp_init(world.outside().fd(), v6 ? kHost6 : kHost4, 9001, 4001);
      EXPECT_FALSE(listener.next(std::chrono::milliseconds(200))) << "not published";
    }
  }
}

}  // namespace
}  // namespace unicni::test::security_test
