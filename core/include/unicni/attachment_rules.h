// An attachment's elements in our nftables sets: announced, added, taken over from the dead,
// collected.
#pragma once

#include <vector>

#include "unicni/host.h"

namespace unicni {

/// ADD: announces `own` to Host::undo() and adds them; `shared` belong to the network and are
/// remembered for the time when the ruleset has to be made again. A key of an attachment that is
/// provably gone is taken over. Throws Error that names the owner of a key that is taken.
void add_rules(const Call& call, Host& host, const std::vector<net::NftElement>& own,
               const std::vector<net::NftElement>& shared);

/// GC: removes all elements whose owners are attachments of this network that aren't valid.
void collect_elements(const Call& call, Host& host);

}  // namespace unicni
