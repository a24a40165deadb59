// What the journals of this host's attachments say, all together.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "journal/journal.h"
#include "unicni/host.h"
#include "unicni/net/netns.h"
#include "unicni/netfilter/nft.h"

namespace unicni::chain {

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

/// Host::remembered().
std::vector<Undo> remembered_records(const journal::Place& place, std::string_view type,
                                     Steps steps, std::size_t most);

}  // namespace unicni::chain
