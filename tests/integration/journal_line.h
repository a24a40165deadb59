// Lines of a journal as a test writes them.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

namespace unicni::test {

/// `record` with its checksum, the CRC-32 of IEEE 802.3, and a line end.
inline std::string journal_line(const std::string& record) {
  std::uint32_t crc = ~0U;
  for (const char c : record) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0);
  }
  char sum[16];
  std::snprintf(sum, sizeof sum, " #%08x\n", ~crc);
  return record + sum;
}

}  // namespace unicni::test
