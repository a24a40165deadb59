// Random lists of port mappings that meet each other, of fixed seeds.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "integration/port_world.h"

namespace unicni::test {

struct ListedPort {
  int host_port;
  int container_port;
  const char* protocol;
  std::string host_ip;
};
using PortList = std::vector<ListedPort>;

inline constexpr int kListedPorts[] = {8080, 8081, 8082};

inline bool covers(const ListedPort& mapping, const std::string& address) {
  const bool v6 = address.find(':') != std::string::npos;
  if (mapping.host_ip.empty()) return true;
  if (mapping.host_ip == "0.0.0.0") return !v6;
  return mapping.host_ip == "::" ? v6 : mapping.host_ip == address;
}

/// One port of the host that leads to two of the container at some address: with the reference the
/// first rule counts, ours refuses it (7).
inline bool leads_twice(const PortList& list) {
  for (const ListedPort& one : list) {
    for (const ListedPort& other : list) {
      if (one.host_port != other.host_port || std::string(one.protocol) != other.protocol) continue;
      if (one.container_port == other.container_port) continue;
      for (const char* address : {"127.0.0.1", kHost4, kHost6}) {
        if (covers(one, address) && covers(other, address)) return true;
      }
    }
  }
  return false;
}

/// One to six mappings, some of them twice.
inline PortList random_port_list(std::mt19937& random) {
  constexpr const char* kAddresses[] = {"", "0.0.0.0", "::", "127.0.0.1", kHost4, kHost6};
  const auto pick = [&](const auto& from) { return from[random() % std::size(from)]; };
  PortList list;
  for (std::size_t count = 1 + random() % 6; count > 0; --count) {
    if (!list.empty() && random() % 6 == 0) {
      list.push_back(list[random() % list.size()]);
      continue;
    }
    list.push_back({pick(kListedPorts), random() % 4 == 0 ? kUnpublishedPort : kContainerPort,
                    random() % 3 == 0 ? "udp" : "tcp", pick(kAddresses)});
  }
  return list;
}

/// One list a seed, of 1 to `seeds`: the first of those that ours refuses, or takes.
inline std::vector<PortList> port_lists(unsigned seeds, bool refused) {
  std::vector<PortList> found;
  for (unsigned seed = 1; seed <= seeds; ++seed) {
    std::mt19937 random(seed);
    PortList list = random_port_list(random);
    while (leads_twice(list) != refused) list = random_port_list(random);
    found.push_back(list);
  }
  return found;
}

inline Json port_mappings(const PortList& list) {
  Json mappings = Json::array();
  for (const ListedPort& each : list) {
    mappings.push_back({{"hostPort", each.host_port},
                        {"containerPort", each.container_port},
                        {"protocol", each.protocol},
                        {"hostIP", each.host_ip}});
  }
  return mappings;
}

}  // namespace unicni::test
