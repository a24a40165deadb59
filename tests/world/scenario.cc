#include "world/scenario.h"

#include <arpa/inet.h>

#include <array>
#include <sstream>

#include "world/foreign.h"

namespace unicni::test::world {
namespace {

constexpr const char* kVerbNames[] = {"ADD",    "DEL",   "CHECK",  "GC",  "edit",
                                      "remake", "flush", "vanish", "move"};
constexpr const char* kNetnsNames[] = {"", ", netns empty", ", netns missing",
                                       ", netns of another container"};

/// All networks lead to everywhere, each by prefixes of another length: a container on several has
/// no two routes to one destination, and the one with the highest number wins.
Json routes_of(const NetworkPlan& network, const Subnets& subnets) {
  const std::string number = std::to_string(network.number);
  const auto prefix = [&](int shortest) { return '/' + std::to_string(shortest + network.number); };
  Json routes = Json::array();
  const auto put = [&](const std::string& dst) { routes.push_back({{"dst", dst}}); };
  if (!subnets.v4.empty()) {
    put("10.0.0.0" + prefix(8));
    put("198.51.96.0" + prefix(20));
    put("198.18." + number + ".0/24");
  }
  if (!subnets.v6.empty()) {
    put("fd00::" + prefix(8));
    put("2001:db8:51::" + prefix(48));
    put("2001:db8:18:" + number + "::/64");
  }
  return routes;
}

/// The subnet's address with that number, which is small.
std::string address_in(const std::string& subnet, unsigned number) {
  std::array<unsigned char, 16> bytes{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v6 = subnet.find(':') != std::string::npos;
  const int family = v6 ? AF_INET6 : AF_INET;
  ::inet_pton(family, subnet.substr(0, subnet.find('/')).c_str(), bytes.data());
  unsigned char& last = bytes.at(v6 ? 15 : 3);
  last = static_cast<unsigned char>(last + number);
  ::inet_ntop(family, bytes.data(), text.data(), text.size());
  return text.data();
}

std::string gateway_of(const NetworkPlan& network, const std::string& subnet) {
  return address_in(subnet, network.gateway == Gateway::bridge ? 1 : 2);
}

/// All that the program has to know is in its configuration: who gets which addresses.
Json lending(const NetworkPlan& network, const Subnets& subnets) {
  constexpr int kMostContainers = 4;
  constexpr unsigned kFirst = 16;
  Json addresses = Json::object();
  for (int container = 0; container < kMostContainers; ++container) {
    Json own = Json::array();
    for (const std::string& subnet : {subnets.v4, subnets.v6}) {
      if (subnet.empty()) continue;
      own.push_back({{"version", subnet == subnets.v6 ? "6" : "4"},
                     {"address", address_in(subnet, kFirst + static_cast<unsigned>(container)) +
                                     subnet.substr(subnet.find('/'))},
                     {"gateway", gateway_of(network, subnet)}});
    }
    addresses[container_name(container)] = own;
  }
  return {{"type", program_of(network)},
          {"addresses", addresses},
          {"routes", routes_of(network, subnets)}};
}

Json ipam_of(const NetworkPlan& network, const Subnets& subnets) {
  if (network.lends) return lending(network, subnets);
  Json ranges = Json::array();
  for (const std::string& subnet : {subnets.v4, subnets.v6}) {
    if (subnet.empty()) continue;
    Json range = {{"subnet", subnet}};
    if (network.gateway != Gateway::bridge) range["gateway"] = gateway_of(network, subnet);
    ranges.push_back(Json::array({range}));
  }
  return {{"type", "host-local"}, {"ranges", ranges}, {"routes", routes_of(network, subnets)}};
}

bool makes_interface_of_ours(const std::string& type) {
  return type == "bridge" || type == "ptp" || type == "macvlan";
}

}  // namespace

std::string container_name(int container) { return "c" + std::to_string(container); }

std::string bridge_name(int network) { return "br" + std::to_string(network); }

std::string program_of(const NetworkPlan& network) {
  if (network.lends) return kLender + std::to_string(network.number);
  const std::string type = network.lists.at(0).members.at(0).value("type", "");
  return is_foreign(type) ? type : "";
}

std::vector<std::string> gateways_of(const NetworkPlan& network, const Subnets& subnets) {
  std::vector<std::string> gateways;
  for (const std::string& subnet : {subnets.v4, subnets.v6}) {
    if (subnet.empty()) continue;
    gateways.push_back(gateway_of(network, subnet) + subnet.substr(subnet.find('/')));
  }
  return gateways;
}

std::string outside_of(int network, bool v6) {
  const std::string number = std::to_string(network);
  return v6 ? "2001:db8:18:" + number + "::9" : "198.18." + number + ".9";
}

Json conflist(const NetworkPlan& network, int subnets, int list) {
  const ListPlan& plan = network.lists.at(static_cast<std::size_t>(list) % network.lists.size());
  const Subnets& now =
      network.subnets.at(static_cast<std::size_t>(subnets) % network.subnets.size());
  Json members = plan.members;
  if (makes_interface_of_ours(members[0].value("type", ""))) {
    members[0]["ipam"] = ipam_of(network, now);
  }
  return {{"cniVersion", plan.version}, {"name", network.name}, {"plugins", members}};
}

std::string wanted_mac(const Scenario& scenario, int place) {
  const Place& where = scenario.places.at(static_cast<std::size_t>(place));
  return "02:11:22:33:4" + std::to_string(where.network) + ":5" + std::to_string(where.container);
}

Json offered(const Scenario& scenario, int place, int ports) {
  return {{"mac", wanted_mac(scenario, place)},
          {"portMappings", scenario.port_lists.empty()
                               ? Json::array()
                               : scenario.port_lists.at(static_cast<std::size_t>(ports) %
                                                        scenario.port_lists.size())}};
}

std::string describe(const Scenario& scenario, const Step& step) {
  std::ostringstream text;
  text << kVerbNames[static_cast<int>(step.verb)];
  switch (step.verb) {
    case Verb::add:
    case Verb::del:
    case Verb::check: {
      const Place& place = scenario.places.at(static_cast<std::size_t>(step.place));
      text << " of " << container_name(place.container) << ' ' << place.if_name << " on "
           << scenario.networks.at(static_cast<std::size_t>(place.network)).name;
      if (step.verb == Verb::add) text << ", port list " << step.choice;
      break;
    }
    case Verb::gc:
      text << " of " << scenario.networks.at(static_cast<std::size_t>(step.network)).name
           << ", valid are places of " << std::hex << "0x" << step.valid << std::dec;
      break;
    case Verb::edit:
    case Verb::remake:
      text << ' ' << scenario.networks.at(static_cast<std::size_t>(step.network)).name << " to "
           << step.choice;
      break;
    case Verb::move:
      text << ' ' << program_of(scenario.networks.at(static_cast<std::size_t>(step.network)))
           << " to " << kForeignFolders[step.choice];
      break;
    case Verb::vanish:
      text << ' ' << container_name(step.container);
      break;
    case Verb::flush:
      break;
  }
  text << kNetnsNames[static_cast<int>(step.netns)];
  if (step.by_reference) text << ", by the reference";
  if (step.verb == Verb::del && step.old_list) text << ", with the list of its ADD";
  if (step.verb == Verb::del && !step.with_result) text << ", without prevResult";
  if (step.kill) text << ", killed before step " << step.kill->step;
  return text.str();
}

std::vector<Json> members_of_type(const Json& list, const std::string& type) {
  std::vector<Json> members;
  for (const Json& member : list.at("plugins")) {
    if (member.value("type", "") == type) members.push_back(member);
  }
  return members;
}

}  // namespace unicni::test::world
