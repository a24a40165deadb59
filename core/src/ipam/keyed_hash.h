// A hash that nobody can aim at without the key.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace unicni::ipam {

using HashKey = std::array<std::uint64_t, 2>;

/// SipHash-2-4 (Aumasson, Bernstein 2012): 64 bits, equal on every host of one byte order.
std::uint64_t keyed_hash(const HashKey& key, std::string_view bytes);

}  // namespace unicni::ipam
