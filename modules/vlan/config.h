// The options of vlan and what they mean together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/options.h"
#include "unicni/parent_link.h"

namespace unicni::vlan {

struct VlanOptions {
  std::string master;
  std::int64_t vlan_id = 0;
  std::int64_t mtu = 0;
  bool link_in_container = false;
  DnsOptions dns;

  [[nodiscard]] ParentChoice parent() const { return {master, link_in_container, mtu}; }
  [[nodiscard]] std::uint16_t id() const { return static_cast<std::uint16_t>(vlan_id); }
};

extern const OptionTable kVlanOptions;

/// What single rows can't say. Throws Error(invalid_config).
void validate(const VlanOptions&);

}  // namespace unicni::vlan
