// Addresses: of IPAM plugins, and what a plugin makes of them.
#include <algorithm>

#include "conformance/rules/rules.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

void no_interfaces(Trial& t) {
  for (const std::string& version : t.versions("0.3.0")) {
    const Json result = t.must_add(t.attachment(version));
    t.expect(!result.contains("interfaces"), "IPAM-01",
             "the result of an IPAM plugin has no interfaces: " + result.dump());
    for (const Json& ip : result.value("ips", Json::array())) {
      t.expect(!ip.contains("interface"), "IPAM-01",
               "an address of an IPAM plugin names no interface: " + result.dump());
    }
    t.expect(!addresses_in(result).empty(), "IPAM-01", "it has an address: " + result.dump());
  }
}

void interface_of_addresses(Trial& t) {
  const Attachment job = t.attachment();
  const Json result = t.must_add(job);
  const Json interfaces = result.value("interfaces", Json::array());
  for (const Json& ip : result.value("ips", Json::array())) {
    const Json index = ip.value("interface", Json());
    const bool valid = index.is_number_unsigned() && index.get<std::size_t>() < interfaces.size();
    if (!t.expect(valid, "IPAM-02", "an address names its interface: " + result.dump())) continue;
    const Json& interface = interfaces[index.get<std::size_t>()];
    t.expect(interface.value("name", "") == job.if_name, "IPAM-02",
             "an address belongs to the container's interface: " + result.dump());
  }
}

Attachment asking(Trial& t, const Recorder& ipam, const std::string& answer) {
  ipam.answer("ADD", answer);
  Attachment job = t.attachment();
  job.config["ipam"] = {{"type", "fake-ipam"}};
  return job;
}

void no_address(Trial& t) {
  const Recorder ipam("fake-ipam");
  const Output added = t.add(asking(t, ipam, R"({"ips": []})"));
  if (ipam.calls().empty()) throw Blocked("the plugin doesn't call its IPAM");
  t.fails("IPAM-03", added, "ADD when the IPAM has no address");
  t.expect(ipam.commands() == "ADD DEL", "IPAM-03",
           "an IPAM without an address gets DEL; it got " + ipam.commands());
}

void gateway_of_routes(Trial& t) {
  const Recorder ipam("fake-ipam");
  const Attachment job =
      asking(t, ipam,
             R"({"ips": [{"version": "4", "address": "10.1.200.77/24", "gateway": "10.1.200.1"}],
          "routes": [{"dst": "10.9.0.0/16"}]})");
  t.must_add(job);
  const std::vector<std::string> routes = routes_of(t.container_of(job).fd());
  t.expect(std::find(routes.begin(), routes.end(), "10.9.0.0/16 via 10.1.200.1") != routes.end(),
           "IPAM-04",
           "a route without gw goes by the address's gateway; there are: " + joined(routes));
}

void other_default_route(Trial& t) {
  const Attachment job = t.attachment();
  const int inside = t.container_of(job).fd();
  tool({"ip", "link", "add", "other0", "type", "veth", "peer", "name", "other1"}, inside);
  tool({"ip", "addr", "add", "192.0.2.1/24", "dev", "other0"}, inside);
  tool({"ip", "link", "set", "other0", "up"}, inside);
  tool({"ip", "link", "set", "other1", "up"}, inside);
  tool({"ip", "route", "add", "default", "via", "192.0.2.9"}, inside);
  t.succeeds("IPAM-05", t.add(job), "ADD where another network has its default route");
}

void no_namespace(Trial& t) {
  Attachment job = t.attachment();
  job.netns = "/run/netns/never-there";
  const Output output = t.add(job);
  if (!t.succeeds("IPAM-06", output, "ADD of an IPAM plugin without a namespace")) return;
  t.succeeds("IPAM-06", t.del(job, parse_json(output.out)),
             "DEL of an IPAM plugin without a namespace");
}

void unique_and_released(Trial& t) {
  const Attachment first = t.attachment();
  const Attachment second = t.attachment();
  const Json first_result = t.must_add(first);
  const Json second_result = t.must_add(second);
  const std::vector<std::string> ones = addresses_in(first_result);
  const std::vector<std::string> twos = addresses_in(second_result);
  for (const std::string& address : ones) {
    t.expect(std::find(twos.begin(), twos.end(), address) == twos.end(), "IPAM-07",
             address + " was given twice");
  }
  t.expect(t.taken().size() == ones.size() + twos.size(), "IPAM-07",
           "what was given is taken: " + joined(t.taken()));
  t.must_del(first, first_result);
  t.expect(t.taken().size() == twos.size(), "IPAM-07",
           "after DEL of the first the second's are taken: " + joined(t.taken()));
  t.must_del(second, second_result);
  t.expect(t.taken().empty(), "IPAM-07", "after DEL nothing is taken: " + joined(t.taken()));
}

const Check kChecks[] = {
    {"IPAM-01", "an IPAM plugin tells addresses and no interfaces", Level::must, "0.3.0", &is_ipam,
     &no_interfaces},
    {"IPAM-02", "addresses name the container's interface", Level::must, "0.3.0", &delegates,
     &interface_of_addresses},
    {"IPAM-03", "an IPAM without an address is an error", Level::must, "0.3.0", &delegates,
     &no_address},
    {"IPAM-04", "a route without gateway takes the address's", Level::should, "0.3.0", &delegates,
     &gateway_of_routes},
    {"IPAM-05", "another default route is no obstacle", Level::should, "0.3.0",
     [](const Subject& s) { return creates(s) && delegates(s); }, &other_default_route},
    {"IPAM-06", "an IPAM plugin needs no namespace", Level::should, "0.1.0", &is_ipam,
     &no_namespace},
    {"IPAM-07", "an address is one attachment's until DEL", Level::must, "0.1.0", &reserves,
     &unique_and_released},
};

}  // namespace

std::span<const Check> ipam_rules() { return kChecks; }

}  // namespace unicni::conformance
