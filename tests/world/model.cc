#include "world/model.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "world/foreign.h"

namespace unicni::test::world {
namespace {

/// The reference makes rules also for what nobody gets answers from.
bool serves_loopback(const Json& list, bool by_reference) { return by_reference || has_snat(list); }

}  // namespace

Model::Model(const Scenario& scenario)
    : list_now(scenario.networks.size()),
      subnets_now(scenario.networks.size()),
      away(scenario.networks.size()),
      scenario_(scenario),
      lives_(scenario.places.size()) {}

Json Model::list_of(int network) const {
  const auto i = static_cast<std::size_t>(network);
  return conflist(scenario_.networks.at(i), subnets_now.at(i), list_now.at(i));
}

const Subnets& Model::subnets_of(int network) const {
  const auto i = static_cast<std::size_t>(network);
  const auto& all = scenario_.networks.at(i).subnets;
  return all.at(static_cast<std::size_t>(subnets_now.at(i)) % all.size());
}

std::vector<Claim> Model::claims_of_add(int index, int ports, bool by_reference) const {
  const Json list = list_of(place(index).network);
  if (members_of_type(list, "portmap").empty() || scenario_.port_lists.empty()) return {};
  const bool foreign = is_foreign(list["plugins"][0].value("type", ""));
  const Subnets& subnets = subnets_of(place(index).network);
  const Json offers = offered(scenario_, index, ports);
  return claims_of(offers["portMappings"], {.v4 = foreign || !subnets.v4.empty(),
                                            .v6 = !foreign && !subnets.v6.empty(),
                                            .loopback = serves_loopback(list, by_reference)});
}

Model::Answer Model::admits(int index, int ports, bool by_reference) const {
  if (life(index).state == State::alive) {
    // A list in one process that begins with a program has no link of ours that stands.
    return life(index).foreign && network_of(index).one_process ? Answer::either : Answer::no;
  }
  const auto claims = claims_of_add(index, ports, by_reference);
  if (contradicts_itself(claims)) return by_reference ? Answer::either : Answer::no;
  // Which families the container will have is not known yet when mappings are compared: two of a
  // family that it lacks contradict each other as well.
  const Json list = list_of(place(index).network);
  const Json offers = offered(scenario_, index, ports);
  const Served both{.loopback = serves_loopback(list, by_reference)};
  bool sure = members_of_type(list, "portmap").empty() ||
              !contradicts_itself(claims_of(offers["portMappings"], both));
  for (int other = 0; other < places(); ++other) {
    const Life& neighbour = life(other);
    // Of a lost one of ours the journal tells that it is gone. Rules of the reference tell nothing,
    // and the port that they take would not be served.
    const bool is_no_more = neighbour.state == State::none ||
                            (neighbour.state == State::lost && !neighbour.by_reference);
    if (other == index || is_no_more || place(other).container == place(index).container ||
        !overlap(claims, neighbour.claims)) {
      continue;
    }
    // Also after a flush: journals tell who has a port.
    if (neighbour.state == State::alive && !neighbour.by_reference && !by_reference) {
      return Answer::no;
    }
    sure = false;
  }
  // The reference's bandwidth asks the result for the host's side, which other makers don't name.
  if (by_reference && is_foreign(list["plugins"][0].value("type", "")) &&
      !members_of_type(list, "bandwidth").empty()) {
    sure = false;
  }
  if (life(index).state == State::unknown) sure = false;
  // The reference's reservation doesn't tell which namespace it was for, and there is no journal:
  // host-local wants a DEL first, as the reference does.
  if (life(index).state == State::lost && life(index).by_reference) sure = false;
  return sure ? Answer::yes : Answer::either;
}

Model::Answer Model::checks(int index) const {
  const Life& own = life(index);
  switch (own.state) {
    case State::none:
    case State::lost:
      return Answer::no;
    case State::unknown:
      return Answer::either;
    case State::alive:
      break;
  }
  if (is_away(place(index).network)) return Answer::no;
  const Json list = list_of(place(index).network);
  if (own.by_reference || own.list != list) return Answer::either;
  const bool needs_forward = !own.claims.empty() || !members_of_type(list, "firewall").empty();
  if (forward_is_foreign && needs_forward) return Answer::either;
  Answer answer = Answer::yes;
  const auto settings = settings_of(place(index).container);
  for (const auto& [key, value] : wishes_of(list, place(index).if_name).settings) {
    const auto& found = settings.at(key);
    if (!found) answer = Answer::either;
    if (found && *found != value) return Answer::no;  // another network's
  }
  if (!has_rules(own) || rules == Rules::intact) return answer;
  return rules == Rules::gone ? Answer::no : Answer::either;
}

std::map<std::string, std::optional<std::string>> Model::settings_of(int container) const {
  std::map<std::string, int> unsure;                          // since when
  std::map<std::string, std::pair<int, std::string>> wanted;  // since when, what
  for (const std::string& key : kSettings) wanted[key] = {0, born_with.at(container)};
  for (int i = 0; i < places(); ++i) {
    if (place(i).container != container) continue;
    const Life& own = life(i);
    const auto entry = unsettled_.find({container, place(i).network});
    const int since = entry != unsettled_.end() ? entry->second : 0;
    for (const ListPlan& list : network_of(i).lists) {
      const Json members = {{"plugins", list.members}};
      for (const auto& [key, value] : wishes_of(members, place(i).if_name).settings) {
        unsure[key] = std::max(unsure[key], own.state == State::unknown ? now + 1 : since);
      }
    }
    if (own.state != State::alive) continue;
    for (const auto& [key, value] : wishes_of(own.list, place(i).if_name).settings) {
      const auto found = wanted.find(key);
      if (found == wanted.end() || own.since > found->second.first) {
        wanted[key] = {own.since, value};
      }
    }
  }
  std::map<std::string, std::optional<std::string>> settings;
  for (const auto& [key, wish] : wanted) {
    settings[key] =
        wish.first >= unsure[key] ? std::optional(wish.second) : std::optional<std::string>();
  }
  return settings;
}

void Model::settle(int container) {
  for (auto& [who, since] : unsettled_) {
    if (who.first == container) since = 0;
  }
}

Wishes wishes_of(const Json& list, const std::string& if_name) {
  Wishes wishes;
  for (const Json& tuning : members_of_type(list, "tuning")) {
    const Json sysctls = tuning.value("sysctl", Json::object());
    for (const auto& [name, value] : sysctls.items()) {
      std::string key = name;
      std::replace(key.begin(), key.end(), '.', '/');
      const auto at = key.find("IFNAME");
      if (at != std::string::npos) key.replace(at, 6, if_name);
      wishes.settings[key] = value;
    }
    wishes.mtu = tuning.value("mtu", wishes.mtu);
    wishes.mac = wishes.mac || tuning.value("capabilities", Json::object()).value("mac", false);
  }
  return wishes;
}

bool has_snat(const Json& list) {
  return std::ranges::all_of(members_of_type(list, "portmap"),
                             [](const Json& portmap) { return portmap.value("snat", true); });
}

/// A macvlan's packets don't meet the host: firewall has nothing to let through.
bool has_rules(const Life& life) {
  const Json& plugins = life.list.at("plugins");
  const bool is_passed_by = plugins.at(0).value("type", "") == "macvlan";
  return !life.claims.empty() || std::ranges::any_of(plugins, [&](const Json& member) {
    return member.value("ipMasq", false) || member.value("macspoofchk", false) ||
           (member.value("type", "") == "firewall" && !is_passed_by);
  });
}

bool is_in(const std::string& address, const std::string& subnet) {
  const auto slash = subnet.find('/');
  if (slash == std::string::npos) return false;
  const bool v6 = subnet.find(':') != std::string::npos;
  if ((address.find(':') != std::string::npos) != v6) return false;
  std::array<unsigned char, 16> one{};
  std::array<unsigned char, 16> net{};
  const int family = v6 ? AF_INET6 : AF_INET;
  ::inet_pton(family, address.c_str(), one.data());
  ::inet_pton(family, subnet.substr(0, slash).c_str(), net.data());
  const int bits = std::stoi(subnet.substr(slash + 1));
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const auto mask = static_cast<unsigned char>(0x80U >> static_cast<unsigned>(bit % 8));
    if ((one[byte] & mask) != (net[byte] & mask)) return false;
  }
  return true;
}

}  // namespace unicni::test::world
