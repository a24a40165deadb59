// Results: those that a plugin prints, and what it makes of those that it is given.
#include <algorithm>

#include "conformance/layout.h"
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

void layout(Trial& t) {
  for (const std::string& version : t.versions()) {
    const Attachment job = t.attachment(version);
    const Json result = t.must_add(job);
    for (const Finding& finding : layout_errors(result, version)) {
      t.violated(finding.id, finding.text);
    }
    t.del(job, result);
  }
}

void sandbox(Trial& t) {
  for (const std::string& version : t.versions("0.3.0")) {
    const Attachment job = t.attachment(version);
    const Json result = t.must_add(job);
    const Json interfaces = result.value("interfaces", Json::array());
    const auto inside = std::count_if(interfaces.begin(), interfaces.end(), [&](const Json& each) {
      return each.value("name", "") == job.if_name && each.value("sandbox", "") == job.netns;
    });
    t.expect(inside == 1, "RES-11",
             "one interface is " + job.if_name + " with the sandbox " + job.netns + ": " +
                 result.dump());
    for (const Json& each : interfaces) {
      const std::string sandbox = each.value("sandbox", "");
      t.expect(sandbox.empty() || sandbox == job.netns, "RES-11",
               "sandbox is CNI_NETNS or nothing: " + result.dump());
    }
  }
}

/// Whether a plugin can be given a result: as prevResult, or by the suite's own IPAM.
bool can_be_fed(const Subject& subject) { return hands_on(subject) || delegates(subject); }

constexpr std::string_view kSubnet = "10.1.200.";

Output feed(Trial& t, const Recorder& ipam, const Json& result) {
  Attachment job = t.attachment();
  if (hands_on(t.subject())) {
    // What a chained plugin works on is in another subnet.
    std::string text = result.dump();
    const std::string subnet = "10.1." + std::to_string(job.number) + '.';
    for (std::size_t at = 0; (at = text.find(kSubnet, at)) != text.npos;) {
      text.replace(at, kSubnet.size(), subnet);
    }
    const Json own = job.config.value("prevResult", Json::object());
    job.config["prevResult"] = Json::parse(text);
    if (own.contains("interfaces")) job.config["prevResult"]["interfaces"] = own["interfaces"];
  } else {
    job.config["ipam"] = {{"type", "fake-ipam"}};
    ipam.answer("ADD", result.dump());
  }
  return t.add(job);
}

/// A good result of the newest version, with that as its only address.
Json with_address(const Trial& t, const Json& ip) {
  return {{"cniVersion", t.subject().newest()}, {"ips", Json::array({ip})}};
}

Json address(const Trial& t, const std::string& text) {
  Json ip = {{"address", text}, {"gateway", "10.1.200.1"}};
  if (t.subject().newest() < "1") ip["version"] = "4";
  return ip;
}

void bad_addresses(Trial& t) {
  const Recorder ipam("fake-ipam");
  for (const char* text :
       {"10.1.200.2", "10.1.200.256/24", "10.1.200.02/24", "x/24", "10.1.200.2/33"}) {
    t.fails("RES-08", feed(t, ipam, with_address(t, address(t, text))),
            std::string("ADD when a result has the address ") + text);
  }
}

void host_bits(Trial& t) {
  const Recorder ipam("fake-ipam");
  const Output output = feed(t, ipam, with_address(t, address(t, "10.1.200.77/24")));
  if (!t.succeeds("RES-08", output, "ADD when a result has the address 10.1.200.77/24")) return;
  const std::vector<std::string> addresses = addresses_in(parse_json(output.out));
  t.expect(addresses.size() == 1 && addresses[0].ends_with(".77/24"), "RES-08",
           "10.1.200.77/24 keeps its host bits: " + output.str());
}

void gateways(Trial& t) {
  const Recorder ipam("fake-ipam");
  Json ip = address(t, "10.1.200.2/24");
  Json result = with_address(t, ip);
  result["routes"] = Json::array({{{"dst", "10.9.0.0/16"}, {"gw", ""}}});
  t.succeeds("RES-09", feed(t, ipam, result), "ADD when a route of a result has the gw \"\"");
  result["routes"][0]["gw"] = "x";
  t.fails("RES-09", feed(t, ipam, result), "ADD when a route of a result has the gw x");
  ip["gateway"] = "x";
  t.fails("RES-09", feed(t, ipam, with_address(t, ip)), "ADD when a result has the gateway x");
}

void incomplete(Trial& t) {
  const Recorder ipam("fake-ipam");
  Json ip = address(t, "");
  ip.erase("address");
  t.fails("RES-10", feed(t, ipam, with_address(t, ip)),
          "ADD when a result has an ip without address");
  Json result = with_address(t, address(t, "10.1.200.2/24"));
  result["ips"].push_back(nullptr);
  const Output output = feed(t, ipam, result);
  t.expect(output.signal == 0 && !output.hung && output.status != 2, "RES-10",
           "a null among ips is refused or skipped: " + output.str());
}

void negative_numbers(Trial& t) {
  const Recorder ipam("fake-ipam");
  Json result = with_address(t, address(t, "10.1.200.2/24"));
  result["routes"] = Json::array({{{"dst", "10.9.0.0/16"}, {"priority", -1}}});
  t.fails("RES-14", feed(t, ipam, result), "ADD when a route has the priority -1");
}

/// What a later plugin and the runtime would see of a result that `change` has changed.
template <class F>
Json handed_on(Trial& t, F change) {
  Attachment job = t.attachment();
  if (!job.config.contains("prevResult")) {
    job.config["prevResult"] = {
        {"cniVersion", t.subject().newest()},
        {"interfaces", Json::array({{{"name", "eth0"}, {"sandbox", job.netns}}})},
        {"ips", Json::array({address(t, "10.1.2.3/24")})}};
  }
  change(job.config["prevResult"]);
  return t.must_add(job);
}

void indexes(Trial& t) {
  for (const int index : {0, -1}) {
    const Json result = handed_on(t, [&](Json& prev) { prev["ips"][0]["interface"] = index; });
    const Json ip = result.value("ips", Json::array())[0];
    const bool good =
        ip.is_object() && (index == 0 ? ip.value("interface", Json()) == 0
                                      : !ip.contains("interface") || ip["interface"] == -1);
    t.expect(good, "RES-06",
             "interface " + std::to_string(index) + " is handed on: " + result.dump());
  }
}

void zeros(Trial& t) {
  const Json route = {{"dst", "10.9.0.0/16"}, {"table", 0}, {"scope", 0}};
  const Json result = handed_on(t, [&](Json& prev) { prev["routes"] = Json::array({route}); });
  const Json got = result.value("routes", Json::array());
  t.expect(
      got.size() == 1 && got[0].value("table", Json()) == 0 && got[0].value("scope", Json()) == 0,
      "RES-07", "table 0 and scope 0 of a route are handed on: " + result.dump());
}

void unknown_keys(Trial& t) {
  const Json result = handed_on(t, [](Json& prev) { prev["x-unknown"] = {{"a", 1}}; });
  t.expect(result.value("x-unknown", Json()) == Json{{"a", 1}}, "RES-12",
           "a key of a later specification is handed on: " + result.dump());
}

void dns(Trial& t) {
  const Json dns = {{"nameservers", {"192.0.2.53", "2001:db8::53"}},
                    {"domain", "example.net"},
                    {"search", {"a.example.net", "b.example.net"}},
                    {"options", {"ndots:2"}}};
  const Json result = handed_on(t, [&](Json& prev) { prev["dns"] = dns; });
  const nlohmann::json got = result.value("dns", Json());
  t.expect(got == nlohmann::json(dns), "DNS-02", "dns is handed on as it is: " + result.dump());
}

const Check kChecks[] = {
    {"RES-01 RES-03 RES-04 RES-05 RES-06 RES-08 RES-13 DNS-01",
     "results have the keys of their version", Level::must, "0.1.0", &every, &layout},
    {"RES-06", "the index of an interface is handed on", Level::must, "0.3.0", &hands_on, &indexes},
    {"RES-07", "numbers that are 0 are handed on", Level::must, "1.1.0", &hands_on, &zeros},
    {"RES-08", "addresses have a prefix and are well written", Level::must, "0.3.0", &can_be_fed,
     &bad_addresses},
    {"RES-08", "addresses keep their host bits", Level::must, "0.3.0", &can_be_fed, &host_bits},
    {"RES-09", "an empty gw is none and a wrong one an error", Level::must, "0.3.0", &can_be_fed,
     &gateways},
    {"RES-10", "incomplete addresses are refused", Level::must, "0.3.0", &can_be_fed, &incomplete},
    {"RES-11", "sandbox is the container's namespace", Level::must, "0.3.0", &works_inside,
     &sandbox},
    {"RES-12", "unknown keys of a result are handed on", Level::should, "0.3.0", &hands_on,
     &unknown_keys},
    {"RES-14", "negative numbers are refused", Level::may, "1.1.0", &can_be_fed, &negative_numbers},
    {"DNS-02", "dns is handed on", Level::must, "0.3.0", &hands_on, &dns},
};

}  // namespace

std::span<const Check> result_rules() { return kChecks; }

}  // namespace unicni::conformance
