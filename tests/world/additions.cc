#include "world/additions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <random>

namespace unicni::test::world {
namespace {

class Dice {
 public:
  Dice(unsigned seed, const std::string& name) {
    std::seed_seq numbers{seed, static_cast<unsigned>(name.at(0)),
                          static_cast<unsigned>(name.at(1))};
    random_.seed(numbers);
  }
  int upto(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  bool with_chance(int percent) { return upto(99) < percent; }

 private:
  std::mt19937 random_;
};

std::string main_type(const NetworkPlan& network) {
  return network.lists.at(0).members.at(0).value("type", "");
}

void each_main(NetworkPlan& network, const std::function<void(Json&)>& change) {
  for (ListPlan& list : network.lists) change(list.members.at(0));
}

/// One network: of two on one wire a container would answer ARP for both addresses by either link.
/// A macvlan's packets don't meet the host: nothing can be published, and no veth be limited.
void put_on_uplink(NetworkPlan& network) {
  each_main(network, [](Json& main) {
    main = {{"type", "macvlan"}, {"master", "up0"}, {"mode", "bridge"}};
  });
  for (ListPlan& list : network.lists) {
    Json members = Json::array();
    for (const Json& member : list.members) {
      const std::string type = member["type"];
      if (type != "portmap" && type != "bandwidth") members.push_back(member);
    }
    list.members = members;
  }
}

void add_macs(Scenario& scenario, Dice& dice) {
  bool is_taken = false;
  for (NetworkPlan& network : scenario.networks) {
    if (main_type(network) != "bridge") continue;
    if (dice.with_chance(30) && !is_taken) {
      put_on_uplink(network);
      is_taken = true;
    } else if (dice.with_chance(25)) {
      each_main(network, [](Json& main) { main["macspoofchk"] = true; });
    }
    if (!dice.with_chance(50)) continue;
    for (ListPlan& list : network.lists) {
      const bool has_one = std::ranges::any_of(list.members, [](const Json& member) {
        return member.contains("capabilities") && member["capabilities"].contains("mac");
      });
      if (has_one) continue;
      // In the same place of each list.
      list.members.insert(list.members.begin() + 1,
                          Json{{"type", "tuning"}, {"capabilities", {{"mac", true}}}});
    }
  }
}

void add_gateways(Scenario& scenario, Dice& dice) {
  for (NetworkPlan& network : scenario.networks) {
    if (main_type(network) != "bridge" || !dice.with_chance(35)) continue;
    network.gateway = dice.with_chance(65) ? Gateway::veth : Gateway::router;
    each_main(network, [&](Json& main) {
      main["isGateway"] = false;
      // Behind a router the host has no part in what goes outside.
      if (network.gateway == Gateway::router) main["ipMasq"] = false;
    });
  }
}

/// IPAM programs answer as of 0.3.0.
void lend(NetworkPlan& network) {
  network.lends = true;
  for (ListPlan& list : network.lists) {
    if (list.version < "0.3.0") list.version = "0.3.1";
  }
}

void add_moves(Scenario& scenario, Dice& dice) {
  for (NetworkPlan& network : scenario.networks) {
    const std::string type = main_type(network);
    const bool is_ours = type == "bridge" || type == "ptp" || type == "macvlan";
    if (is_ours && dice.with_chance(30)) lend(network);
    if (program_of(network).empty()) continue;
    const int count = 1 + dice.upto(3);
    for (int i = 0; i < count; ++i) {
      Step step;
      step.verb = Verb::move;
      step.network = network.number;
      step.choice = dice.upto(kAway);
      const auto put = [&](int at) { scenario.steps.insert(scenario.steps.begin() + at, step); };
      const int at = dice.upto(static_cast<int>(scenario.steps.size()));
      put(at);
      if (step.choice != kAway) continue;
      step.choice = dice.upto(1);
      put(std::min(at + 2 + dice.upto(5), static_cast<int>(scenario.steps.size())));
    }
  }
}

void add_sysctls(Scenario& scenario, Dice& dice) {
  for (std::size_t i = 1; i < scenario.networks.size(); ++i) {
    if (!dice.with_chance(60)) continue;
    const std::string& common =
        kSettings[static_cast<std::size_t>(dice.upto(static_cast<int>(i) - 1))];
    for (ListPlan& list : scenario.networks[i].lists) {
      for (Json& member : list.members) {
        const Json sysctl = member.value("sysctl", Json::object());
        if (!sysctl.contains(kSettings[i])) continue;
        member["sysctl"] = {{common, sysctl[kSettings[i]]}};
      }
    }
  }
}

using Addition = void (*)(Scenario&, Dice&);
const std::map<std::string, Addition>& additions() {
  static const std::map<std::string, Addition> kAll = {{"macs", add_macs},
                                                       {"gateways", add_gateways},
                                                       {"moves", add_moves},
                                                       {"sysctls", add_sysctls}};
  return kAll;
}

}  // namespace

Scenario with_additions(Scenario scenario, const std::vector<std::string>& names) {
  for (const std::string& name : kAdditions) {
    if (std::ranges::find(names, name) == names.end()) continue;
    Dice dice(scenario.seed, name);
    additions().at(name)(scenario, dice);
  }
  return scenario;
}

}  // namespace unicni::test::world
