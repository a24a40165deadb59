#include "netfilter/nft/port_handover.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "netfilter/nft/element.h"
#include "netfilter/nft/set.h"
#include "unicni/netfilter/port_place.h"

namespace unicni::net {
namespace {

bool is_in(const NftElement& element, const std::vector<NftElement>& list) {
  return std::ranges::find(list, element) != list.end();
}

/// An element about the container's own address, which nobody else can have: while it is there the
/// attachment stands.
bool is_endpoint(const NftElement& element) {
  const auto row = find_nft_set(element);
  return row && row->kind == NftSetKind::pub;
}

/// What one attachment remembers of a place.
struct Candidate {
  PortPlace place;
  std::vector<NftElement> elements;
  const std::vector<NftElement>* all;  ///< of its attachment
};

/// The candidates of one attachment for what becomes free.
void collect(const std::vector<NftElement>& remembered, const std::vector<PortPlace>& freed,
             std::vector<Candidate>& candidates) {
  std::map<PortPlace, std::vector<NftElement>> places;
  for (const NftElement& element : remembered) {
    const auto place = find_place(element);
    const auto gets = [&](const PortPlace& each) { return overlap(each, *place); };
    if (place && std::ranges::any_of(freed, gets)) places[*place].push_back(element);
  }
  for (auto& [place, elements] : places) {
    for (const NftElement& element : remembered) {
      const bool of_it = claims_single_addresses(element) && is_claim_of(element, place);
      if (of_it && !place.address.empty() && !is_in(element, elements)) {
        elements.push_back(element);
      }
    }
    candidates.push_back({place, std::move(elements), &remembered});
  }
}

/// A DEL takes what is about the container away together with its ports.
bool stands(Nft& nft, const Candidate& candidate, const std::vector<NftElement>& leaving) {
  return std::ranges::any_of(*candidate.all, [&](const NftElement& element) {
    return is_endpoint(element) && !is_in(element, leaving) &&
           nft.find(element.set, element.key) == element;
  });
}

/// Nobody holds the place but those that leave in this very transaction.
bool is_free(Nft& nft, const PortPlace& place, const std::vector<NftElement>& leaving) {
  return std::ranges::all_of(find_port_holders(nft, place),
                             [&](const NftElement& holder) { return is_in(holder, leaving); });
}

}  // namespace

// Siblings are asked only if a place becomes free, as that reads journals. What serves is decided
// by what is in the kernel and not by the journals: two DELs at a time both read the same ones.
std::vector<NftElement> find_heirs(Nft& nft, const std::vector<NftElement>& leaving,
                                   NftRecords& records) {
  std::map<std::string, std::vector<PortPlace>> freed;  // by owner
  for (const NftElement& element : leaving) {
    if (auto place = find_place(element)) freed[element.owner].push_back(*std::move(place));
  }
  std::vector<NftElement> heirs;
  for (const auto& [owner, places] : freed) {
    const auto remembered = records.siblings(owner);
    std::vector<Candidate> candidates;
    for (const auto& elements : remembered) collect(elements, places, candidates);
    // Any address serves single ones as well, so who wants all of them comes first.
    std::ranges::stable_sort(candidates, {}, [](const Candidate& candidate) {
      return !candidate.place.address.empty();
    });
    std::vector<PortPlace> given;
    for (const Candidate& candidate : candidates) {
      const auto clashes = [&](const PortPlace& place) { return overlap(place, candidate.place); };
      if (std::ranges::any_of(given, clashes) || !stands(nft, candidate, leaving) ||
          !is_free(nft, candidate.place, leaving)) {
        continue;
      }
      given.push_back(candidate.place);
      for (const NftElement& element : candidate.elements) {
        if (!is_in(element, heirs)) heirs.push_back(element);
      }
    }
  }
  return heirs;
}

// Two rounds: who serves each place, then what the others have of it. A port at any address keeps
// all single ones of its number out, whatever order the journals were read in.
void drop_waiting_ports(std::vector<const NftElement*>& elements) {
  using Number = std::pair<Family, std::string>;
  std::map<Number, const std::string*> of_any;     // its owner
  std::map<PortPlace, const std::string*> of_one;  // likewise
  for (const NftElement* element : elements) {
    const auto place = find_place(*element);
    if (!place) continue;
    if (!place->address.empty()) {
      of_one.try_emplace(*place, &element->owner);
    } else if (is_claim(*element)) {
      of_any.try_emplace({place->family, place->number}, &element->owner);
    }
  }
  std::erase_if(elements, [&](const NftElement* element) {
    if (claims_single_addresses(*element)) {
      return of_any.contains({family_of(*element), element->key});
    }
    const auto place = find_place(*element);
    if (!place) return false;
    const auto any = of_any.find({place->family, place->number});
    if (any != of_any.end()) return *any->second != element->owner || !place->address.empty();
    const auto one = of_one.find(*place);
    return one != of_one.end() && *one->second != element->owner;
  });
}

/// Elements of an ADD that has not ended may be the wish of an attachment that lost its port to
/// another one. They are restored only if nobody holds the place for sure.
void drop_unsure_ports(std::vector<NftElement>& announced, const std::vector<NftElement>& held) {
  // Ports whose claim was announced: the attachment meant to have them.
  std::set<std::pair<Family, std::string>> claimed;
  for (const NftElement& element : announced) {
    if (is_claim(element)) claimed.emplace(family_of(element), element.key);
  }
  std::vector<PortPlace> held_places;
  for (const NftElement& element : held) {
    auto place = find_place(element);
    if (place && claimed.contains({place->family, place->number})) {
      held_places.push_back(*std::move(place));
    }
  }
  std::erase_if(announced, [&](const NftElement& element) {
    const auto place = find_place(element);
    if (!place) return false;
    const auto is_held = [&](const PortPlace& other) { return overlap(other, *place); };
    return !claimed.contains({place->family, place->number}) ||
           std::ranges::any_of(held_places, is_held);
  });
}

}  // namespace unicni::net
