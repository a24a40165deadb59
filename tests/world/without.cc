#include "world/without.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "world/foreign.h"

namespace unicni::test::world {
namespace {

void drop_steps(Scenario& scenario, const std::function<bool(const Step&)>& which) {
  std::erase_if(scenario.steps, which);
}

void no_twins(Scenario& scenario) {
  for (NetworkPlan& network : scenario.networks) {
    for (ListPlan& list : network.lists) {
      std::set<std::string> types;
      Json members = Json::array();
      for (const Json& member : list.members) {
        if (types.insert(member.value("type", "")).second) members.push_back(member);
      }
      list.members = members;
    }
  }
}

void no_overlaps(Scenario& scenario) {
  for (Json& list : scenario.port_lists) {
    std::set<std::string> seen;
    Json plain = Json::array();
    for (const Json& mapping : list) {
      const std::string protocol = mapping["protocol"];
      const bool host = seen.insert(protocol + 'h' + mapping["hostPort"].dump()).second;
      const bool target = seen.insert(protocol + 'c' + mapping["containerPort"].dump()).second;
      if (host && target) plain.push_back(mapping);
    }
    list = plain;
  }
}

void no_shares(Scenario& scenario) {
  std::set<int> publishing;
  for (const Place& place : scenario.places) {
    if (place.if_name == "eth0") publishing.insert(place.network);
  }
  // A network is either somebody's first one or nobody publishes there.
  std::erase_if(scenario.places, [&](const Place& place) {
    return place.if_name != "eth0" && publishing.contains(place.network);
  });
  for (NetworkPlan& network : scenario.networks) {
    if (publishing.contains(network.number)) continue;
    for (ListPlan& list : network.lists) {
      Json members = Json::array();
      for (const Json& member : list.members) {
        if (member.value("type", "") != "portmap") members.push_back(member);
      }
      list.members = members;
    }
  }
  const int places = static_cast<int>(scenario.places.size());
  for (Step& step : scenario.steps) {
    step.place %= places;
    if (step.verb == Verb::add) {
      step.choice =
          scenario.places[static_cast<std::size_t>(step.place)].container * 2 + step.choice % 2;
    }
  }
}

void no_nesting(Scenario& scenario) {
  drop_steps(scenario, [](const Step& step) { return step.verb == Verb::remake; });
  for (NetworkPlan& network : scenario.networks) {
    const std::string number = std::to_string(network.number);
    for (Subnets& subnets : network.subnets) {
      if (!subnets.v4.empty()) subnets.v4 = "10.3." + number + ".0/24";
      if (!subnets.v6.empty()) subnets.v6 = "fd00:3:0:" + number + "::/64";
    }
  }
}

void no_foreign(Scenario& scenario) {
  for (NetworkPlan& network : scenario.networks) {
    for (ListPlan& list : network.lists) {
      if (!is_foreign(list.members[0].value("type", ""))) continue;
      list.members[0] = {{"type", "bridge"},
                         {"bridge", bridge_name(network.number)},
                         {"isGateway", true},
                         {"ipMasq", true},
                         {"hairpinMode", true}};
    }
  }
}

void no_unservable(Scenario& scenario) {
  bool v4 = true;
  bool v6 = true;
  for (const NetworkPlan& network : scenario.networks) {
    for (const ListPlan& list : network.lists) {
      v6 = v6 && !is_foreign(list.members[0].value("type", ""));
    }
    for (const Subnets& subnets : network.subnets) {
      v4 = v4 && !subnets.v4.empty();
      v6 = v6 && !subnets.v6.empty();
    }
  }
  for (Json& list : scenario.port_lists) {
    for (Json& mapping : list) {
      const std::string address = mapping.value("hostIP", "");
      if (address.empty()) continue;
      if (!(address.find(':') != std::string::npos ? v6 : v4)) mapping.erase("hostIP");
    }
  }
}

void no_old(Scenario& scenario) {
  for (NetworkPlan& network : scenario.networks) {
    for (ListPlan& list : network.lists) {
      if (list.version < "0.3.0") list.version = "0.3.1";
    }
  }
}

using Change = void (*)(Scenario&);

const std::map<std::string, Change>& changes() {
  static const std::map<std::string, Change> kChanges = {
      {"twins", no_twins},
      {"edits",
       [](Scenario& all) {
         drop_steps(all, [](const Step& step) { return step.verb == Verb::edit; });
       }},
      {"overlaps", no_overlaps},
      {"shares", no_shares},
      {"vanish",
       [](Scenario& all) {
         drop_steps(all, [](const Step& step) { return step.verb == Verb::vanish; });
       }},
      {"nesting", no_nesting},
      {"foreign", no_foreign},
      {"reference",
       [](Scenario& all) {
         for (Step& step : all.steps) step.by_reference = false;
       }},
      {"kill",
       [](Scenario& all) {
         for (Step& step : all.steps) step.kill.reset();
       }},
      {"flush",
       [](Scenario& all) {
         drop_steps(all, [](const Step& step) { return step.verb == Verb::flush; });
       }},
      {"gc",
       [](Scenario& all) {
         drop_steps(all, [](const Step& step) { return step.verb == Verb::gc; });
       }},
      {"netns",
       [](Scenario& all) {
         for (Step& step : all.steps) step.netns = NetnsPath::right;
       }},
      {"state", [](Scenario& all) { all.network_state = false; }},
      {"old", no_old},
      {"unservable", no_unservable}};
  return kChanges;
}

}  // namespace

Scenario without(Scenario scenario, const std::string& names) {
  std::istringstream words(names);
  for (std::string name; std::getline(words, name, ',');) {
    const auto found = changes().find(name);
    if (found == changes().end()) {
      std::string all;
      for (const auto& [known, change] : changes()) all += ' ' + known;
      throw std::invalid_argument("'" + name + "' can't be left out; what can:" + all);
    }
    found->second(scenario);
  }
  return scenario;
}

}  // namespace unicni::test::world
