#include "grant_v6.h"

#include <fmt/core.h>

#include <algorithm>

namespace unicni::dhcp {

namespace {

using std::chrono::seconds;

constexpr std::uint32_t kForEver = 0xffffffff;

Instant later(Instant from, std::uint32_t by) {
  return by == kForEver ? kNever : from + std::chrono::duration_cast<Span>(seconds(by));
}

/// Whether an interface can have it.
bool is_usable(const IpAddress& address) {
  return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback() &&
         !address.is_link_local();
}

const StatusV6* refusal_in(const std::optional<StatusV6>& status) {
  return status && status->code != 0 ? &*status : nullptr;
}

}  // namespace

AnswerV6 read_answer(const PacketV6& packet, std::uint32_t iaid, const IpAddress* own) {
  AnswerV6 found;
  const auto refuse = [&](const StatusV6& status) {
    found.refusal = static_cast<StatusCodeV6>(status.code);
    found.problem = describe(status);
  };
  if (const StatusV6* status = refusal_in(packet.status)) {
    refuse(*status);
    return found;
  }
  const auto mine = std::find_if(packet.associations.begin(), packet.associations.end(),
                                 [&](const auto& each) { return each.id == iaid; });
  if (mine == packet.associations.end()) {
    found.problem = "an answer without this client's IA_NA";
    return found;
  }
  if (const StatusV6* status = refusal_in(mine->status)) {
    refuse(*status);
    return found;
  }
  if (mine->t1 > mine->t2 && mine->t2 != 0) {
    found.problem = fmt::format("an IA_NA with T1 {} behind T2 {}", mine->t1, mine->t2);
    return found;
  }
  found.problem = "an IA_NA without an address";
  for (const AddressV6& each : mine->addresses) {
    if (const StatusV6* status = refusal_in(each.status)) {
      refuse(*status);
    } else if (!is_usable(each.address)) {
      found.problem = fmt::format("{}, which no interface can have", each.address.str());
    } else if (each.preferred > each.valid) {
      found.problem =
          fmt::format("{} with lifetimes that contradict each other", each.address.str());
    } else if (each.valid == 0) {
      found.problem = fmt::format("{} with no time left", each.address.str());
    } else if (found.address == nullptr || (own != nullptr && each.address == *own)) {
      found.association = &*mine;
      found.address = &each;
    }
  }
  if (found.address != nullptr) found.refusal.reset();
  return found;
}

GrantV6 grant_of(const PacketV6& packet, const AnswerV6& answer, Instant asked) {
  GrantV6 grant;
  grant.address = answer.address->address;
  grant.server = packet.server;
  grant.since = asked;
  grant.preferred = later(asked, answer.address->preferred);
  grant.expires = later(asked, answer.address->valid);
  for (const OptionCodeV6 code : {OptionCodeV6::dns_servers, OptionCodeV6::domain_search}) {
    if (const Bytes* value = packet.find(code)) {
      grant.options[static_cast<std::uint16_t>(code)] = *value;
    }
  }
  // Of the preferred lifetime, which says when the address is to be renewed at last (§21.4).
  const std::uint32_t preferred =
      answer.address->preferred == 0 ? answer.address->valid : answer.address->preferred;
  const auto part = [&](std::uint32_t given, std::uint32_t tenths) {
    if (given != 0) return std::min(later(asked, given), grant.expires);
    if (preferred == kForEver) return kNever;
    return asked + std::chrono::duration_cast<Span>(seconds(preferred)) * tenths / 10;
  };
  grant.t1 = part(answer.association->t1, 5);
  grant.t2 = std::max(part(answer.association->t2, 8), grant.t1);
  return grant;
}

}  // namespace unicni::dhcp
