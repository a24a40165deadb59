#include "world/generator.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>

#include "support/attachment.h"
#include "world/foreign.h"

namespace unicni::test::world {
namespace {

constexpr int kFewestSteps = 30;
constexpr int kMostSteps = 80;
constexpr int kMostKillSteps = 60;
constexpr int kFirstHostPort = 8000;

// Large ones with others in them. host-local gives addresses from the beginning of each, so that no
// two containers have one.
constexpr std::array kSubnets4 = {"10.0.0.0/12",    "10.1.0.0/16",  "10.1.22.0/24",
                                  "10.1.22.128/25", "10.1.44.0/24", "10.2.0.0/16",
                                  "10.2.7.0/24",    "10.9.0.0/24",  "10.14.0.128/25",
                                  "10.16.0.0/16",   "10.16.5.0/24", "10.3.0.0/24"};
constexpr std::array kSubnets6 = {"fd00::/16",        "fd00:1::/32",      "fd00:1:0:16::/64",
                                  "fd00:1:0:2c::/64", "fd00:1:0:2d::/64", "fd00:2::/32",
                                  "fd00:2:0:7::/64",  "fd00:9::/64",      "fd00:e::8000/113",
                                  "fd00:10::/32",     "fd00:10:0:5::/64", "fd00:3::/64"};
constexpr std::array kNames = {"red", "green", "blue", "gold"};

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) { scenario_.seed = seed; }
  Scenario scenario() {
    networks();
    containers();
    port_lists();
    steps();
    return std::move(scenario_);
  }

 private:
  int upto(int most) { return std::uniform_int_distribution<int>(0, most)(random_); }
  bool with_chance(int percent) { return upto(99) < percent; }
  template <class List>
  const auto& any_of(const List& list) {
    return list[static_cast<std::size_t>(upto(static_cast<int>(std::size(list)) - 1))];
  }

  void networks();
  Json main_member(int network);
  Json members(int network);
  Json edited(int network, Json members);
  static void put_in(Json& members, const Json& others);
  Json other_tuning(int network, Json member);
  void containers();
  void port_lists();
  Json mapping(int container);
  void steps();
  Step step();
  int place();

  std::mt19937 random_;
  Scenario scenario_;
  std::vector<bool> seems_alive_;  // place → an ADD came last
};

Json Generator::main_member(int network) {
  const int dice = upto(99);
  if (dice < 15) {
    return {{"type", any_of(kForeignShapes) + std::to_string(network)}};
  }
  if (dice < 32) return {{"type", "ptp"}, {"ipMasq", with_chance(70)}};
  Json bridge = {{"type", "bridge"},
                 {"bridge", bridge_name(network)},
                 {"isGateway", true},
                 {"ipMasq", with_chance(75)},
                 {"hairpinMode", true}};
  if (with_chance(25)) bridge["mtu"] = 1420 + upto(3) * 10;
  return bridge;
}

Json Generator::members(int network) {
  Json list = Json::array({main_member(network)});
  Json chained = Json::array();
  const std::string& setting = kSettings[static_cast<std::size_t>(network)];
  if (with_chance(60)) {
    chained.push_back({{"type", "tuning"}, {"sysctl", {{setting, std::to_string(41 + upto(5))}}}});
    if (with_chance(15)) chained.push_back(chained.back());
  }
  if (with_chance(45)) {
    Json tuning = {{"type", "tuning"}, {"sysctl", {{"net.ipv4.conf.IFNAME.arp_ignore", "1"}}}};
    if (with_chance(50)) tuning["mtu"] = 1300 + upto(4) * 10;
    if (with_chance(40)) tuning["capabilities"] = {{"mac", true}};
    chained.push_back(tuning);
  }
  if (with_chance(75)) {
    Json portmap = {{"type", "portmap"}, {"capabilities", {{"portMappings", true}}}};
    if (with_chance(30)) portmap["snat"] = with_chance(60);
    chained.push_back(portmap);
  }
  if (with_chance(40)) chained.push_back({{"type", "firewall"}});
  if (with_chance(12)) {
    chained.push_back({{"type", "bandwidth"},
                       {"ingressRate", 1'000'000'000},
                       {"ingressBurst", 10'000'000},
                       {"egressRate", 1'000'000'000},
                       {"egressBurst", 10'000'000}});
  }
  std::shuffle(chained.begin(), chained.end(), random_);
  for (const Json& member : chained) list.push_back(member);
  return list;
}

/// What somebody may do to a file: take a member out, put one in, change one.
Json Generator::edited(int network, Json members) {
  const int dice = upto(99);
  if (dice < 40 && members.size() > 1) {
    members.erase(members.begin() + 1 + upto(static_cast<int>(members.size()) - 2));
  } else if (dice < 65) {
    put_in(members, this->members(network));
  } else if (dice < 85) {
    std::map<Json, Json> changed;  // equal ones stay equal
    for (Json& member : members) {
      if (member["type"] != "tuning") continue;
      const Json other = other_tuning(network, member);
      member = changed.emplace(member, other).first->second;
    }
  } else if (members[0].contains("ipMasq")) {
    members[0]["ipMasq"] = !members[0]["ipMasq"].get<bool>();
  }
  return members;
}

/// One of the others that goes with those that are there.
void Generator::put_in(Json& members, const Json& others) {
  for (std::size_t i = 1; i < others.size(); ++i) {
    const Json& other = others[i];
    const bool is_twin = !members_of_type(Json{{"plugins", members}}, other["type"]).empty();
    const bool asks_for_little =
        other["type"] == "tuning" && !other.contains("mtu") && !other.contains("capabilities");
    if (std::ranges::find(members, other) != members.end() || (is_twin && !asks_for_little))
      continue;
    // Two values of one setting contradict each other.
    const auto same_keys = [&](const Json& member) {
      return member.contains("sysctl") && other.contains("sysctl") &&
             member["sysctl"].begin().key() == other["sysctl"].begin().key();
    };
    if (std::ranges::any_of(members, same_keys)) continue;
    members.push_back(other);
    return;
  }
}

Json Generator::other_tuning(int network, Json member) {
  if (member["sysctl"].begin().key() == kSettings[static_cast<std::size_t>(network)]) {
    member["sysctl"].begin().value() = std::to_string(51 + upto(5));
  }
  if (member.contains("mtu")) {
    member.erase("mtu");
  } else if (member.contains("capabilities")) {
    member.erase("capabilities");
    member["mtu"] = 1380;
  }
  return member;
}

void Generator::networks() {
  const int count = 2 + upto(2);
  std::vector<int> order4(kSubnets4.size());
  for (std::size_t i = 0; i < order4.size(); ++i) order4[i] = static_cast<int>(i);
  auto order6 = order4;
  std::shuffle(order4.begin(), order4.end(), random_);
  std::shuffle(order6.begin(), order6.end(), random_);
  for (int i = 0; i < count; ++i) {
    NetworkPlan network;
    network.number = i;
    network.name = kNames[static_cast<std::size_t>(i)];
    network.one_process = with_chance(40);
    const int families = upto(9);
    for (int k = 0; k < 3; ++k) {
      const auto at = static_cast<std::size_t>(i * 3 + k);
      network.subnets.push_back(
          {families == 0 ? "" : kSubnets4[static_cast<std::size_t>(order4[at])],
           families > 5 ? "" : kSubnets6[static_cast<std::size_t>(order6[at])]});
    }
    const Json first = members(i);
    std::string version = any_of(kVersions);
    if (with_chance(50)) version = with_chance(50) ? "1.0.0" : "1.1.0";
    const bool has_bandwidth = !members_of_type(Json{{"plugins", first}}, "bandwidth").empty();
    if ((is_foreign(first[0]["type"]) || has_bandwidth) && version < "0.3.0") version = "0.3.1";
    network.lists.push_back({version, first});
    const Json second = edited(i, first);
    network.lists.push_back({version, second});
    network.lists.push_back({version, edited(i, second)});
    scenario_.networks.push_back(network);
  }
}

void Generator::containers() {
  scenario_.containers = 2 + upto(2);
  const int networks = static_cast<int>(scenario_.networks.size());
  for (int container = 0; container < scenario_.containers; ++container) {
    std::vector<int> order;
    for (int i = 0; i < networks; ++i) order.push_back(i);
    std::shuffle(order.begin(), order.end(), random_);
    const int count = 1 + upto(std::min(networks, 3) - 1);
    for (int i = 0; i < count; ++i) {
      scenario_.places.push_back(
          {container, order[static_cast<std::size_t>(i)], "eth" + std::to_string(i)});
    }
  }
  seems_alive_.resize(scenario_.places.size());
}

Json Generator::mapping(int container) {
  const int whose = with_chance(85) ? container : upto(3);
  Json mapping = {{"hostPort", kFirstHostPort + whose * 10 + upto(3)},
                  {"containerPort", 80 + upto(2)},
                  {"protocol", with_chance(75) ? "tcp" : "udp"}};
  const int dice = upto(99);
  if (dice < 8) mapping["hostIP"] = "";
  if (dice >= 50 && dice < 62) mapping["hostIP"] = "0.0.0.0";
  if (dice >= 62 && dice < 70) mapping["hostIP"] = "::";
  if (dice >= 70 && dice < 80) mapping["hostIP"] = "198.51.96.1";
  if (dice >= 80 && dice < 88) mapping["hostIP"] = "198.51.96.3";
  if (dice >= 88 && dice < 94) mapping["hostIP"] = "127.0.0.1";
  if (dice >= 94) mapping["hostIP"] = "2001:db8:51::1";
  return mapping;
}

void Generator::port_lists() {
  // Two for each container, at its number times two.
  for (int container = 0; container < scenario_.containers; ++container) {
    for (int i = 0; i < 2; ++i) {
      Json list = Json::array();
      const int count = 1 + upto(5);
      for (int k = 0; k < count; ++k) {
        Json next = mapping(container);
        if (!list.empty() && with_chance(25)) {
          // One more to the same target, or the same at another address.
          const Json& other =
              list[static_cast<std::size_t>(upto(static_cast<int>(list.size()) - 1))];
          next["containerPort"] = other["containerPort"];
          next["protocol"] = other["protocol"];
          if (with_chance(50)) next["hostPort"] = other["hostPort"];
        }
        list.push_back(next);
      }
      scenario_.port_lists.push_back(list);
    }
  }
}

int Generator::place() { return upto(static_cast<int>(scenario_.places.size()) - 1); }

Step Generator::step() {
  Step step;
  const int networks = static_cast<int>(scenario_.networks.size());
  step.place = place();
  step.network = upto(networks - 1);
  step.container = upto(scenario_.containers - 1);
  const int dice = upto(99);
  const auto kill = [&](int percent) {
    if (with_chance(percent)) step.kill = Kill{upto(5), 1 + upto(kMostKillSteps)};
  };
  const auto is_alive = [&]() -> std::vector<bool>::reference {
    return seems_alive_[static_cast<std::size_t>(step.place)];
  };
  if (dice < 44) {
    step.verb = Verb::add;
    if (is_alive() && with_chance(80)) step.place = place();
    step.choice = scenario_.places[static_cast<std::size_t>(step.place)].container * 2 +
                  (with_chance(60) ? 0 : 1);
    step.by_reference = with_chance(6);
    if (with_chance(4)) step.netns = with_chance(50) ? NetnsPath::empty : NetnsPath::missing;
    kill(10);
    is_alive() = true;
  } else if (dice < 62) {
    step.verb = Verb::del;
    for (int i = 0; i < 4 && !is_alive() && with_chance(80); ++i) step.place = place();
    step.old_list = with_chance(40);
    step.with_result = with_chance(75);
    step.with_ports = with_chance(75);
    step.by_reference = with_chance(4);
    const int where = upto(99);
    if (where < 8) step.netns = NetnsPath::empty;
    if (where >= 8 && where < 13) step.netns = NetnsPath::missing;
    if (where >= 13 && where < 18) step.netns = NetnsPath::anothers;
    kill(10);
    is_alive() = false;
  } else if (dice < 74) {
    step.verb = Verb::check;
    for (int i = 0; i < 4 && !is_alive() && with_chance(80); ++i) step.place = place();
    if (with_chance(8)) step.netns = with_chance(50) ? NetnsPath::anothers : NetnsPath::missing;
    kill(5);
  } else if (dice < 80) {
    step.verb = Verb::gc;
    step.valid = static_cast<unsigned>(upto(0xffff)) | static_cast<unsigned>(upto(0xffff));
    kill(15);
  } else if (dice < 87) {
    step.verb = Verb::edit;
    step.choice = upto(2);
  } else if (dice < 91) {
    step.verb = Verb::remake;
    step.choice = upto(2);
  } else if (dice < 95) {
    step.verb = Verb::flush;
  } else {
    step.verb = Verb::vanish;
    for (std::size_t i = 0; i < seems_alive_.size(); ++i) {
      if (scenario_.places[i].container == step.container) seems_alive_[i] = false;
    }
  }
  return step;
}

void Generator::steps() {
  const int count = kFewestSteps + upto(kMostSteps - kFewestSteps);
  for (int i = 0; i < count; ++i) scenario_.steps.push_back(step());
}

}  // namespace

Scenario generate(unsigned seed) { return Generator(seed).scenario(); }

}  // namespace unicni::test::world
