// Queueing disciplines, as far as attachments need them: a token bucket at a link's root, and the
// redirection of all that a link receives to another one, where it can queue. tc(8), tc-tbf(8),
// tc-u32(8), tc-mirred(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link.h"

namespace unicni::net {

/// The parameters of a tbf qdisc as the kernel holds them.
struct TokenBucket {
  std::uint64_t rate = 0;    ///< bytes a second
  std::uint32_t limit = 0;   ///< bytes that may wait
  std::uint32_t buffer = 0;  ///< the burst as time at that rate, in ticks of the packet scheduler
  friend bool operator==(const TokenBucket&, const TokenBucket&) = default;
};

/// A bucket by the reference's arithmetic: whole numbers, 25 ms of latency in `limit`. `rate` in
/// bit/s, at least 8; `burst` in bits, at most 34359738367. What doesn't fit its field is the
/// field's maximum (the reference keeps the low 32 bits, which may be a bucket of nearly nothing).
TokenBucket token_bucket(std::uint64_t rate, std::uint64_t burst);
/// The same for `buffer` alone with the reference's overflow, for buckets that it made.
std::uint32_t reference_buffer(std::uint64_t rate, std::uint64_t burst);
/// Ticks of the packet scheduler in a microsecond: one is 64 ns (PSCHED_SHIFT) since Linux 2.6.31,
/// as /proc/net/psched says, which costs 25 us to ask.
inline constexpr double kPschedTicksPerUs = 15.625;

enum class QdiscPlace : unsigned char { root, ingress };
struct Qdisc {
  std::string kind;
  std::optional<TokenBucket> bucket;  ///< of a tbf
};
/// The qdisc of a link at that place; nullopt if there is none but the kernel's own, or the link is
/// gone.
std::optional<Qdisc> find_qdisc(Netlink&, const LinkRef&, QdiscPlace);
/// False if there was none, or the link is gone.
bool remove_qdisc(Netlink&, const LinkRef&, QdiscPlace);

/// tbf 1: at the root. EEXIST if somebody else's qdisc is there.
void add_token_bucket(Batch&, const LinkRef&, const TokenBucket&);
/// The ingress qdisc ffff: and in it a u32 filter that redirects all that the link receives to link
/// `to` of the same namespace. EEXIST if the link has an ingress or clsact qdisc.
void redirect_received(Batch&, const LinkRef&, const LinkRef& to);
/// Where redirect_received(), or the reference, sends what the link receives: an ifindex. nullopt:
/// nowhere, or the link is gone.
std::optional<int> find_redirect(Netlink&, const LinkRef&);

}  // namespace unicni::net
