#include "unicni/port_claims.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "link_module/announced_rules.h"
#include "unicni/error.h"

namespace unicni {

namespace {

using Elements = std::vector<net::NftElement>;

void append(Elements& list, const Elements& more) {
  list.insert(list.end(), more.begin(), more.end());
}

/// What isn't about a port of the host has no place.
std::set<net::PortPlace> places_in(const Elements& own) {
  std::set<net::PortPlace> places;
  for (const net::NftElement& element : own) {
    if (auto place = net::find_place(element)) places.insert(*std::move(place));
  }
  return places;
}

/// Who has what this attachment wants.
struct Standing {
  std::set<net::PortPlace> waiting;  ///< where a sibling serves
  Elements displaced;                ///< of siblings that are gone, or serve less
  Elements stale;                    ///< of other containers that are gone
};

class Claim {
 public:
  Claim(const Call& call, Host& host, const Elements& own, const Elements& shared)
      : call_(call),
        host_(host),
        own_(own),
        shared_(shared),
        places_(places_in(own)),
        owner_(call.key.comment()) {}

  /// Throws Error that names another container's attachment that lives.
  [[nodiscard]] Standing standing() const {
    Standing standing;
    for (const net::PortPlace& place : places_) {
      for (const net::NftElement& holder : net::find_port_holders(host_.nft(), place)) {
        if (holder.owner != owner_) judge(place, holder, standing);
      }
    }
    return standing;
  }

  /// Whether others' maps, which the kernel doesn't hold against ours, may know a place of ours: of
  /// one address with a condition, and without.
  [[nodiscard]] bool may_meet_unseen() const {
    return std::ranges::any_of(own_, [&](const net::NftElement& element) {
      const auto rival = net::find_rival(host_.nft(), element);
      return rival && rival->owner != owner_;
    });
  }

  /// What is about no port of the host.
  void add_rest() const {
    const auto is_rest = [](const net::NftElement& e) { return !net::is_about_host_port(e); };
    Elements own;
    Elements shared;
    std::ranges::copy_if(own_, std::back_inserter(own), is_rest);
    std::ranges::copy_if(shared_, std::back_inserter(shared), is_rest);
    add_announced(call_, host_, own, shared);
  }

  /// Where nobody waits for us, in one transaction. False: somebody died meanwhile.
  bool take(Standing& standing_then) const {
    bool clear = true;
    host_.nft().exchange([&]() -> net::Nft::Exchange {
      standing_then = standing();
      clear = standing_then.stale.empty();
      if (!clear) return {};
      net::Nft::Exchange what;
      what.out = standing_then.displaced;
      for (const net::NftElement& element : own_) {
        const auto place = net::find_place(element);
        if (!place || standing_then.waiting.contains(*place)) continue;
        if (net::is_claim(element)) make_room(element, what.out);
        what.in.push_back(element);
      }
      for (const net::NftElement& element : shared_) {
        if (net::claims_single_addresses(element) && is_taken_by(element, standing_then)) {
          what.in.push_back(element);
        }
      }
      return what;
    });
    return clear;
  }

 private:
  // Three cases: another container that lives (refused), one that is gone (cleared away), a
  // sibling. A sibling that publishes a single address gives way to a mapping of all addresses,
  // which serves both.
  void judge(const net::PortPlace& place, const net::NftElement& holder, Standing& standing) const {
    if (!net::is_of_container(holder.owner, call_.key.container_id)) {
      if (!is_void(call_, host_, holder)) throw net::port_is_taken(holder, call_.key.owner());
      append(standing.stale, net::elements_of_holder(host_.nft(), holder));
      return;
    }
    const auto held = net::find_place(holder);
    const bool serves_less = place.address.empty() && held && !held->address.empty();
    if (serves_less || host_.attachments().is_gone(holder.owner)) {
      append(standing.displaced, net::elements_of_holder(host_.nft(), holder));
    } else {
      standing.waiting.insert(place);
    }
  }

  /// The key of a claim of any address may be that of one of single addresses.
  void make_room(const net::NftElement& claim, Elements& out) const {
    auto single = host_.nft().find(claim.set, claim.key);
    if (single && net::claims_single_addresses(*single)) out.push_back(*std::move(single));
  }

  /// Whether a place of the shared claim is taken by us now.
  [[nodiscard]] bool is_taken_by(const net::NftElement& claim, const Standing& standing) const {
    return std::ranges::any_of(places_, [&](const net::PortPlace& place) {
      return !place.address.empty() && net::is_claim_of(claim, place) &&
             !standing.waiting.contains(place);
    });
  }

  const Call& call_;
  Host& host_;
  const Elements& own_;
  const Elements& shared_;
  const std::set<net::PortPlace> places_;
  const std::string owner_;
};

/// Where a living sibling serves what is this attachment's own on CHECK.
std::set<net::PortPlace> served_places(const Call& call, Host& host, const Elements& own) {
  std::set<net::PortPlace> served;
  const std::string owner = call.key.comment();
  for (const net::PortPlace& place : places_in(own)) {
    for (const net::NftElement& holder : net::find_port_holders(host.nft(), place)) {
      const auto held = net::find_place(holder);
      const bool all = held && (held->address.empty() || held->address == place.address);
      if (!all || holder.owner == owner ||
          !net::is_of_container(holder.owner, call.key.container_id)) {
        continue;
      }
      const bool leads = !net::is_claim(holder) || !net::find_any_port(host.nft(), holder).empty();
      if (leads && !host.attachments().is_gone(holder.owner)) served.insert(place);
    }
  }
  return served;
}

}  // namespace

/// The quick way is to add everything and let the kernel refuse a key that is taken. Only then, or
/// where its maps couldn't see a conflict, all holders are looked up.
std::vector<net::PortPlace> claim_ports(const Call& call, Host& host, const Elements& own,
                                        const Elements& shared) {
  announce_rules(host, own, shared);
  const Claim claim(call, host, own, shared);
  if (!claim.may_meet_unseen()) {
    try {
      host.nft().add(own, shared);
      return {};
    } catch (const Error&) {
      // Somebody has a part of it, or what is wrong will be told below.
    }
  }
  constexpr int kTries = 10;  // each clears away what somebody died with
  Standing standing = claim.standing();
  for (int tries = 0; tries < kTries; ++tries) {
    if (!standing.stale.empty()) host.nft().remove(standing.stale);
    // First, as it makes the tables; and it is what a DEL of the one who serves looks for before it
    // hands over (netfilter/nft/port_handover.h).
    claim.add_rest();
    if (claim.take(standing)) return {standing.waiting.begin(), standing.waiting.end()};
  }
  throw Error(Code::try_again, "portMappings: ports of the host change owners all the time");
}

/// First as if every port were ours. Places that a sibling serves are left out only if that fails,
/// as finding them reads journals.
void require_ports(const Call& call, Host& host, const Elements& own, const Elements& shared) {
  try {
    host.nft().require_effective(own, shared);
    return;
  } catch (const Error&) {
    const auto served = served_places(call, host, own);
    if (served.empty()) throw;
    Elements rest;
    for (const net::NftElement& element : own) {
      const auto place = net::find_place(element);
      if (!place || !served.contains(*place)) rest.push_back(element);
    }
    Elements rest_shared;
    for (const net::NftElement& element : shared) {
      // Of single addresses where a sibling has any: its own says so.
      const bool is_needed = !net::claims_single_addresses(element) ||
                             std::ranges::any_of(rest, [&](const net::NftElement& each) {
                               const auto place = net::find_place(each);
                               return place && place->number == element.key;
                             });
      if (is_needed) rest_shared.push_back(element);
    }
    host.nft().require_effective(rest, rest_shared);
  }
}

}  // namespace unicni
