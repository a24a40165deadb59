// What all attachments of the host have in our nftables ruleset: to make it again after somebody
// flushed it, and to hand a port on.
#pragma once

#include <string>
#include <vector>

#include "journal/entry.h"
#include "unicni/net/netns.h"
#include "unicni/netfilter/nft.h"

namespace unicni::undo {

/// The elements of all attachments of `place` whose namespace isn't gone, and those that their
/// networks share. Whoever has a port of the host keeps it from whoever has only announced that
/// he wants it.
net::NftMemory remembered_rules(const journal::Place& place, const net::Netns& host_netns);

/// What the other attachments of the container of `owner` have, each in a list of its own, as far
/// as their namespaces aren't gone. `owner` is an element's, "network/container/ifname", of which a
/// long one is cut: then only `likely` can be known as its container.
std::vector<std::vector<net::NftElement>> remembered_siblings(const journal::Place& place,
                                                              const net::Netns& host_netns,
                                                              const std::string& owner,
                                                              const std::string& likely);

}  // namespace unicni::undo
