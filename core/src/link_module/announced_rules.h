// The steps of add_rules(), for those who take them one by one.
#pragma once

#include <vector>

#include "unicni/host.h"

namespace unicni {

/// Writes down what is going to be added.
void announce_rules(Host& host, const std::vector<net::NftElement>& own,
                    const std::vector<net::NftElement>& shared);
/// Adds it; keys of the dead are taken over. Throws Error.
void add_announced(const Call& call, Host& host, const std::vector<net::NftElement>& own,
                   const std::vector<net::NftElement>& shared);
/// Whether what another attachment has belongs to nobody any more.
bool is_void(const Call& call, Host& host, const net::NftElement& holder);

}  // namespace unicni
