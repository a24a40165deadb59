// What sbr can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "unicni/ip.h"
#include "unicni/options.h"

namespace unicni::sbr {

struct SbrOptions {
  std::optional<std::uint32_t> table;
  std::vector<IpAddress> gateways;
  bool add_source_hints = false;
};

extern const OptionTable kSbrOptions;

/// Throws Error(invalid_config): more than one gateway of a family.
void validate(const SbrOptions& options);

}  // namespace unicni::sbr
