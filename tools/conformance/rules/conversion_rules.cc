// Conversions of results, seen from outside: an IPAM that answers in another version than the
// configuration's, and a prevResult of another one.
#include <algorithm>

#include "conformance/layout.h"
#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

/// One address of each family: not every plugin takes two.
const std::vector<std::string> kAddresses = {"10.1.200.77/24", "fd00:1:200::77/64"};

/// An answer with these addresses, a route and DNS, in the layout of its version.
Json answer_in(const std::string& version) {
  const Json dns = {{"nameservers", {"192.0.2.53"}}};
  const Json route = {{"dst", "10.9.0.0/16"}, {"gw", "10.1.200.9"}};
  if (version < "0.3") {
    return {
        {"cniVersion", version},
        {"ip4",
         {{"ip", "10.1.200.77/24"}, {"gateway", "10.1.200.1"}, {"routes", Json::array({route})}}},
        {"ip6", {{"ip", "fd00:1:200::77/64"}, {"gateway", "fd00:1:200::1"}}},
        {"dns", dns}};
  }
  Json ips = Json::array(
      {{{"version", "4"}, {"address", "10.1.200.77/24"}, {"gateway", "10.1.200.1"}},
       {{"version", "6"}, {"address", "fd00:1:200::77/64"}, {"gateway", "fd00:1:200::1"}}});
  if (version >= "1") {
    for (Json& ip : ips) ip.erase("version");
  }
  return {{"cniVersion", version}, {"ips", ips}, {"routes", Json::array({route})}, {"dns", dns}};
}

Json routes_in(const Json& result) {
  Json routes = result.value("routes", Json::array());
  for (const char* family : {"ip4", "ip6"}) {
    const Json ip = result.value(family, Json::object());
    for (const Json& route : ip.value("routes", Json::array())) routes.push_back(route);
  }
  return routes;
}

void convert(Trial& t, const std::string& id, const std::string& from, const std::string& to) {
  const auto& supported = t.subject().versions();
  for (const std::string& version : {from, to}) {
    if (std::find(supported.begin(), supported.end(), version) == supported.end()) return;
  }
  const Recorder ipam("fake-ipam-" + from + '-' + to);
  ipam.answer("ADD", answer_in(from).dump());
  Attachment job = t.attachment(to);
  t.container_of(job).skip_duplicate_detection();  // thirty conversions, and none is about it
  job.config["ipam"] = {{"type", "fake-ipam-" + from + '-' + to}};
  const Output output = t.add(job);
  const std::string what = "an answer of " + from + " in a configuration of " + to;
  if (!t.succeeds(id, output, "ADD with " + what)) return;
  const Json result = parse_json(output.out);
  t.expect(addresses_in(result) == kAddresses, id,
           what + " keeps the addresses and their order: " + output.str());
  const Json routes = routes_in(result);
  const bool has_route = std::any_of(routes.begin(), routes.end(), [](const Json& route) {
    return route.value("dst", "") == "10.9.0.0/16" && route.value("gw", "") == "10.1.200.9";
  });
  t.expect(has_route, id, what + " keeps the route and its gateway: " + output.str());
  for (const Finding& finding : layout_errors(result, to)) t.violated(id, finding.text);
  t.del(job, result);
}

/// Each of a list of pairs.
using Pairs = std::initializer_list<std::pair<const char*, const char*>>;
void convert_all(Trial& t, const std::string& id, Pairs pairs) {
  for (const auto& [from, to] : pairs) convert(t, id, from, to);
}

void same(Trial& t) {
  for (const std::string& version : t.versions()) convert(t, "CONV-01", version, version);
}
void oldest(Trial& t) { convert_all(t, "CONV-02", {{"0.1.0", "0.2.0"}, {"0.2.0", "0.1.0"}}); }
void old_to_middle(Trial& t) {
  convert_all(t, "CONV-03", {{"0.1.0", "0.3.0"}, {"0.2.0", "0.3.1"}, {"0.2.0", "0.4.0"}});
}
void middle(Trial& t) { convert_all(t, "CONV-04", {{"0.3.0", "0.4.0"}, {"0.4.0", "0.3.1"}}); }
void middle_to_new(Trial& t) {
  convert_all(t, "CONV-05", {{"0.3.1", "1.0.0"}, {"0.4.0", "1.0.0"}, {"0.4.0", "1.1.0"}});
}
void new_to_middle(Trial& t) {
  convert_all(t, "CONV-06", {{"1.0.0", "0.3.1"}, {"1.0.0", "0.4.0"}, {"1.1.0", "0.4.0"}});
}
void new_ones(Trial& t) { convert_all(t, "CONV-07", {{"1.0.0", "1.1.0"}, {"1.1.0", "1.0.0"}}); }
void to_old(Trial& t) {
  convert_all(t, "CONV-08", {{"0.4.0", "0.2.0"}, {"1.0.0", "0.2.0"}, {"1.0.0", "0.1.0"}});
}
void old_to_new(Trial& t) {
  convert_all(t, "CONV-10", {{"0.1.0", "1.0.0"}, {"0.2.0", "1.0.0"}, {"0.2.0", "1.1.0"}});
}

void unknown(Trial& t) {
  const Recorder ipam("fake-ipam");
  Json answer = answer_in("1.0.0");
  answer["cniVersion"] = "9.9.9";
  ipam.answer("ADD", answer.dump());
  Attachment job = t.attachment();
  job.config["ipam"] = {{"type", "fake-ipam"}};
  t.fails("CONV-12", t.add(job), "ADD with an answer of version 9.9.9");
}

/// CONV-15 and CONV-16 are what convert() asks of every pair; here they stand by themselves.
void order_and_gateways(Trial& t) {
  convert(t, "CONV-15", "1.0.0", "1.0.0");
  convert(t, "CONV-16", "0.2.0", "0.4.0");
  convert(t, "CONV-16", "0.2.0", "0.2.0");
}

const Check kChecks[] = {
    {"CONV-01", "a result of the same version stays as it is", Level::must, "0.1.0", &delegates,
     &same},
    {"CONV-02", "0.1.0 and 0.2.0 differ by the number alone", Level::must, "0.1.0", &delegates,
     &oldest},
    {"CONV-03", "ip4 and ip6 become a list of addresses", Level::must, "0.3.0", &delegates,
     &old_to_middle},
    {"CONV-04", "0.3.0 to 0.4.0 differ by the number alone", Level::must, "0.3.0", &delegates,
     &middle},
    {"CONV-05", "addresses lose their family from 1.0.0 on", Level::must, "1.0.0", &delegates,
     &middle_to_new},
    {"CONV-06", "addresses get their family before 1.0.0", Level::must, "0.3.0", &delegates,
     &new_to_middle},
    {"CONV-07", "1.0.0 and 1.1.0 differ by the number alone", Level::must, "1.0.0", &delegates,
     &new_ones},
    {"CONV-08", "the oldest versions have one address of a family", Level::must, "0.1.0",
     &delegates, &to_old},
    {"CONV-10", "ip4 and ip6 become addresses without family", Level::must, "1.0.0", &delegates,
     &old_to_new},
    {"CONV-12", "an unknown version of an answer is an error", Level::must, "0.1.0", &delegates,
     &unknown},
    {"CONV-15 CONV-16", "order and the gateways of routes survive", Level::must, "0.1.0",
     &delegates, &order_and_gateways},
};

}  // namespace

std::span<const Check> conversion_rules() { return kChecks; }

}  // namespace unicni::conformance
