#include "neighbour_v6.h"

#include <algorithm>

namespace unicni::dhcp {

namespace {

constexpr std::size_t kIpHeader = 40;
constexpr std::size_t kMessage = 24;  // of ICMPv6, without options
constexpr std::size_t kAddressSize = 16;
constexpr std::size_t kSource = 8;
constexpr std::size_t kTarget = kIpHeader + 8;
constexpr std::uint8_t kIcmp = 58;
constexpr std::uint8_t kOnLink = 255;  // hop limit: nobody has forwarded it
constexpr std::uint8_t kSolicitation = 135;
constexpr std::uint8_t kAdvertisement = 136;

/// RFC 1071 over an even number of bytes.
std::uint16_t checksum(View bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

Mac solicited_node_mac(const IpAddress& address) {
  const std::uint8_t* bytes = address.data();
  return Mac({0x33, 0x33, 0xff, bytes[13], bytes[14], bytes[15]});
}

Bytes neighbour_probe(const IpAddress& address) {
  Bytes bytes;
  put32(bytes, 0x60000000);  // version 6
  put16(bytes, kMessage);
  bytes.push_back(kIcmp);
  bytes.push_back(kOnLink);
  bytes.resize(bytes.size() + kAddressSize);  // ::
  const std::uint8_t* own = address.data();
  append(bytes, Bytes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, own[13], own[14], own[15]});
  put32(bytes, static_cast<std::uint32_t>(kSolicitation) << 24U);
  put32(bytes, 0);
  append(bytes, View(own, kAddressSize));
  // Of both addresses, the size and the protocol beside the message itself (RFC 8200 §8.1).
  const View all(bytes);
  set16(bytes, kIpHeader + 2, checksum(all.subspan(kSource), kMessage + kIcmp));
  return bytes;
}

bool is_neighbour_conflict(View bytes, const Mac& from, const Mac& own, const IpAddress& address) {
  if (bytes.size() < kIpHeader + kMessage || bytes[0] >> 4U != 6 || bytes[6] != kIcmp ||
      bytes[7] != kOnLink || from == own ||
      !std::equal(bytes.begin() + kTarget, bytes.begin() + kTarget + kAddressSize,
                  address.data())) {
    return false;
  }
  if (bytes[kIpHeader] == kAdvertisement) return true;
  const auto source = bytes.subspan(kSource, kAddressSize);
  return bytes[kIpHeader] == kSolicitation &&
         std::all_of(source.begin(), source.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace unicni::dhcp
