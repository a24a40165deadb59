// Who reaches whom, by a model of routes and rules that is small because the world is: all networks
// lead everywhere, by prefixes of different lengths (scenario.cc), and the host forwards
// everything.
#include <algorithm>

#include "world/look.h"

namespace unicni::test::world {
namespace {

constexpr int kServed = 80;  // of kContainerPorts

int prefix_length(const std::string& subnet) {
  return std::stoi(subnet.substr(subnet.find('/') + 1));
}

class Traffic {
 public:
  Traffic(const Model& model, const Host& host) : model_(model), host_(host) {}

  std::vector<Expectation> all() {
    neighbours();
    to_routers();
    if (model_.rules == Rules::intact) {
      to_outside();
      to_other_networks();
      published();
    }
    return std::move(expected_);
  }

 private:
  [[nodiscard]] bool alive(int i) const { return model_.life(i).state == State::alive; }
  [[nodiscard]] int container(int i) const { return model_.place(i).container; }
  [[nodiscard]] int network(int i) const { return model_.place(i).network; }
  [[nodiscard]] std::string name(int i) const { return container_name(container(i)); }
  [[nodiscard]] std::string server(int i, int port = kServed) const {
    return name(i) + ':' + std::to_string(port);
  }
  [[nodiscard]] static const std::string& subnet(const Life& life, bool v6) {
    return v6 ? life.subnets.v6 : life.subnets.v4;
  }
  /// Nobody knows what an attachment in this state does to its container's routes.
  [[nodiscard]] bool is_settled(int container) const {
    for (int i = 0; i < model_.places(); ++i) {
      if (this->container(i) == container && model_.life(i).state == State::unknown) return false;
    }
    return true;
  }
  /// The place whose link the container has the address for one of, by its longest subnet; -1:
  /// none.
  [[nodiscard]] int link_to(int container, const std::string& address) const {
    int longest = 0;
    int link = -1;
    for (int i = 0; i < model_.places(); ++i) {
      if (this->container(i) != container || !alive(i)) continue;
      for (const bool v6 : {false, true}) {
        const std::string& own = subnet(model_.life(i), v6);
        if (!is_in(address, own) || prefix_length(own) <= longest) continue;
        longest = prefix_length(own);
        link = i;
      }
    }
    return link;
  }
  [[nodiscard]] bool is_on_link(int container, const std::string& address) const {
    return link_to(container, address) >= 0;
  }
  /// Whether the host looks for the container behind another network's bridge, which has a longer
  /// subnet: host-local goes on after the last address that it gave, so that a network that is made
  /// again with a large subnet may give those of a small one inside it.
  [[nodiscard]] bool is_astray(int i) const {
    if (main_type(network(i)) != "bridge") return false;
    for (int other = 0; other < static_cast<int>(model_.scenario().networks.size()); ++other) {
      if (other == network(i) || main_type(other) != "bridge") continue;
      for (const auto& [v6, address] : model_.life(i).addresses) {
        const Subnets& all = model_.subnets_of(other);
        const std::string& longer = v6 ? all.v6 : all.v4;
        if (is_in(address, longer) &&
            prefix_length(longer) > prefix_length(subnet(model_.life(i), v6))) {
          return true;
        }
      }
    }
    return false;
  }
  [[nodiscard]] std::string main_type(int network) const {
    return model_.list_of(network)["plugins"][0].value("type", "");
  }
  /// A network of which the host is no part: a router's, or one on the host's uplink.
  [[nodiscard]] bool is_apart(int network) const {
    return model_.scenario().networks[static_cast<std::size_t>(network)].gateway ==
               Gateway::router ||
           main_type(network) == "macvlan";
  }
  /// Some of its answers go by a network that doesn't lead to the host.
  [[nodiscard]] bool answers_apart(int container) const {
    for (int i = 0; i < model_.places(); ++i) {
      if (this->container(i) == container && alive(i) && is_apart(network(i))) return true;
    }
    return false;
  }
  /// Alive, and whoever is not a neighbour can have a connection with it.
  [[nodiscard]] bool is_reached(int i) const {
    return alive(i) && is_settled(container(i)) && !is_astray(i) && !answers_apart(container(i));
  }
  /// By which of its places the container reaches what isn't on a link of its own; -1: none.
  [[nodiscard]] int way_out(int container, bool v6) const {
    int best = -1;
    for (int i = 0; i < model_.places(); ++i) {
      if (this->container(i) != container || !alive(i)) continue;
      if (!model_.life(i).addresses.contains(v6)) continue;
      if (best < 0 || network(i) > network(best)) best = i;
    }
    return best;
  }
  [[nodiscard]] int count_alive(int container) const {
    int count = 0;
    for (int i = 0; i < model_.places(); ++i) {
      count += this->container(i) == container && alive(i) ? 1 : 0;
    }
    return count;
  }
  void put(int from_container, const std::string& to, int port, const std::string& kind,
           std::set<std::string> servers, std::set<std::string> seen,
           Transport transport = Transport::tcp) {
    expected_.push_back({{host_.netns(from_container), transport, to, port},
                         kind,
                         container_name(from_container),
                         std::move(servers),
                         std::move(seen)});
  }

  /// A dead one of ours whose container came back and publishes the port by another of its places.
  [[nodiscard]] bool gave_way(int i, const std::string& address, const std::string& protocol,
                              int port) const {
    if (model_.life(i).state != State::lost || model_.life(i).by_reference) return false;
    for (int heir = 0; heir < model_.places(); ++heir) {
      if (container(heir) != container(i) || !is_reached(heir)) continue;
      const Life& life = model_.life(heir);
      if (!life.by_reference && std::ranges::any_of(life.claims, [&](const Claim& claim) {
            return claim.covers(address, protocol, port);
          })) {
        return true;
      }
    }
    return false;
  }

  void neighbours();
  void to_routers();
  void to_outside();
  void to_other_networks();
  void published();
  void published_port(const std::string& address, const std::string& protocol, int port);
  void from_containers(int owner, const std::string& address, int port, Transport transport,
                       const std::set<std::string>& servers);

  const Model& model_;
  const Host& host_;
  std::vector<Expectation> expected_;
};

/// Containers of one network reach each other, as themselves.
void Traffic::neighbours() {
  for (int y = 0; y < model_.places(); ++y) {
    if (!alive(y) || !is_settled(container(y))) continue;
    for (int x = 0; x < model_.places(); ++x) {
      if (x == y || !alive(x) || network(x) != network(y) || container(x) == container(y)) continue;
      if (!is_settled(container(x)) || model_.life(x).subnets != model_.life(y).subnets) continue;
      if (model_.life(x).foreign &&
          (count_alive(container(x)) > 1 || count_alive(container(y)) > 1))
        continue;
      for (const auto& [v6, address] : model_.life(y).addresses) {
        const auto own = model_.life(x).addresses.find(v6);
        if (own == model_.life(x).addresses.end()) continue;
        // One of them may be on a network with a longer subnet that has the other's address, too.
        if (!model_.life(x).foreign &&
            (link_to(container(x), address) != x || link_to(container(y), own->second) != y))
          continue;
        put(container(x), address, kServed, "neighbour", {server(y)}, {own->second});
      }
      break;
    }
  }
}

/// Whatever rules the host has, what is bridged to the gateway doesn't meet them.
void Traffic::to_routers() {
  for (int x = 0; x < model_.places(); ++x) {
    const NetworkPlan& plan = model_.network_of(x);
    if (plan.gateway != Gateway::router || !alive(x) || !is_settled(container(x))) continue;
    for (const auto& [v6, own] : model_.life(x).addresses) {
      put(container(x), outside_of(plan.number, v6), kOutsidePort, "router",
          {"router" + std::to_string(plan.number)}, {own});
    }
  }
}

void Traffic::to_outside() {
  for (int x = 0; x < model_.places(); ++x) {
    if (!is_reached(x)) continue;
    const Life& life = model_.life(x);
    for (const auto& [v6, own] : life.addresses) {
      const std::string to = outside_of(network(x), v6);
      const std::string seen = life.masquerades ? (v6 ? kHost6 : kHost4) : own;
      put(container(x), to, kOutsidePort, "outside", {"outside"}, {seen});
      if (way_out(container(x), v6) != x) continue;
      for (const std::string& nested : v6 ? kNested6 : kNested4) {
        if (is_on_link(container(x), nested)) continue;
        put(container(x), nested, kOutsidePort, "outside", {"outside"}, {seen});
      }
    }
  }
}

void Traffic::to_other_networks() {
  for (int y = 0; y < model_.places(); ++y) {
    if (!is_reached(y)) continue;
    for (int x = 0; x < model_.places(); ++x) {
      if (!is_reached(x) || network(x) == network(y) || container(x) == container(y)) continue;
      for (const auto& [v6, address] : model_.life(y).addresses) {
        if (way_out(container(x), v6) != x || is_on_link(container(x), address)) continue;
        const Life& life = model_.life(x);
        const std::string& own = life.addresses.at(v6);
        if (life.masquerades) {
          // The host's address on y's network is y's neighbour, whatever else y is on.
          if (model_.life(y).foreign && count_alive(container(y)) > 1) continue;
        } else if (is_on_link(container(y), own) || count_alive(container(y)) > 1) {
          continue;
        }
        put(container(x), address, kServed, "other network", {server(y)},
            life.masquerades ? std::set<std::string>{} : std::set<std::string>{own});
      }
    }
  }
}

/// From a container: one that is on other networks only, and the port's own one.
void Traffic::from_containers(int owner, const std::string& address, int port, Transport transport,
                              const std::set<std::string>& servers) {
  const bool v6 = address.find(':') != std::string::npos;
  if (!model_.life(owner).snat || count_alive(container(owner)) > 1) return;
  if (model_.life(owner).by_reference) return;
  for (int x = 0; x < model_.places(); ++x) {
    if (!is_reached(x) || count_alive(container(x)) > 1) continue;
    if (!model_.life(x).addresses.contains(v6)) continue;
    put(container(x), address, port, "published, from a container", servers, {}, transport);
  }
}

void Traffic::published_port(const std::string& address, const std::string& protocol, int port) {
  std::set<std::string> servers;
  std::set<int> containers;
  bool snat = true;
  int owner = -1;
  for (int i = 0; i < model_.places(); ++i) {
    for (const Claim& claim : model_.life(i).claims) {
      if (!claim.covers(address, protocol, port)) continue;
      if (gave_way(i, address, protocol, port)) continue;
      if (!is_reached(i)) return;  // of a dead one: nobody knows
      snat = snat && model_.life(i).snat;
      servers.insert(server(i, claim.container_port));
      containers.insert(container(i));
      owner = i;
    }
  }
  if (containers.size() > 1) return;  // the reference doesn't refuse
  const Transport transport = protocol == "udp" ? Transport::udp : Transport::tcp;
  const bool v6 = address.find(':') != std::string::npos;
  const bool local = address == "127.0.0.1";
  // A server that is bound to no address answers a datagram from the one of its way out.
  if (owner >= 0 && transport == Transport::udp && count_alive(container(owner)) > 1) return;
  // From 127.0.0.1 nobody else can be reached; which of a container's attachments serves isn't
  // told.
  if (local && !snat) return;
  if (servers.empty()) servers.insert("");
  if (!local) {
    expected_.push_back({{host_.outside(), transport, address, port},
                         "published",
                         "outside",
                         servers,
                         {v6 ? kOutside6 : kOutside4}});
  }
  if (owner >= 0 && model_.life(owner).by_reference) return;
  expected_.push_back(
      {{host_.netns(), transport, address, port}, "published, from the host", "host", servers, {}});
  if (owner >= 0 && !local) from_containers(owner, address, port, transport, servers);
}

void Traffic::published() {
  std::set<std::pair<std::string, int>> ports;
  for (const Json& list : model_.scenario().port_lists) {
    for (const Json& mapping : list) {
      ports.emplace(mapping.value("protocol", "tcp"), mapping.value("hostPort", 0));
    }
  }
  for (const auto& [protocol, port] : ports) {
    for (const char* address : {kHost4, kSecondHost4, kHost6, "127.0.0.1"}) {
      published_port(address, protocol, port);
    }
  }
}

}  // namespace

std::vector<Expectation> expected_traffic(const Model& model, const Host& host) {
  return Traffic(model, host).all();
}

}  // namespace unicni::test::world
