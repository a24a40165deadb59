// Every place and spelling by which a value could slip past a limit.
#include <gtest/gtest.h>

#include <cctype>
#include <initializer_list>
#include <string>
#include <vector>

#include "policy/limits.h"
#include "policy/members_for_test.h"
#include "policy/rates.h"
#include "protocol/document.h"

namespace unicni::policy::bypass_test {
namespace {

Limit at_most(std::string key, std::int64_t max) { return {std::move(key), {}, max, {}, at(5)}; }
Limit at_least(std::string key, std::int64_t min) { return {std::move(key), min, {}, {}, at(5)}; }
Limit one_of(std::string key, Patterns allowed) {
  return {std::move(key), {}, {}, std::move(allowed), at(5)};
}

std::string refusal(const Limit& limit, const Member& of, const Facts& by = facts()) {
  return refusal_of([&] { require_limit(rule(), limit, of, by); }, Code::policy_violated);
}

struct Row {
  const char* what;
  Limit limit;
  Member of;
  bool holds;
  std::string args = {};
  std::optional<std::string> default_link = {};
  std::string if_name = "eth0";
};

Member chained(Member member) {
  member.is_chained = true;
  return member;
}

void expect_all(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Facts by = facts(row.args);
    by.default_link = row.default_link;
    by.if_name = row.if_name;
    by.link_mtu = [](const std::string& link) -> std::optional<std::uint32_t> {
      if (link == "jumbo0") return 9100;
      return link == "eth0" ? std::optional(1500U) : std::nullopt;
    };
    EXPECT_EQ(refusal(row.limit, row.of, by).empty(), row.holds)
        << row.what << ": " << refusal(row.limit, row.of, by);
  }
}

TEST(Limit, NamesPlaceRuleKeyValueAndLimit) {
  EXPECT_EQ(refusal(at_most("mtu", 9000), member("bridge", R"({"mtu":9500})")),
            "p.yaml:5: rule r: mtu 9500 of bridge is not allowed; allowed: at most 9000");
  EXPECT_EQ(
      refusal(one_of("master", {"eth1", "eth2"}), member("macvlan", R"({"master":"eth0"})")),
      "p.yaml:5: rule r: master \"eth0\" of macvlan is not allowed; allowed: one of eth1, eth2");
}

TEST(Limit, SaysWhatIsMissing) {
  EXPECT_EQ(refusal(one_of("bridge", {"tenant-*"}), member("bridge")),
            "p.yaml:5: rule r: bridge missing (cni0) of bridge is not allowed; allowed: tenant-*");
  EXPECT_EQ(refusal(one_of("dataDir", {"/a"}),
                    with_ipam(member("bridge", R"({"ipam":{"dataDir":null,"DataDir":"/a"}})"),
                              "host-local")),
            "p.yaml:5: rule r: dataDir missing of host-local is not allowed; allowed: /a");
}

TEST(Bypass, Mtu) {
  const Limit most = at_most("mtu", 9000);
  expect_all({
      {"within", most, member("bridge", R"({"mtu":9000})"), true},
      {"letter case", most, member("bridge", R"({"MTU":9500})"), false},
      {"exact beside another case", most, member("bridge", R"({"mtu":1,"Mtu":9500})"), false},
      {"twice", most, member("bridge", R"({"mtu":9500,"mtu":1})"), false},
      {"as a fraction", most, member("bridge", R"({"mtu":9500.0})"), false},
      {"as a power", most, member("bridge", R"({"mtu":9.5e3})"), false},
      {"fine as a power", most, member("bridge", R"({"mtu":9e3})"), true},
      {"as text", most, member("bridge", R"({"mtu":"9500"})"), false},
      {"as nonsense", most, member("bridge", R"({"mtu":"much"})"), false},
      {"in args.cni", most, member("tuning", R"({"args":{"cni":{"mtu":9500}}})"), false},
      {"args in another case", most, member("tuning", R"({"Args":{"CNI":{"Mtu":9500}}})"), false},
      {"args twice", most, member("tuning", R"({"args":{"cni":{"mtu":9500}},"args":{}})"), false},
      {"absent", most, member("bridge"), true},
      {"null", most, member("bridge", R"({"mtu":null})"), true},
      {"0 is as good as absent", most, member("bridge", R"({"mtu":0})"), true},
      {"the long s and the sign of kelvin are letters", at_most("tsk", 1),
       member("calico", "{\"TS\u212A\":2}"), false},
      {"absent is the kernel's 1500", at_most("mtu", 1400), member("bridge"), false},
      {"so is 0", at_most("mtu", 1400), member("bridge", R"({"mtu":0})"), false},
      {"which may be enough", at_least("mtu", 1280), member("bridge"), true},
      {"or not", at_least("mtu", 1501), member("bridge"), false},
      {"absent is the parent's", most, member("macvlan", R"({"master":"jumbo0"})"), false},
      {"the default route's", most, member("macvlan"), true, "", "eth0"},
      {"the default route's jumbo frames", most, member("macvlan"), false, "", "jumbo0"},
      {"no parent", most, member("macvlan"), false},
      {"a parent in the container", most,
       member("macvlan", R"({"master":"eth0","linkInContainer":true})"), false},
      {"absent behind another plugin", most, chained(member("macvlan")), false, "", "eth0"},
      {"absent where a least is asked of a program", at_least("mtu", 1280),
       foreign(member("calico")), true},
      {"tuning leaves it", at_least("mtu", 1280), member("tuning"), true},
      {"no such option", most, member("portmap", R"({"mtu":9500})"), true},
      {"a program like ours", most, foreign(member("bridge", R"({"mtu":9500})")), false},
      {"0 beside it, which doesn't count", at_most("mtu", 1400),
       member("bridge", R"({"mtu":1400,"MTU":0})"), true},
      {"0 beside it, which counts for a program", at_most("mtu", 1400),
       foreign(member("bridge", R"({"mtu":1400,"MTU":0})")), false},
      {"0 that counts", at_most("mtu", 1400), member("bridge", R"({"mtu":0,"MTU":1400})"), false},
      {"a program that nobody knows", most, member("calico", R"({"mtu":9500})"), false},
      {"the same without it", most, member("calico"), true},
      {"a link of another name", most, member("x-bridge", R"({"mtu":9500})"), false},
  });
}

TEST(Bypass, Master) {
  const Limit eth1 = one_of("master", {"eth1"});
  expect_all({
      {"allowed", eth1, member("macvlan", R"({"master":"eth1"})"), true},
      {"another", eth1, member("macvlan", R"({"master":"eth0"})"), false},
      {"missing, the default route elsewhere", eth1, member("macvlan"), false, "", "eth0"},
      {"missing, no default route", eth1, member("macvlan"), false},
      {"missing, the default route there", eth1, member("macvlan"), true, "", "eth1"},
      {"empty is missing", eth1, member("macvlan", R"({"master":""})"), false, "", "eth0"},
      {"in the container", eth1, member("macvlan", R"({"linkInContainer":true})"), false, "",
       "eth1"},
      {"missing behind another plugin", eth1, chained(member("macvlan")), false, "", "eth1"},
      {"named behind another plugin", eth1, chained(member("macvlan", R"({"master":"eth1"})")),
       true},
      {"escaped", eth1, member("macvlan", R"({"master":"\u0065th1"})"), true},
      {"no such option", eth1, member("bridge"), true},
  });
}

/// An option that a limit is about, which what the plugin makes of a missing one doesn't keep.
struct Key {
  const char* type;
  const char* key;
  const char* good;  ///< JSON
  const char* bad;
  Limit limit;
  bool is_ipam = false;
  const char* beside = "";  ///< a member that the configuration has as well
};

std::vector<Key> keys() {
  return {
      {"bridge", "mtu", "1400", "1500", at_most("mtu", 1400)},
      {"macvlan", "mtu", "1400", "9100", at_most("mtu", 1400), false, R"("master":"jumbo0")"},
      {"macvlan", "master", R"("eth1")", R"("eth0")", one_of("master", {"eth1"})},
      {"bridge", "bridge", R"("tenant-a")", R"("cni0")", one_of("bridge", {"tenant-*"})},
      {"bridge", "ipMasq", "true", "false", one_of("ipMasq", {"true"})},
      {"host-local", "dataDir", R"("/a")", R"("/b")", one_of("dataDir", {"/a"}), true},
      {"host-local", "subnet", R"("10.1.0.0/24")", R"("10.2.0.0/24")", one_of("subnet", {"10.1.*"}),
       true},
      {"bandwidth", "egressBurst", "1000", "9000000", at_most("egressBurst", 1000), false,
       R"("egressRate":1)"},
  };
}

std::string in_upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string written(const std::string& key, const std::string& json) {
  return '"' + key + "\":" + json;
}

std::string joined(std::initializer_list<std::string> members) {
  std::string text;
  for (const std::string& each : members) {
    if (!text.empty() && !each.empty()) text += ',';
    text += each;
  }
  return text;
}

/// A member whose options are `own`; `other` stands in the plugin's object, wherever those stand.
Member with_options(const Key& key, const std::string& own, const std::string& other = "") {
  const std::string options = joined({key.beside, own});
  if (!key.is_ipam) return member(key.type, "{" + joined({options, other}) + "}");
  const std::string ipam = R"("ipam":{)" + options + "}";
  return with_ipam(member("bridge", "{" + joined({ipam, other}) + "}"), key.type);
}

void expect(const Key& key, bool holds, const std::string& what, const Member& of,
            const std::string& args = "") {
  expect_all({{(key.type + (" " + what)).c_str(), key.limit, of, holds, args, "eth0"}});
}

TEST(Bypass, NullBesideAnotherSpellingOfEachKey) {
  for (const Key& key : keys()) {
    const std::string exact = key.key, upper = in_upper_case(key.key);
    const std::string good = key.good, bad = key.bad, null = "null";
    const struct {
      std::string first, second;
      bool holds;
    } rows[] = {
        {written(exact, good), "", true},
        {written(upper, good), "", true},
        {"", "", false},
        {written(exact, null), "", false},
        {written(exact, null), written(upper, good), false},
        {written(upper, good), written(exact, null), false},
        {written(exact, good), written(exact, null), false},
        {written(exact, null), written(exact, good), true},
        {written(upper, good), written(upper, null), false},
        {written(upper, null), written(exact, good), true},
        {written(exact, good), written(upper, null), true},
        {written(exact, null), written(upper, bad), false},
        {written(exact, good), written(upper, bad), false},
        {written(upper, bad), written(exact, good), false},
    };
    for (const auto& [first, second, holds] : rows) {
      const std::string both = joined({first, second});
      expect(key, holds, both, with_options(key, both));
    }
  }
}

TEST(Bypass, WhatStandsWhereThePluginDoesNotReadItIsNotGiven) {
  for (const Key& key : keys()) {
    const std::string good = written(key.key, key.good), bad = written(key.key, key.bad);
    const struct {
      const char* before;
      const char* after;
      bool is_judged;
    } places[] = {
        {R"("args":{"cni":{)", "}}", true},  {R"("ARGS":{"Cni":{)", "}}", true},
        {R"("args":{)", "}", false},         {R"("runtimeConfig":{)", "}", true},
        {R"("RuntimeConfig":{)", "}", true}, {R"("decoy":{)", "}", false},
    };
    for (const auto& [before, after, is_judged] : places) {
      const std::string decoy = before + good + after, wrong = before + bad + after;
      expect(key, false, decoy, with_options(key, "", decoy));
      expect(key, true, "its own and " + decoy, with_options(key, good, decoy));
      expect(key, !is_judged, "its own and " + wrong, with_options(key, good, wrong));
    }
    expect(key, false, "the other object",
           with_options(key, "", key.is_ipam ? good : R"("ipam":{)" + good + "}"));
    const std::string text = *key.good == '"' ? protocol::unquoted(key.good) : key.good;
    expect(key, false, "CNI_ARGS", with_options(key, ""), std::string(key.key) + '=' + text);
  }
}

TEST(Bypass, InsideListsAndObjects) {
  const Limit subnet = one_of("subnet", {"10.1.*"});
  const Limit gateway = one_of("gateway", {"10.1.0.1"});
  const auto ipam = [](const std::string& own, const std::string& beside = "") {
    return with_ipam(member("bridge", R"({"ipam":{)" + own + "}" + beside + "}"), "host-local");
  };
  const auto runtime = [](const std::string& ranges) {
    return R"(,"runtimeConfig":{"ipRanges":)" + ranges + "}";
  };
  const std::string good = R"("subnet":"10.1.0.0/24")", bad = R"("subnet":"10.2.0.0/24")";
  const std::string router = R"("gateway":"10.1.0.1")";
  expect_all({
      {"in a list", subnet, ipam(R"("ranges":[[{)" + good + "}]]"), true},
      {"another in a list", subnet, ipam(R"("ranges":[[{)" + bad + "}]]"), false},
      {"the second", subnet, ipam(R"("ranges":[[{)" + good + "},{" + bad + "}]]"), false},
      {"of the second set", subnet, ipam(R"("ranges":[[{)" + good + "}],[{" + bad + "}]]"), false},
      {"beside its own", subnet, ipam(good + R"(,"ranges":[[{)" + bad + "}]]"), false},
      {"its own beside it", subnet, ipam(bad + R"(,"ranges":[[{)" + good + "}]]"), false},
      {"no range", subnet, ipam(R"("ranges":[])"), false},
      {"a range without", subnet, ipam(R"("ranges":[[{"gateway":"10.1.0.1"}]])"), false},
      {"letter case", subnet, ipam(good + R"(,"Ranges":[[{"SUBNET":"10.2.0.0/24"}]])"), false},
      {"null", subnet, ipam(R"("ranges":[[{"subnet":null,"Subnet":"10.1.0.0/24"}]])"), false},
      {"a list that null hides", subnet, ipam(R"("ranges":null,"Ranges":[[{)" + good + "}]]"),
       false},
      {"from the runtime", subnet, ipam(good, runtime("[[{" + bad + "}]]")), false},
      {"only from the runtime", subnet, ipam("", runtime("[[{" + good + "}]]")), true},
      {"a decoy", subnet, ipam("", R"(,"args":{"cni":{"ipRanges":[[{)" + good + "}]]}}"), false},
      {"another key of a range", gateway, ipam(R"("ranges":[[{)" + good + "," + router + "}]]"),
       true},
      {"absent in one of two", gateway,
       ipam(R"("ranges":[[{)" + good + "," + router + "},{" + good + "}]]"), false},
      {"absent in the range that its own options are", gateway,
       ipam(good + R"(,"ranges":[[{)" + good + "," + router + "}]]"), false},
      {"a route's MTU is not the interface's", at_most("mtu", 1500),
       ipam(good + R"(,"routes":[{"mtu":9000}])"), true},
  });
}

TEST(Bypass, Bursts) {
  const Limit most = at_most("egressBurst", 150000);
  const auto bandwidth = [](const std::string& config) { return member("bandwidth", config); };
  const auto annotated = [&](const std::string& limits, const std::string& beside = "") {
    return bandwidth(R"({"runtimeConfig":{"bandwidth":{)" + limits + "}}" + beside + "}");
  };
  expect_all({
      {"within", most, bandwidth(R"({"egressRate":1,"egressBurst":150000})"), true},
      {"above", most, bandwidth(R"({"egressRate":1,"egressBurst":150001})"), false},
      {"absent with a rate that needs less", most, bandwidth(R"({"egressRate":1500000})"), true},
      {"absent with a rate that needs more", most, bandwidth(R"({"egressRate":1500010})"), false},
      {"0 with it", most, bandwidth(R"({"egressRate":1500010,"egressBurst":0})"), false},
      {"ten packets", at_most("egressBurst", 119999), bandwidth(R"({"egressRate":8})"), false},
      {"absent without a rate", most, bandwidth("{}"), true},
      {"annotated", most, annotated(R"("egressRate":9000000,"egressBurst":150000)"), true},
      {"annotated too much", most, annotated(R"("egressRate":8,"egressBurst":150001)"), false},
      {"annotated without", most, annotated(R"("egressRate":9000000)"), false},
      {"annotated beside its own", most,
       annotated(R"("egressRate":8,"egressBurst":150001)", R"(,"egressRate":8)"), false},
      {"its own without, beside an annotated one", most,
       annotated(R"("egressRate":8,"egressBurst":8)", R"(,"egressRate":9000000)"), false},
      {"a decoy", most,
       annotated(R"("egressRate":8,"egressBurst":150001)", R"(,"args":{"cni":{"egressBurst":1}})"),
       false},
  });
}

std::string mappings(const std::string& list) {
  return R"({"runtimeConfig":{"portMappings":)" + list + "}}";
}

TEST(Bypass, HostPortAndHostIp) {
  const Limit ports{"hostPort", 30000, 32767, {}, at(5)};
  const Limit local = one_of("hostIP", {"127.0.0.1"});
  const auto portmap = [](const std::string& list) { return member("portmap", mappings(list)); };
  expect_all({
      {"within", ports, portmap(R"([{"hostPort":30000,"containerPort":80}])"), true},
      {"below", ports, portmap(R"([{"hostPort":80}])"), false},
      {"the second", ports, portmap(R"([{"hostPort":30000},{"hostPort":80}])"), false},
      {"letter case", ports, portmap(R"([{"HostPort":80}])"), false},
      {"two spellings", ports, portmap(R"([{"hostPort":30000,"hostport":80}])"), false},
      {"no port", ports, portmap(R"([{"containerPort":80}])"), true},
      {"port 0 is none", ports, portmap(R"([{"hostPort":0}])"), true},
      {"no mappings", ports, member("portmap"), true},
      {"a list that is none", ports, portmap(R"({"hostPort":80})"), false},
      {"a runtimeConfig of another case", ports,
       member("portmap", R"({"RuntimeConfig":{"PortMappings":[{"hostPort":80}]}})"), false},
      {"in the configuration of a program that nobody knows", ports,
       member("other", R"({"portMappings":[{"hostPort":80}]})"), false},
      {"a program like ours", ports, foreign(portmap(R"([{"hostPort":80}])")), false},
      {"loopback", local, portmap(R"([{"hostPort":1,"hostIP":"127.0.0.1"}])"), true},
      {"the same mapped", local, portmap(R"([{"hostPort":1,"hostIP":"::ffff:127.0.0.1"}])"), true},
      {"missing is all", local, portmap(R"([{"hostPort":1}])"), false},
      {"empty is all", local, portmap(R"([{"hostPort":1,"hostIP":""}])"), false},
      {"null is all, whatever stands beside it", local,
       portmap(R"([{"hostPort":1,"hostIP":null,"HostIP":"127.0.0.1"}])"), false},
      {"null is all as the last of two", local,
       portmap(R"([{"hostPort":1,"hostIP":"127.0.0.1","hostIP":null}])"), false},
      {"null is all", local, portmap(R"([{"hostPort":1,"hostIP":null}])"), false},
      {"all", local, portmap(R"([{"hostPort":1,"hostIP":"0.0.0.0"}])"), false},
      {"letter case", local, portmap(R"([{"hostPort":1,"hostIP":"127.0.0.1","HOSTIP":"::"}])"),
       false},
      {"without a port no address", local, portmap(R"([{"hostPort":0,"hostIP":""}])"), true},
      {"a subnet", one_of("hostIP", {"10.0.0.0/8"}),
       portmap(R"([{"hostPort":1,"hostIP":"10.9.9.9"}])"), true},
      {"all addresses where they are allowed", one_of("hostIP", {"*"}),
       portmap(R"([{"hostPort":1}])"), true},
  });
}

TEST(Bypass, Sysctl) {
  const Limit core = one_of("sysctl", {"net.core.*", "net.ipv4.conf.IFNAME.*"});
  const auto tuning = [](const std::string& map) {
    return member("tuning", R"({"sysctl":)" + map + "}");
  };
  expect_all({
      {"dots", core, tuning(R"({"net.core.somaxconn":"1"})"), true},
      {"slashes", core, tuning(R"({"net/core/somaxconn":"1"})"), true},
      {"both, and two", core, tuning(R"({"net//core.somaxconn":"1"})"), true},
      {"another", core, tuning(R"({"net.ipv4.ip_forward":"1"})"), false},
      {"another in slashes", core, tuning(R"({"net/ipv4/ip_forward":"1"})"), false},
      {"one of two", core, tuning(R"({"net.core.a":"1","net.ipv4.b":"1"})"), false},
      {"climbing", core, tuning(R"({"net.core/../ipv4/ip_forward":"1"})"), false},
      {"the interface", core, tuning(R"({"net.ipv4.conf.eth0.arp_ignore":"1"})"), true},
      {"the interface by its word", core, tuning(R"({"net.ipv4.conf.IFNAME.arp_ignore":"1"})"),
       true},
      {"all interfaces", core, tuning(R"({"net.ipv4.conf.all.arp_ignore":"1"})"), false},
      {"all interfaces by an interface called *",
       core,
       tuning(R"({"net.ipv4.conf.all.arp_ignore":"1"})"),
       false,
       "",
       {},
       "*"},
      {"of a letter each by one called ???",
       core,
       tuning(R"({"net.ipv4.conf.all.arp_ignore":"1"})"),
       false,
       "",
       {},
       "???"},
      {"the interface called *",
       core,
       tuning(R"({"net/ipv4/conf/*/arp_ignore":"1"})"),
       true,
       "",
       {},
       "*"},
      {"the long s", core, member("other", "{\"\u017fysctl\":{\"net.ipv4.a\":\"1\"}}"), false},
      {"letter case", core, member("tuning", R"({"SYSCTL":{"net.ipv4.a":"1"}})"), false},
      {"in args.cni", core, member("tuning", R"({"args":{"cni":{"sysctl":{"net.ipv4.a":"1"}}}})"),
       false},
      {"none", core, member("tuning"), true},
      {"a program that nobody knows", core, member("other", R"({"sysctl":{"net.ipv4.a":"1"}})"),
       false},
  });
}

TEST(Bypass, CniArgsAndOtherOptions) {
  const Limit mac = one_of("mac", {"02:*"});
  expect_all({
      {"in CNI_ARGS", mac, member("bridge", R"({"mac":"02:0"})"), false, "MAC=0a:1"},
      {"in CNI_ARGS in another case", mac, member("bridge", R"({"mac":"02:0"})"), false,
       "mac=0a:1"},
      {"from the runtime", mac, member("bridge", R"({"runtimeConfig":{"mac":"0a:1"}})"), false},
      {"CNI_ARGS that can't be read", mac, member("bridge", R"({"mac":"02:0"})"), false, "MAC"},
      {"all fine", mac, member("bridge", R"({"mac":"02:0"})"), true, "MAC=02:1"},
      {"missing is the option's default", one_of("ipMasq", {"true"}), member("bridge"), false},
      {"as it is by default", one_of("ipMasq", {"false"}), member("bridge"), true},
      {"of an IPAM", one_of("dataDir", {"/a"}),
       with_ipam(member("bridge", R"({"ipam":{"type":"host-local","DataDir":"/b"}})"),
                 "host-local"),
       false},
  });
}

std::string rate_refusal(const Limit& limit, const std::vector<Member>& members) {
  return refusal_of([&] { require_rate(rule(), limit, members); }, Code::policy_violated);
}

TEST(Bypass, Rates) {
  const Limit most = at_most("egressRate", 100);
  const Member bridge = member("bridge");
  const struct {
    const char* what;
    Limit limit;
    std::vector<Member> members;
    bool holds;
  } rows[] = {
      {"no bandwidth member is unlimited", most, {bridge}, false},
      {"one without a rate", most, {bridge, member("bandwidth")}, false},
      {"0 is unlimited", most, {bridge, member("bandwidth", R"({"egressRate":0})")}, false},
      {"within", most, {bridge, member("bandwidth", R"({"egressRate":100})")}, true},
      {"above", most, {bridge, member("bandwidth", R"({"egressRate":101})")}, false},
      {"the other direction", most, {bridge, member("bandwidth", R"({"ingressRate":1})")}, false},
      {"two spellings",
       most,
       {bridge, member("bandwidth", R"({"egressRate":1,"EgressRate":1000})")},
       false},
      {"null is unlimited, whatever stands beside it",
       most,
       {bridge, member("bandwidth", R"({"ingressRate":9,"egressRate":null,"EgressRate":1})")},
       false},
      {"null is unlimited as the last of two",
       most,
       {bridge, member("bandwidth", R"({"ingressRate":9,"egressRate":1,"egressRate":null})")},
       false},
      {"annotations that null hides",
       most,
       {bridge, member("bandwidth", R"({"runtimeConfig":null,)"
                                    R"("RuntimeConfig":{"bandwidth":{"egressRate":50}}})")},
       false},
      {"in args.cni",
       most,
       {bridge, member("bandwidth", R"({"args":{"cni":{"egressRate":1}}})")},
       false},
      {"annotated",
       most,
       {bridge, member("bandwidth", R"({"runtimeConfig":{"bandwidth":{"EgressRate":50}}})")},
       true},
      {"annotations that the configuration silences",
       most,
       {bridge, member("bandwidth",
                       R"({"ingressRate":1,"runtimeConfig":{"bandwidth":{"egressRate":50}}})")},
       false},
      {"the lower of two",
       most,
       {bridge, member("bandwidth", R"({"egressRate":1000})"),
        member("x-bandwidth", R"({"egressRate":9})")},
       true},
      {"a program like ours",
       most,
       {bridge, foreign(member("bandwidth", R"({"egressRate":100})"))},
       true},
      {"loopback has no traffic to limit", most, {member("lo")}, true},
      {"unlimited where a least is asked", at_least("egressRate", 100), {bridge}, true},
      {"too little",
       at_least("egressRate", 100),
       {bridge, member("bandwidth", R"({"egressRate":9})")},
       false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(rate_refusal(row.limit, row.members).empty(), row.holds) << row.what;
  }
  EXPECT_EQ(rate_refusal(most, {bridge}),
            "p.yaml:5: rule r: egressRate unlimited is not allowed; allowed: at most 100");
}

}  // namespace
}  // namespace unicni::policy::bypass_test
