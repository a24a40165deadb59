// Addresses, UP and routes of the container's link.
#pragma once

#include "unicni/link_module.h"

namespace unicni::link_module {

/// Sets the link UP before IPAM that talks through it.
void bring_up(const LinkAdd& add);

/// One batch inside the container: changes, addresses, UP.
void configure(const LinkAdd& add, const net::LinkChange& change, net::Dad dad);

/// The kernel takes a route only if its gateway is on the link by an address or an earlier route of
/// the result, or is said to be (put_routes() says it of the gateways of addresses).
/// Error(invalid_config) before anything is made.
void require_reachable_gateways(const Result& result);

/// For another one, when the host's side is done: routes of add.result. Right after UP a worker of
/// the kernel holds the lock that routes need; what doesn't need it had better come between
/// (nftables).
enum class Hops : unsigned char {
  told,     ///< what isn't a neighbour by address or route is said to be one
  reached,  ///< all are, by routes that the module made
};
void put_routes(const LinkAdd& add, net::Batch& batch, Hops hops);

/// For the same: the link's neighbours are told its addresses.
void announce(const LinkAdd& add, net::Batch& batch);

/// Waits until no IPv6 address of the container's link is tentative. Throws Error if one is a
/// duplicate, or if the kernel hasn't decided within 5 s (or the call's deadline).
void await_dad(const LinkAdd& add);

}  // namespace unicni::link_module
