// What journals remember of nftables elements: to make a table again that somebody flushed, and to
// hand a published port to another attachment of its container.
#include "undo/remembered_rules.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "attachments/liveness.h"
#include "journal/folder.h"
#include "netfilter/nft/port_handover.h"
#include "undo/host_ends.h"
#include "undo/lease_now.h"
#include "undo/nft_elements.h"
#include "unicni/netfilter/port_place.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::undo {
namespace {

/// What the attachment's lease has no more may be who else's by now: keys with its address, and
/// ports of the host that would lead there. With such a port goes the claim of it.
void drop_given_up(std::vector<net::NftElement>& elements, const LeaseNow& lease) {
  std::set<net::PortPlace> astray;
  for (const net::NftElement& element : elements) {
    const auto place = net::find_place(element);
    if (place && lease.leads_to_given_up(element)) astray.insert(*place);
  }
  std::erase_if(elements, [&](const net::NftElement& element) {
    const auto place = net::find_place(element);
    return lease.has_given_up(element) || (place && astray.contains(*place));
  });
  // A claim of single addresses is everybody's who has such: others remember it as well.
  std::set<net::PortPlace> kept;
  for (const net::NftElement& element : elements) {
    if (auto place = net::find_place(element)) kept.insert(*std::move(place));
  }
  std::erase_if(elements, [&](const net::NftElement& claim) {
    const auto is_its = [&](const net::PortPlace& place) { return net::is_claim_of(claim, place); };
    return net::claims_single_addresses(claim) && std::ranges::any_of(astray, is_its) &&
           std::ranges::none_of(kept, is_its);
  });
}

/// Whether the namespace that a step's ADD saw is gone. Where its path proves nothing, a host end
/// that stands does.
bool is_gone(const journal::Entry& entry, const journal::RecordedStep& step,
             net::Namespaces& kernel) {
  if (attachments::life_of(step, kernel.host_netns()) != attachments::Life::gone) return false;
  return attachments::would_be_seen(step.netns_path) ||
         std::ranges::none_of(entry.steps, [&](const journal::RecordedStep& each) {
           return has_host_end(each.undo, kernel.host_links());
         });
}

}  // namespace

net::NftMemory RememberedRules::remembered() {
  const journal::Place place = attachments::place_of(kernel_);
  net::NftMemory memory;
  std::vector<std::vector<net::NftElement>> announced;
  for (const journal::Entry& entry : journal::peek_all(folder_)) {
    if (entry.place != place) continue;
    const auto lease = LeaseNow::find(entry.steps);
    for (const journal::RecordedStep& step : entry.steps) {
      if (step.undo.empty() || is_gone(entry, step, kernel_)) continue;
      auto elements = find_elements(step.undo);
      if (lease) drop_given_up(elements, *lease);
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
  const auto entries = journal::peek_container(folder_, container);
  const auto is_own = [&](const journal::Entry& entry) { return entry.key.comment() == owner; };
  const auto own = std::find_if(entries.begin(), entries.end(), is_own);
  const std::string netns = own == entries.end() ? std::string() : own->container_netns;
  for (const journal::Entry& entry : entries) {
    if (entry.place != place || is_own(entry)) continue;
    std::vector<net::NftElement> elements;
    for (const journal::RecordedStep& step : entry.steps) {
      if (step.undo.empty() || is_gone(entry, step, kernel_)) continue;
      // Of another life of the container.
      if (!netns.empty() && !step.container_netns.empty() && step.container_netns != netns)
        continue;
      std::ranges::move(find_elements(step.undo), std::back_inserter(elements));
    }
    if (const auto lease = LeaseNow::find(entry.steps)) drop_given_up(elements, *lease);
    siblings.push_back(std::move(elements));
  }
  return siblings;
}

}  // namespace unicni::undo
