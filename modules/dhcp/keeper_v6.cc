// The keeper's work for IPv6, and when an ADD has all that it waits for.
#include <fmt/core.h>

#include <algorithm>

#include "channel.h"
#include "keeper.h"
#include "renewal.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"

namespace unicni::dhcp {

namespace {

/// How long an ADD that can go without IPv6 waits for a server: two SOLICITs.
constexpr Span kTimeToWish{3'000};
/// Before the ADD's own end.
constexpr Span kGrace{50};
constexpr const char* kTaken =
    "look which machines use addresses that the DHCP server gives away, and keep them out of its "
    "range";

}  // namespace

KeptV6 Keeper::make_v6(const Lease& lease) const {
  PatienceV6 patience;
  patience.longest = settings_.patience.longest;
  patience.probe = lease.probe;
  return {lease.v6->identity, patience, random_bits};
}

KeptV6::Scene Keeper::scene_of(Kept& kept) {
  return {settings_.host_prefix, kept.lease.place, kept.lease.identity.mac,
          [this, &kept](LeaseEvent event) { note_event_v6(kept, event); }};
}

/// A lease whose ADD has no answer yet waits for that to ask again, as it puts the address on the
/// interface itself.
void Keeper::load_v6(Kept& kept, Instant now) {
  const auto& lease = kept.lease.v6;
  if (!lease || !lease->was_given) return;
  kept.v6.emplace(make_v6(kept.lease));
  kept.v6->calm();
  if (lease->grant) {
    kept.v6->resume(*lease->grant, now);
  } else {
    kept.v6->start(scene_of(kept), now, false);
  }
}

void Keeper::begin_v6(Kept& kept, const LeaseV6& wanted, Instant now) {
  auto& lease = kept.lease.v6;
  if (kept.v6 && kept.v6->grant() != nullptr && lease->identity == wanted.identity) {
    lease->need = wanted.need;
    return;
  }
  const std::string failed = send_release_v6(kept);
  if (!failed.empty())
    log_(LogLevel::warning, fmt::format("{}: {}", kept.lease.key.owner(), failed));
  lease = wanted;
  kept.go_without_v6 =
      wanted.need == NeedV6::required ? kNever : std::min(now + kTimeToWish, kept.give_up - kGrace);
  kept.v6.emplace(make_v6(kept.lease));
  kept.v6->start(scene_of(kept), now, true);
}

void Keeper::turn_v6(Kept& kept, Instant now) {
  if (!kept.v6) return;
  if (kept.v6->is_due(now)) {
    const bool was_extending = kept.v6->is_extending();
    kept.v6->turn(scene_of(kept), now);
    if (kept.v6->is_gone()) {
      forget(kept, "its namespace or interface is gone");
      return;
    }
    if (!was_extending && kept.v6->is_extending()) tell_preferred(kept);
  }
  if (kept.waiting && kept.v6->has_declined_enough()) {
    if (kept.lease.v6->need == NeedV6::required) {
      fail(kept, no_ipv6(kept));
      return;
    }
    kept.go_without_v6 = now;
  }
  if (now < kept.go_without_v6) return;
  // Who was offered an address gets it, if the ADD has the time.
  if (kept.v6->is_taking_up() && now < kept.give_up - kGrace) {
    kept.go_without_v6 = kept.give_up - kGrace;
    return;
  }
  kept.seen_of_v6 = failure_v6(kept);
  kept.go_without_v6 = kNever;
  kept.v6.reset();
  kept.lease.v6.reset();
  if (kept.client.grant() != nullptr) become_bound(kept);
}

void Keeper::note_event_v6(Kept& kept, LeaseEvent event) {
  LeaseV6& lease = *kept.lease.v6;
  const std::optional<GrantV6> before = lease.grant;
  const GrantV6* grant = kept.v6->grant();
  lease.grant = grant == nullptr ? std::nullopt : std::optional(*grant);
  lease.farewell = kept.v6->farewell();
  lease.was_given = true;
  kept.go_without_v6 = kNever;
  if (kept.waiting) {
    // Before IPv4 is there as well, no file: the ADD will ask again.
    if (kept.client.grant() != nullptr) become_bound(kept);
    return;
  }
  note_down(kept);
  if (event == LeaseEvent::renewed) {
    tell_preferred(kept);
    return;
  }
  apply_v6(kept, before);
  if (grant == nullptr) {
    kept.lost_v6 = net_of(*before);
    log_(LogLevel::warning, fmt::format("{}: lost {}: {}", kept.lease.key.owner(),
                                        before->address.str(), kept.v6->seen()));
  } else if (before) {
    tell_change(kept, before->address.str(), grant->address.str());
  } else {
    tell_regained(kept, kept.lost_v6, net_of(*grant));
  }
}

/// On the interface that the lease is for, if it is there yet.
template <class Change>
void Keeper::change_link(const Kept& kept, const Change& change) {
  try {
    const auto place = place_of(kept.lease);
    if (!place) return;
    net::Netlink links(place->netns);
    change(links, place->link);
  } catch (const Error& error) {
    log_(LogLevel::error, fmt::format("{}: {}", kept.lease.key.owner(), error.msg()));
  }
}

/// A router may have given the interface an address by now, also one that no DHCPv6 server gave
/// any.
bool Keeper::needs_ipv6_mtu(const Kept& kept) {
  if (kept.lease.v6 || !kept.seen_of_v6.empty()) return true;
  if (mtu_of(*kept.client.grant()).value_or(kLeastMtuV6) >= kLeastMtuV6) return false;
  bool is_needed = false;
  change_link(kept, [&](net::Netlink& links, const net::LinkRef& link) {
    is_needed = has_ipv6(links, link, kept.lease);
  });
  return is_needed;
}

/// From the first question on whether the address may be kept, the kernel counts down how long new
/// connections are made from it: it goes on doing so if there is no answer, or no daemon any more.
void Keeper::tell_preferred(const Kept& kept) {
  const GrantV6* grant = kept.v6->grant();
  if (grant == nullptr) return;
  std::optional<std::chrono::seconds> left;
  if (grant->preferred != kNever) {
    left = std::chrono::duration_cast<std::chrono::seconds>(grant->preferred - boot_time());
  }
  change_link(kept, [&](net::Netlink& links, const net::LinkRef& link) {
    net::set_preferred_time(links, link, net_of(*grant), left);
  });
}

/// A change after ADD. Routes are the routers' business, not DHCP's.
void Keeper::apply_v6(const Kept& kept, const std::optional<GrantV6>& old) {
  change_link(kept, [&](net::Netlink& links, const net::LinkRef& link) {
    net::Batch batch(links);
    const GrantV6* grant = kept.v6->grant();
    if (grant != nullptr) net::add_addr(batch, link, net_of(*grant), net::Dad::skip, true);
    if (old && (grant == nullptr || grant->address != old->address)) {
      net::remove_addr(batch, link, net_of(*old), true);
    }
    batch.commit();
  });
}

/// As send_release().
std::string Keeper::send_release_v6(Kept& kept) {
  if (!kept.v6 || kept.v6->grant() == nullptr) return {};
  try {
    kept.v6->release(scene_of(kept));
  } catch (const Error& error) {
    return not_released(kept.v6->grant()->address.str(), error);
  }
  return {};
}

bool Keeper::is_complete(const Kept& kept) {
  return kept.client.grant() != nullptr && (!kept.v6 || kept.v6->grant() != nullptr);
}

void Keeper::answer(Kept& kept) {
  Line answer{"ok", {}};
  add_grant(*kept.client.grant(), answer);
  if (kept.v6) add_grant_v6(*kept.v6->grant(), answer);
  if (!kept.seen_of_v6.empty()) answer.fields.emplace_back("v6.warning", kept.seen_of_v6);
  const auto without_ipv6 = fitting_mtu(*kept.client.grant(), kept.lease.link_mtu, false);
  if (kept.lease.mtu != without_ipv6.mtu) answer.fields.emplace_back("v6.mtu", "1");
  kept.waiting->answer(std::move(answer));
  kept.waiting.reset();
  kept.give_up = kNever;
  kept.client.hurry(false);
  if (kept.v6) kept.v6->calm();
  const GrantV4& grant = *kept.client.grant();
  std::string more;
  if (kept.v6) more = " and " + kept.v6->grant()->address.str();
  for (const std::string& each : reported(grant)) more += ", " + each;
  log_(LogLevel::info, fmt::format("{}: has {} of {}{}", kept.lease.key.owner(),
                                   grant.address.str(), grant.server.str(), more));
}

std::string Keeper::failure_v6(const Kept& kept) {
  return fmt::format("no IPv6 address from DHCP for {}: {}", kept.lease.key.if_name,
                     kept.v6->seen());
}

/// Of an ADD that can't go without.
Error Keeper::no_ipv6(const Kept& kept) {
  if (kept.v6->has_declined_enough()) return {Code::try_again, failure_v6(kept), kTaken};
  return {Code::try_again, failure_v6(kept),
          "look whether a DHCPv6 server hears multicast of this network, and has addresses left; "
          "\"ipv6\": \"on\" goes without"};
}

/// Why an ADD gets no answer but this.
Error Keeper::failure(const Kept& kept) {
  if (kept.client.grant() != nullptr && kept.v6) return no_ipv6(kept);
  const std::string trouble = kept.trouble.empty() ? "" : "; " + kept.trouble;
  const bool taken = kept.client.declines() >= kMostDeclines;
  return {Code::try_again,
          fmt::format("no address from DHCP for {}: {}{}", kept.lease.key.if_name,
                      kept.client.seen(), trouble),
          taken ? kTaken
                : "look whether a DHCP server hears broadcasts of this network, and has addresses "
                  "left"};
}

}  // namespace unicni::dhcp
