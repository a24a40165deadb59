// bandwidth: what it makes, what the traffic sees of it, and that nothing is left.
#include <algorithm>
#include <chrono>
#include <thread>

#include "integration/chained.h"
#include "support/fault.h"
#include "support/traffic.h"

namespace unicni::test::bandwidth_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json limits(long rate = 1'000'000, long burst = 8'000'000) {
  return {{"type", "bandwidth"},
          {"ingressRate", rate},
          {"ingressBurst", burst},
          {"egressRate", rate},
          {"egressBurst", burst}};
}

class Bandwidth : public ChainedTest {
 protected:
  static std::vector<std::string> ifbs() {
    std::vector<std::string> names;
    for (const Json& link : tool_json({"ip", "-j", "link", "show", "type", "ifb"})) {
      names.push_back(link["ifname"]);
    }
    return names;
  }
  static std::string ifb_of(const Json& result) {
    for (const Json& each : result["interfaces"]) {
      if (each["name"].get<std::string>().starts_with("bwp")) return each["name"];
    }
    return {};
  }
  static void expect_limited(const std::string& link) {
    const Json qdisc = qdisc_of(link, "tbf");
    ASSERT_FALSE(qdisc.is_null()) << link;
    EXPECT_EQ(qdisc["root"], true);
    EXPECT_EQ(qdisc["options"]["rate"], 125000) << qdisc;
    EXPECT_EQ(qdisc["options"]["burst"], 1000000) << qdisc;
  }
};

TEST_F(Bandwidth, LimitsBothDirectionsInAListAndLeavesNothing) {
  const Attachment job = attachment(list(limits()));
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  ASSERT_EQ(result["interfaces"].size(), 4U) << result;
  const std::string ifb = ifb_of(result);
  EXPECT_EQ(result["interfaces"][3]["name"], ifb) << "it comes last";
  const auto link = find_link(ifb);
  ASSERT_TRUE(link);
  EXPECT_EQ(result["interfaces"][3]["mac"], link->at("address"));
  EXPECT_EQ(link->value("ifalias", ""), "mynet/c1/eth0");
  EXPECT_EQ(link->at("mtu"), 1500);
  EXPECT_EQ(link->value("txqlen", 0), 0);
  EXPECT_EQ(sysctl("net/ipv6/conf/" + ifb + "/disable_ipv6"), "1");
  EXPECT_THAT(tool_json({"ip", "-j", "-6", "route", "show", "table", "all", "dev", ifb}),
              IsEmpty());
  EXPECT_THAT(link->at("flags"), ::testing::Contains("UP"));
  expect_limited(host_end(result));
  expect_limited(ifb);
  EXPECT_FALSE(qdisc_of(host_end(result), "ingress").is_null());
  EXPECT_TRUE(pings(container_of(job).fd(), "10.22.0.1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Bandwidth, TheIfbHasTheReferencesName) {
  Attachment first = bridged("ctr1");
  const Json bridge = must_add(first);
  EXPECT_EQ(ifb_of(must_add(after(first, bridge, limits()))), "bwp5145007e2a84");
}

TEST_F(Bandwidth, ProcessByProcessDelNeedsNeitherPrevResultNorNamespace) {
  for (const char* how : {"prevResult", "none", "netns gone", "journal lost"}) {
    SCOPED_TRACE(how);
    Attachment first = bridged();
    const Json bridge = must_add(first);
    const Snapshot before = kernel_snapshot(sandbox_.netns());
    Attachment next = after(first, bridge, limits());
    const Json result = must_add(next);
    expect_silent_success(next.check(result));
    if (how == std::string("journal lost")) tool({"rm", "-r", "/run/unicni"});
    next.config.erase("prevResult");
    if (how == std::string("netns gone")) {
      container_of(first).remove();
      next.netns = "";
    }
    expect_silent_success(how == std::string("prevResult") ? next.del(result) : next.del());
    expect_silent_success(next.del());
    EXPECT_THAT(ifbs(), IsEmpty());
    if (how == std::string("prevResult")) {
      EXPECT_EQ(difference(before, kernel_snapshot(sandbox_.netns())), "");
    }
    expect_silent_success(first.del());
    containers_.clear();
  }
}

TEST_F(Bandwidth, OneDirectionIsOneDirection) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Json config = {{"type", "bandwidth"}, {"ingressRate", 1000000}, {"ingressBurst", 8000000}};
  const Attachment in = after(first, bridge, config);
  EXPECT_EQ(must_add(in), bridge) << "no ifb";
  expect_limited(host_end(bridge));
  EXPECT_TRUE(qdisc_of(host_end(bridge), "ingress").is_null());
  expect_silent_success(in.check(bridge));
  expect_silent_success(in.del());
  config = {{"type", "bandwidth"}, {"egressRate", 1000000}, {"egressBurst", 8000000}};
  const Attachment out = after(first, bridge, config);
  const Json result = must_add(out);
  EXPECT_TRUE(qdisc_of(host_end(bridge), "tbf").is_null());
  expect_limited(ifb_of(result));
  expect_silent_success(out.check(result));
  expect_silent_success(out.del());
}

TEST_F(Bandwidth, WithoutLimitsPrevResultIsTheResult) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Attachment none = after(first, bridge, {{"type", "bandwidth"}, {"ingressRate", 0}});
  EXPECT_EQ(must_add(none), bridge);
  expect_silent_success(none.check(bridge));
  expect_silent_success(none.del());
}

TEST_F(Bandwidth, RuntimeConfigInAnyLetterCaseWithTheBurstOfContainerd) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Json config = {{"type", "bandwidth"}, {"capabilities", {{"bandwidth", true}}}};
  config["runtimeConfig"]["bandwidth"] = {{"IngressRate", 10000000},
                                          {"ingressburst", 4294967295U},
                                          {"EGRESSRATE", 10000000},
                                          {"egressBurst", 4294967295U}};
  const Attachment next = after(first, bridge, config);
  const Output added = next.add();
  ASSERT_TRUE(added.ok()) << added.str();
  EXPECT_EQ(added.err, "") << "the runtime's spelling is nobody's fault";
  const Json result = added.json();
  const Json qdisc = qdisc_of(host_end(result), "tbf");
  EXPECT_EQ(qdisc["options"]["rate"], 1250000) << qdisc;
  EXPECT_FALSE(qdisc_of(ifb_of(result), "tbf").is_null());
  expect_silent_success(next.check(result));
  expect_silent_success(next.del(result));
}

TEST_F(Bandwidth, AttachmentsOfOneContainerDoNotCollide) {
  Attachment first = bridged();
  const Attachment one = after(first, must_add(first), limits());
  const Json first_result = must_add(one);
  Attachment second = first;
  second.if_name = "eth1";
  const Attachment two = after(second, must_add(second), limits());
  const Json second_result = must_add(two);
  EXPECT_NE(ifb_of(first_result), ifb_of(second_result));
  EXPECT_EQ(ifbs().size(), 2U);
  expect_silent_success(one.check(first_result));
  expect_silent_success(two.check(second_result));
  expect_silent_success(one.del(first_result));
  expect_silent_success(two.check(second_result));
  EXPECT_THAT(ifbs(), ::testing::ElementsAre(ifb_of(second_result)));
  expect_silent_success(two.del());
  EXPECT_THAT(ifbs(), IsEmpty());
}

TEST_F(Bandwidth, RateIsKeptInBothDirections) {
  constexpr long kRate = 20'000'000;
  Attachment first = attachment(list(limits(kRate, 800'000)));
  must_add(first);
  const int inside = container_of(first).fd();
  const int host = sandbox_.netns();
  EXPECT_NEAR(steady_rate(host, inside, "10.22.0.2", 5001, "eth0") / kRate, 1.0, 0.05);
  EXPECT_NEAR(steady_rate(inside, host, "10.22.0.1", 5002, "cni0") / kRate, 1.0, 0.05);
}

/// Bits a second of TCP from one namespace to another as iperf3's server counts what arrives after
/// the first second; the Ethernet frames that carry them, as the limit counts those. The median of
/// half seconds: on a machine that stops for 40 ms the bucket overflows, and that half second's
/// rate is lost.
double iperf_rate(int from, int to, const std::string& address) {
  constexpr double kFrame = 1514;
  constexpr double kPayload = 1448;  // with TCP's timestamps
  Running server({.argv = {"iperf3", "--server", "--one-off", "--json", "--interval", "0.5",
                           "--bind", address},
                  .env = {"PATH=/usr/bin:/bin"},
                  .netns = to});
  Output client;
  for (int tries = 0; tries < 100; ++tries) {
    // The server counts whole reads of the length: small ones, or a half second would be coarse.
    client = run({.argv = {"iperf3", "--client", address, "--time", "4", "--omit", "1", "--length",
                           "4K", "--json", "--get-server-output"},
                  .env = {"PATH=/usr/bin:/bin"},
                  .netns = from});
    if (client.out.find("Connection refused") == std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the server isn't up yet
  }
  EXPECT_TRUE(client.ok()) << client.str();
  std::vector<double> rates;
  const Json report = client.json();
  for (const Json& each : report.at("server_output_json").at("intervals")) {
    const Json& sum = each.at("sum");
    if (sum.at("omitted").get<bool>() || sum.at("seconds").get<double>() < 0.4) continue;
    rates.push_back(sum.at("bits_per_second").get<double>() * kFrame / kPayload);
  }
  EXPECT_GE(rates.size(), 7U) << client.str();
  std::sort(rates.begin(), rates.end());
  return rates.empty() ? 0 : rates[rates.size() / 2];
}

TEST_F(Bandwidth, Iperf3SeesTheRateInBothDirections) {
  constexpr double kRate = 20'000'000;
  const Attachment job = attachment(list(limits(static_cast<long>(kRate), 800'000)));
  must_add(job);
  const int inside = container_of(job).fd();
  const int host = sandbox_.netns();
  EXPECT_NEAR(iperf_rate(host, inside, "10.22.0.2") / kRate, 1.0, 0.05);
  EXPECT_NEAR(iperf_rate(inside, host, "10.22.0.1") / kRate, 1.0, 0.05);
}

TEST_F(Bandwidth, CheckTellsWhatIsMissing) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const Attachment next = after(first, bridge, limits());
  const std::string veth = host_end(bridge);
  const auto expect_broken = [&](const std::vector<std::string>& how, const std::string& text) {
    const Json result = must_add(next);
    tool(how);
    EXPECT_THAT(expect_error(next.check(result))["msg"], HasSubstr(text));
    expect_silent_success(next.del(result));
    succeeds({"tc", "qdisc", "del", "dev", veth, "root"});  // another kind is left to its owner
  };
  expect_broken({"tc", "qdisc", "del", "dev", veth, "root"}, veth + " has no qdisc");
  expect_broken({"tc", "qdisc", "replace", "dev", veth, "root", "pfifo"}, "not tbf");
  expect_broken({"tc", "qdisc", "replace", "dev", veth, "root", "handle", "1:", "tbf", "rate",
                 "2mbit", "burst", "1000000", "latency", "25ms"},
                "250000 bytes a second, not 125000");
  expect_broken({"tc", "qdisc", "del", "dev", veth, "ingress"}, "doesn't redirect");
  const Json result = must_add(next);
  tool({"ip", "link", "set", ifb_of(result), "down"});
  EXPECT_THAT(expect_error(next.check(result))["msg"], HasSubstr("is down"));
  tool({"ip", "link", "del", ifb_of(result)});
  EXPECT_THAT(expect_error(next.check(result))["msg"], HasSubstr("redirect"));
  EXPECT_THAT(expect_error(next.check(bridge))["msg"], HasSubstr("redirect"));
  expect_silent_success(next.del(result));
}

TEST_F(Bandwidth, OtherLinksAndOtherQdiscsAreRefusedByName) {
  Container& inside = container("c7");
  inside.run({"ip", "link", "add", "eth0", "type", "ifb"});
  const Json prev = {{"interfaces", {{{"name", "eth0"}, {"sandbox", inside.path()}}}}};
  Attachment job{.config = {}, .netns = inside.path(), .container_id = "c7"};
  job.config = {{"cniVersion", "1.0.0"}, {"name", "mynet"}};
  const Attachment wrong = after(job, prev, limits());
  EXPECT_THAT(expect_error(wrong.add())["msg"],
              HasSubstr("eth0 in " + inside.path() + " has no veth peer: it is a ifb link"));

  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const std::string veth = host_end(bridge);
  const Attachment next = after(first, bridge, limits());
  const Snapshot before = kernel_snapshot(sandbox_.netns());
  tool({"tc", "qdisc", "add", "dev", veth, "clsact"});
  EXPECT_THAT(expect_error(next.add())["msg"], HasSubstr(veth + " has a qdisc clsact"));
  EXPECT_FALSE(qdisc_of(veth, "clsact").is_null()) << "somebody else's stays";
  EXPECT_THAT(ifbs(), IsEmpty()) << "rolled back";
  tool({"tc", "qdisc", "del", "dev", veth, "clsact"});
  EXPECT_EQ(difference(before, kernel_snapshot(sandbox_.netns())), "");
}

TEST_F(Bandwidth, TheVethsEndIsTheKernelsWhateverPrevResultNames) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Json strange = bridge;
  strange["interfaces"][1]["name"] = "veth00000000";
  const Attachment next = after(first, strange, limits());
  const Json result = must_add(next);
  expect_limited(host_end(bridge));
  expect_limited(ifb_of(result));
  expect_silent_success(next.check(result));
  expect_silent_success(next.check(strange));  // the ifb is ours by its alias
  expect_silent_success(next.del());
  EXPECT_THAT(ifbs(), IsEmpty());
}

TEST_F(Bandwidth, ARateAloneHasABurstThatCheckKnows) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const std::string veth = host_end(bridge);
  const auto burst_of = [](const std::string& link) {
    return qdisc_of(link, "tbf")["options"]["burst"].get<long>();
  };
  const Snapshot before = kernel_snapshot(sandbox_.netns());
  const Attachment fast = after(first, bridge,
                                {{"type", "bandwidth"},
                                 {"ingressRate", 80'000'000},
                                 {"egressRate", 80'000'000},
                                 {"egressBurst", 0}});
  const Json result = must_add(fast);
  EXPECT_EQ(burst_of(veth), 1'000'000) << "0.1 s";
  EXPECT_EQ(burst_of(ifb_of(result)), 1'000'000);
  expect_silent_success(fast.check(result));
  tool({"tc", "qdisc", "replace", "dev", veth, "root", "handle", "1:", "tbf", "rate", "80mbit",
        "burst", "500000", "latency", "25ms"});
  EXPECT_THAT(expect_error(fast.check(result))["msg"], HasSubstr(veth));
  expect_silent_success(fast.del(result));
  EXPECT_EQ(difference(before, kernel_snapshot(sandbox_.netns())), "");

  tool({"ip", "link", "set", veth, "mtu", "9000"});
  const Attachment slow =
      after(first, bridge,
            {{"type", "bandwidth"}, {"ingressRate", 1'000'000}, {"egressRate", 1'000'000}});
  const Json slow_result = must_add(slow);
  EXPECT_EQ(burst_of(veth), 90'000) << "10 packets of the MTU";
  EXPECT_EQ(burst_of(ifb_of(slow_result)), 90'000);
  expect_silent_success(slow.check(slow_result));
  expect_silent_success(slow.del(slow_result));
}

TEST_F(Bandwidth, DelRemovesWhatTheReferenceMade) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Attachment reference = after(first, bridge, limits());
  reference.folder = kReferenceDir;
  const Json result = must_add(reference);
  Attachment ours = reference;
  ours.folder = "";
  expect_silent_success(ours.check(result));
  // Of another attachment of the container it is not.
  Attachment foreign = ours;
  foreign.if_name = "eth1";
  foreign.config["prevResult"] = bridge;
  expect_silent_success(foreign.del());
  EXPECT_EQ(ifbs().size(), 1U);
  expect_silent_success(ours.del(result));
  EXPECT_THAT(ifbs(), IsEmpty());
}

TEST_F(Bandwidth, TheReferenceDeletesOurs) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  Attachment next = after(first, bridge, limits());
  const Json result = must_add(next);
  next.folder = kReferenceDir;
  expect_silent_success(next.check(result));
  expect_silent_success(next.del(result));
  EXPECT_THAT(ifbs(), IsEmpty());
}

TEST_F(Bandwidth, GcFindsALeakByItsAlias) {
  const Attachment job = attachment(list(limits(), "1.1.0"));
  const Json result = must_add(job);
  tool({"ip", "link", "add", "bwpleak", "type", "ifb"});
  tool({"ip", "link", "set", "bwpleak", "alias", "mynet/gone/eth0"});
  tool({"ip", "link", "add", "bwpother", "type", "ifb"});
  tool({"ip", "link", "set", "bwpother", "alias", "othernet/gone/eth0"});
  Attachment nobody = job;
  nobody.netns = nobody.container_id = nobody.if_name = "";
  expect_silent_success(nobody.gc(Json::array({valid_entry(job)})));
  EXPECT_THAT(ifbs(), ::testing::UnorderedElementsAre(ifb_of(result), "bwpother"));
  expect_silent_success(job.check(result));
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_THAT(ifbs(), ::testing::ElementsAre("bwpother"));
}

TEST_F(Bandwidth, StatusTellsOfAKernelWithoutIfb) {
  Attachment job = attachment(with_version(limits(), "1.1.0"));
  job.config["name"] = "mynet";
  expect_silent_success(job.status());
  const Injection without = fail_at(job.spawn("STATUS", job.config), 1, Fault::message);
  ASSERT_TRUE(without.reached);
  EXPECT_EQ(without.output.json()["code"], 50) << without.output.str();
}

}  // namespace
}  // namespace unicni::test::bandwidth_test
