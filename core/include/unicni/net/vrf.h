// Routing domains. Documentation/networking/vrf.rst.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kVrf{"vrf", "vrf"};

/// Over routing table `table`, born UP.
void add_vrf(Batch&, const LinkSpec&, std::uint32_t table);
/// nullopt: it is no VRF, or is gone.
std::optional<std::uint32_t> find_vrf_table(Netlink&, const std::string& name);

}  // namespace unicni::net
