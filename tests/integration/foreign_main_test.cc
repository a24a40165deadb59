// portmap, firewall and bandwidth behind main plugins of other makers and of old versions, whose
// results name no interface of the host, or a misleading one: the host's side is the kernel's word.
#include <algorithm>
#include <functional>
#include <map>

#include "integration/foreign_host.h"

namespace unicni::test::foreign_main_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Maker {
  const char* name;
  Wiring wiring;
  /// @NS@ is the path of the container's namespace.
  const char* result;
};

constexpr Maker kMakers[] = {
    {"KubeOvn", Wiring::routed, kKubeOvn},
    {"Azure", Wiring::routed, R"({"cniVersion": "0.4.0", "interfaces": [{"name": "eth0"}],
      "ips": [{"version": "4", "address": "10.16.0.5/16"}], "dns": {}})"},
    {"AzureWithIndex", Wiring::routed, R"({"cniVersion": "1.0.0", "interfaces": [{"name": "eth0"}],
      "ips": [{"address": "10.16.0.5/16", "interface": 0}]})"},
    {"Weave", Wiring::bridged, R"({"cniVersion": "0.4.0",
      "ips": [{"version": "4", "address": "10.16.0.5/12", "gateway": "10.16.0.1"}], "dns": {}})"},
    {"Aws", Wiring::routed, R"({"cniVersion": "1.0.0",
      "interfaces": [{"name": "pod0", "sandbox": ""}, {"name": "eth0", "sandbox": ""},
                     {"name": "dummy3a52ce78095", "mac": "0", "sandbox": "0"}],
      "ips": [{"address": "10.16.0.5/32", "interface": 1}]})"},
    {"OldCalico", Wiring::routed, R"({"cniVersion": "0.3.0", "interfaces": [{"name": "pod0"}],
      "ips": [{"version": "4", "address": "10.16.0.5/32", "interface": 0}], "dns": {}})"},
    {"Version010", Wiring::bridged, R"({"cniVersion": "0.1.0",
      "ip4": {"ip": "10.16.0.5/16", "gateway": "10.16.0.1"}, "dns": {}})"},
    {"Version020", Wiring::routed, R"({"cniVersion": "0.2.0",
      "ip4": {"ip": "10.16.0.5/16", "gateway": "10.16.0.1"}, "dns": {}})"},
    {"IndexOfOldPlugins", Wiring::bridged, R"({"cniVersion": "0.4.0",
      "interfaces": [{"name": "eth0", "sandbox": "@NS@"}],
      "ips": [{"version": "4", "address": "10.16.0.5/16", "interface": -1}], "dns": {}})"},
    // The uplink is eth0 as well, and ens5 is another link of the host.
    {"NamesTheUplink", Wiring::routed, R"({"cniVersion": "1.0.0",
      "interfaces": [{"name": "eth0"}, {"name": "ens5"}, {"name": "eth0", "sandbox": "@NS@"}],
      "ips": [{"address": "192.0.2.1/24", "interface": 0},
              {"address": "198.51.100.7/24", "interface": 1},
              {"address": "10.16.0.5/16", "interface": 2}]})"},
    {"IndexOfTheHostsEnd", Wiring::routed, R"({"cniVersion": "1.0.0",
      "interfaces": [{"name": "pod0"}, {"name": "eth0", "sandbox": "@NS@"}],
      "ips": [{"address": "10.16.0.5/32", "interface": 0}]})"},
    {"BehindItsOwnNamespace", Wiring::beyond, R"({"cniVersion": "1.0.0",
      "interfaces": [{"name": "inner"}, {"name": "eth0", "sandbox": "@NS@"}],
      "ips": [{"address": "10.16.0.5/16", "interface": 1}]})"},
};

class ForeignMain : public ForeignHost, public ::testing::WithParamInterface<Maker> {};

TEST_P(ForeignMain, TrafficAndPortsPassAndTheUplinkStaysAsItIs) {
  const Maker& maker = GetParam();
  wire(maker.wiring);
  const Json result = result_of(maker.result);
  const std::string version = result["cniVersion"];
  const std::string side = maker.wiring == Wiring::routed    ? "pod0"
                           : maker.wiring == Wiring::bridged ? "br9"
                                                             : "vnet";
  const Snapshot before = snapshot();
  const auto uplink = settings("eth0");
  ASSERT_FALSE(pings(pod_.fd(), "192.0.2.9")) << "FORWARD drops";

  std::vector<Attachment> jobs = {plugin(result, portmap()),
                                  plugin(result, {{"type", "firewall"}})};
  if (version >= "0.3" && maker.wiring != Wiring::beyond) {
    jobs.push_back(plugin(result, Json::parse(R"({"type": "bandwidth", "ingressRate": 8000000,
      "ingressBurst": 8000000, "egressRate": 8000000, "egressBurst": 8000000})")));
  }
  std::vector<Json> results;
  for (Attachment& job : jobs) {
    const Output added = job.add();
    ASSERT_TRUE(added.ok()) << added.str();
    EXPECT_EQ(added.err, "");
    results.push_back(added.json());
  }
  EXPECT_TRUE(pings(pod_.fd(), "192.0.2.9"));
  EXPECT_EQ(source_by(client_.fd(), "192.0.2.1"), "192.0.2.9");
  EXPECT_NE(source_by(sandbox_.netns(), "192.0.2.1"), "");
  EXPECT_NE(source_by(sandbox_.netns(), "127.0.0.1"), "");
  EXPECT_EQ(sysctl("net/ipv4/conf/" + side + "/route_localnet"), "1");
  EXPECT_EQ(settings("eth0"), uplink);
  if (jobs.size() > 2) {
    EXPECT_FALSE(qdisc_of("pod0", "tbf").is_null());
    EXPECT_FALSE(qdisc_of("pod0", "ingress").is_null());
  }
  EXPECT_TRUE(qdisc_of("eth0", "tbf").is_null());
  if (maker.wiring == Wiring::bridged) {
    EXPECT_EQ(find_link("pod0")->at("linkinfo")["info_slave_data"]["hairpin"], true)
        << "the pod reaches its own port";
  }
  if (version >= "0.4") {
    for (std::size_t i = 0; i < jobs.size(); ++i) expect_silent_success(jobs[i].check(results[i]));
  }

  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    job->config.erase("prevResult");
    job->config.erase("runtimeConfig");
    job->netns = "";
    expect_silent_success(job->del());
  }
  EXPECT_EQ(difference(before, snapshot()), "") << "DEL needs nothing";
  EXPECT_EQ(settings("eth0"), uplink);
  EXPECT_EQ(sysctl("net/ipv4/conf/" + side + "/route_localnet"), "0");
  EXPECT_FALSE(pings(pod_.fd(), "192.0.2.9"));
}

INSTANTIATE_TEST_SUITE_P(Makers, ForeignMain, ::testing::ValuesIn(kMakers),
                         [](const auto& each) { return each.param.name; });

/// The pod's packets are not let through, and somebody is told.
TEST_F(ForeignHost, FirewallNeverPassesSilentlyWhatItCannotFind) {
  pod_.run({"ip", "link", "add", "eth0", "type", "ifb"});
  pod_.run({"ip", "addr", "add", "10.16.0.5/16", "dev", "eth0"});
  const Json result = result_of(kKubeOvn);
  const Attachment job = plugin(result, {{"type", "firewall"}});
  const Snapshot before = snapshot();
  const Output added = job.add();
  EXPECT_TRUE(added.ok()) << added.str();
  EXPECT_THAT(added.err, HasSubstr("no link of this host leads to eth0's address 10.16.0.5"));
  EXPECT_THAT(job.check(result).err, HasSubstr("no link of this host"));
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");

  for (const char* backend : {"nftables", "iptables"}) {
    const Attachment policy = plugin(
        result, {{"type", "firewall"}, {"ingressPolicy", "same-bridge"}, {"backend", backend}});
    EXPECT_THAT(expect_error(policy.add(), 7)["msg"], HasSubstr("ingressPolicy \"same-bridge\""));
  }
  const Attachment empty =
      plugin(Json::parse(R"({"cniVersion": "0.4.0", "dns": {}})"), {{"type", "firewall"}});
  EXPECT_THAT(empty.add().err, HasSubstr("eth0 has the address 10.16.0.5, but prevResult"));
  expect_silent_success(empty.del());
}

TEST_F(ForeignHost, TheDefaultRouteLeadsToNobodysContainer) {
  pod_.run({"ip", "link", "add", "eth0", "type", "ifb"});
  const auto uplink = settings("eth0");
  const Attachment job = plugin(result_of(kKubeOvn), portmap());
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("eth0, a ifb link, has no side"));
  expect_silent_success(job.del());
  EXPECT_EQ(settings("eth0"), uplink);
}

TEST_F(ForeignHost, AMacvlanIsBesideTheHostThoughARouteLeadsToIt) {
  tool({"ip", "link", "add", "link", "eth0", "name", "mac0", "type", "macvlan"});
  tool({"ip", "link", "set", "mac0", "netns", pod_.path(), "name", "eth0"});
  const Json result = Json::parse(R"({"cniVersion": "1.0.0",
    "interfaces": [{"name": "eth0", "sandbox": "x"}],
    "ips": [{"address": "192.0.2.5/24", "interface": 0}]})");
  expect_silent_success(plugin(result, {{"type", "firewall"}}).check(result));
  EXPECT_THAT(expect_error(plugin(result, portmap()).add(), 7)["msg"],
              HasSubstr("eth0, a macvlan link, has no side"));
}

TEST_F(ForeignHost, EqualIndicesDoNotMakeAForeignVethThePods) {
  wire(Wiring::beyond);
  const Attachment job = plugin(result_of(kKubeOvn), Json::parse(R"({"type": "bandwidth",
      "ingressRate": 8000000})"));
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("has its veth peer (index 4077) not on"));
  EXPECT_TRUE(qdisc_of("decoy", "tbf").is_null());
}

/// Which the reference needs and never takes back. No interface-creating plugin of ours comes after
/// portmap here.
TEST_F(ForeignHost, RouteLocalnetGoesWithTheReferencesLastPort) {
  wire(Wiring::routed);
  Json result = result_of(kKubeOvn);
  const Attachment ours = plugin(result, portmap());
  Json other = portmap();
  other["runtimeConfig"]["portMappings"][0]["hostPort"] = 8081;
  Attachment theirs = plugin(result, other);
  theirs.container_id = "other";
  must_add(ours);
  theirs.folder = theirs.cni_path = kReferenceDir;
  must_add(theirs);
  expect_silent_success(ours.del());
  EXPECT_EQ(sysctl("net/ipv4/conf/pod0/route_localnet"), "1");
  theirs.folder = theirs.cni_path = bin_dir();
  expect_silent_success(theirs.del());
  EXPECT_EQ(sysctl("net/ipv4/conf/pod0/route_localnet"), "0");
  EXPECT_THAT(nft_elements("localnet_if"), IsEmpty());
}

TEST_F(ForeignHost, ListsOfOldVersionsWorkBehindOurOwnBridgeAndFlannel) {
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.16.0.0/16\nFLANNEL_SUBNET=10.16.0.1/24\nFLANNEL_MTU=1450\n"
             "FLANNEL_IPMASQ=true\n");
  const Json mains[] = {
      Json::parse(R"({"name": "theirs", "type": "bridge", "bridge": "br9", "isGateway": true,
        "ipMasq": true, "ipam": {"type": "host-local", "subnet": "10.16.0.0/24",
                                 "routes": [{"dst": "0.0.0.0/0"}]}})"),
      Json::parse(R"({"name": "theirs", "type": "flannel",
        "delegate": {"isDefaultGateway": true, "bridge": "br8"}})")};
  for (const Json& main : mains) {
    for (const char* version : {"", "0.1.0", "0.2.0"}) {
      SCOPED_TRACE(main["type"].get<std::string>() + ' ' + version);
      Attachment first{.config = main, .netns = pod_.path(), .container_id = "pod"};
      if (*version != '\0') first.config["cniVersion"] = version;
      const Json made = must_add(first);
      ASSERT_FALSE(made.contains("interfaces"));
      Attachment ports = plugin(made, portmap());
      Attachment firewall = plugin(made, {{"type", "firewall"}});
      if (*version == '\0') {
        ports.config.erase("cniVersion");
        firewall.config.erase("cniVersion");
      }
      EXPECT_EQ(must_add(ports), made);
      EXPECT_EQ(must_add(firewall), made);
      EXPECT_TRUE(pings(pod_.fd(), "192.0.2.9"));
      EXPECT_EQ(source_by(client_.fd(), "192.0.2.1"), "192.0.2.9");
      EXPECT_NE(source_by(sandbox_.netns(), "127.0.0.1"), "");
      for (const Attachment& each : {firewall, ports, first}) expect_silent_success(each.del(made));
      EXPECT_THAT(nft_elements("port4_any"), IsEmpty());
      EXPECT_THAT(nft_elements("att4"), IsEmpty());
    }
    for (const char* bridge : {"br8", "br9"}) succeeds({"ip", "link", "del", bridge});
  }
}

/// A kernel look-up that finds nothing leaves what the result names, unless that is the container's
/// own name.
TEST_F(ForeignHost, TheResultsListIsAHintWhereTheKernelCannotTell) {
  pod_.run({"ip", "link", "add", "eth0", "type", "ifb"});
  Json result = result_of(kKubeOvn);
  result["interfaces"].push_back({{"name", "nowhere"}});
  result["interfaces"].push_back({{"name", "ens5"}});
  const Attachment job = plugin(result, {{"type", "firewall"}});
  const Output added = job.add();
  EXPECT_EQ(added.err, "");
  EXPECT_THAT(nft_elements("att4"), ::testing::Contains(HasSubstr("ens5")));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del());
}

}  // namespace
}  // namespace unicni::test::foreign_main_test
