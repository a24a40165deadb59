// What journals remember of nftables elements: to make a table again that somebody flushed, and to
// hand a published port to another attachment of its container.
#include "undo/remembered_rules.h"

#include <algorithm>
#include <iterator>

#include "attachments/liveness.h"
#include "journal/folder.h"
#include "netfilter/nft/port_handover.h"
#include "undo/lease_now.h"
#include "undo/nft_elements.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::undo {

net::NftMemory RememberedRules::remembered() {
  const journal::Place place = attachments::place_of(kernel_);
  const net::Netns& host_netns = kernel_.host_netns();
  net::NftMemory memory;
  std::vector<std::vector<net::NftElement>> announced;
  for (const journal::Entry& entry : journal::peek_all(folder_)) {
    if (entry.place != place) continue;
    const auto lease = LeaseNow::find(entry.steps);
    for (const journal::RecordedStep& step : entry.steps) {
      if (step.undo.empty() || attachments::life_of(step, host_netns) == attachments::Life::gone)
        continue;
      auto elements = find_elements(step.undo);
      // Its key may be that of who has the address now.
      if (lease) std::erase_if(elements, [&](const auto& e) { return lease->has_given_up(e); });
      // An ADD that has not ended announced its elements before they were in. A port among them may
      // be another's, who was first.
      if (step.result.empty()) {
        announced.push_back(std::move(elements));
      } else {
        std::ranges::move(elements, std::back_inserter(memory.elements));
      }
      for (const Undo& record : step.undo) {
        if (auto condition = find_condition(record)) {
          memory.conditions.push_back(*std::move(condition));
        }
      }
    }
  }
  const std::vector<net::NftElement> held = memory.elements;
  for (auto& elements : announced) {
    net::drop_unsure_ports(elements, held);
    memory.announced += elements.size();
    std::ranges::move(elements, std::back_inserter(memory.elements));
  }
  return memory;
}

std::vector<std::vector<net::NftElement>> RememberedRules::siblings(const std::string& owner) {
  std::vector<std::vector<net::NftElement>> siblings;
  const std::string container =
      net::is_of_container(owner, container_id_) ? container_id_ : net::find_container(owner);
  if (container.empty()) return siblings;
  const journal::Place place = attachments::place_of(kernel_);
  const net::Netns& host_netns = kernel_.host_netns();
  const auto entries = journal::peek_container(folder_, container);
  const auto is_own = [&](const journal::Entry& entry) { return entry.key.comment() == owner; };
  const auto own = std::find_if(entries.begin(), entries.end(), is_own);
  const std::string netns = own == entries.end() ? std::string() : own->container_netns;
  for (const journal::Entry& entry : entries) {
    if (entry.place != place || is_own(entry)) continue;
    std::vector<net::NftElement> elements;
    for (const journal::RecordedStep& step : entry.steps) {
      if (step.undo.empty() || attachments::life_of(step, host_netns) == attachments::Life::gone)
        continue;
      // Of another life of the container.
      if (!netns.empty() && !step.container_netns.empty() && step.container_netns != netns)
        continue;
      std::ranges::move(find_elements(step.undo), std::back_inserter(elements));
    }
    siblings.push_back(std::move(elements));
  }
  return siblings;
}

}  // namespace unicni::undo
