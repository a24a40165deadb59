// Refusals of values that options of several modules share. All throw Error(invalid_config) that
// names `key` and what is allowed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/mac.h"

namespace unicni {

/// A link's name: 1 to 15 bytes, not "." or "..", without '/', ':', '%' and white space
/// (dev_valid_name() in the kernel's net/core/dev.c).
void require_link_name(const char* key, const std::string& name);
/// A MAC that an interface may have: unicast and not zero. nullopt is fine.
void require_interface_mac(const char* key, const std::optional<Mac>& mac);
/// 0 for the kernel's choice, or 68 to 65535 bytes (ETH_MIN_MTU, ETH_MAX_MTU).
void require_mtu_range(const char* key, std::int64_t mtu);

}  // namespace unicni
