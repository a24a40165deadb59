// Extensions of iptables that a packet gets past, whatever their arguments: iptables-extensions(8).
#pragma once

#include <algorithm>
#include <iterator>
#include <string_view>

namespace unicni::net {

/// False for one that isn't known: it may end the packet's way (REJECT, TARPIT, CT).
inline bool is_harmless_target(std::string_view name) {
  constexpr std::string_view kHarmless[] = {"LOG",      "NFLOG", "MARK",     "CONNMARK", "TCPMSS",
                                            "CLASSIFY", "TRACE", "CHECKSUM", "SET"};
  return std::ranges::find(kHarmless, name) != std::end(kHarmless);
}

}  // namespace unicni::net
