// What vrf can be told.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "unicni/options.h"

namespace unicni::vrf {

struct VrfOptions {
  std::string name;
  std::uint32_t table = 0;
};

extern const OptionTable kVrfOptions;

/// Throws Error(invalid_config): no name, or none that a link can have.
void validate(const VrfOptions& options);

/// The least table from 1 that isn't in `used`, nor one of the kernel's own (253 to 255).
std::uint32_t free_table(const std::set<std::uint32_t>& used);

}  // namespace unicni::vrf
