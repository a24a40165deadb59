#include "chain/remembered.h"

#include <algorithm>
#include <iterator>

#include "chain/liveness.h"
#include "journal/replay.h"
#include "netfilter/nft/port_handover.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::chain {

net::NftMemory remembered_rules(const journal::Place& place, const net::Netns& host_netns) {
  net::NftMemory memory;
  std::vector<std::vector<net::NftElement>> announced;
  for (const journal::Entry& entry : journal::peek_all(journal::kFolder)) {
    if (entry.place != place) continue;
    for (const journal::Step& step : entry.steps) {
      if (step.undo.empty() || life_of(step, host_netns) == Life::gone) continue;
      auto elements = journal::find_elements(step.undo);
      if (step.result.empty()) {
        announced.push_back(std::move(elements));
      } else {
        std::ranges::move(elements, std::back_inserter(memory.elements));
      }
      for (const Undo& record : step.undo) {
        if (auto condition = journal::find_condition(record)) {
          memory.conditions.push_back(*std::move(condition));
        }
      }
    }
  }
  const std::vector<net::NftElement> held = memory.elements;
  for (auto& elements : announced) {
    net::drop_unsure_ports(elements, held);
    std::ranges::move(elements, std::back_inserter(memory.elements));
  }
  return memory;
}

std::vector<std::vector<net::NftElement>> remembered_siblings(const journal::Place& place,
                                                              const net::Netns& host_netns,
                                                              const std::string& owner,
                                                              const std::string& likely) {
  std::vector<std::vector<net::NftElement>> siblings;
  const std::string container =
      net::is_of_container(owner, likely) ? likely : net::find_container(owner);
  if (container.empty()) return siblings;
  const auto entries = journal::peek_container(journal::kFolder, container);
  const auto is_own = [&](const journal::Entry& entry) {
    const auto& [network, container_id, if_name] = entry.key;
    return net::nft_owner(network + '/' + container_id + '/' + if_name) == owner;
  };
  const auto own = std::find_if(entries.begin(), entries.end(), is_own);
  const std::string netns = own == entries.end() ? std::string() : own->container_netns;
  for (const journal::Entry& entry : entries) {
    if (entry.place != place || is_own(entry)) continue;
    std::vector<net::NftElement> elements;
    for (const journal::Step& step : entry.steps) {
      if (step.undo.empty() || life_of(step, host_netns) == Life::gone) continue;
      // Of another life of the container.
      if (!netns.empty() && !step.container_netns.empty() && step.container_netns != netns)
        continue;
      std::ranges::move(journal::find_elements(step.undo), std::back_inserter(elements));
    }
    siblings.push_back(std::move(elements));
  }
  return siblings;
}

std::vector<Undo> remembered_records(const journal::Place& place, std::string_view type,
                                     Steps steps, std::size_t most) {
  std::vector<Undo> records;
  journal::peek_each(journal::kFolder, [&](const journal::Entry& entry) {
    if (entry.place != place) return true;
    for (const journal::Step& step : entry.steps) {
      if (steps == Steps::finished && step.result.empty()) continue;
      for (const Undo& record : step.undo) {
        if (record.type == type && records.size() < most) records.push_back(record);
      }
    }
    return records.size() < most;
  });
  return records;
}

}  // namespace unicni::chain
