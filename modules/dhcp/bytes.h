// Numbers in network byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace unicni::dhcp {

using Bytes = std::vector<std::uint8_t>;
using View = std::span<const std::uint8_t>;

/// Big-endian; the caller has looked that `at` + the size lies in `bytes`.
inline std::uint16_t get16(View bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8U | bytes[at + 1]);
}
inline std::uint32_t get32(View bytes, std::size_t at) {
  return static_cast<std::uint32_t>(get16(bytes, at)) << 16U | get16(bytes, at + 2);
}
inline void put16(Bytes& to, std::uint32_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8U));
  to.push_back(static_cast<std::uint8_t>(value));
}
inline void put32(Bytes& to, std::uint32_t value) {
  put16(to, value >> 16U);
  put16(to, value & 0xffffU);
}
inline void set16(Bytes& in, std::size_t at, std::uint32_t value) {
  in[at] = static_cast<std::uint8_t>(value >> 8U);
  in[at + 1] = static_cast<std::uint8_t>(value);
}
inline void append(Bytes& to, View bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

}  // namespace unicni::dhcp
