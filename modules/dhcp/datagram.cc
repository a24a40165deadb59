#include "datagram.h"

#include <algorithm>
#include <array>

namespace unicni::dhcp {

namespace {

constexpr std::size_t kIpHeader = 20;
constexpr std::size_t kIpHeaderV6 = 40;
constexpr std::size_t kAddressesV6 = 8;
constexpr std::size_t kAddressSizeV6 = 16;
constexpr std::size_t kUdpHeader = 8;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kTimeToLive = 64;
constexpr std::size_t kArpSize = 28;
constexpr std::uint16_t kArpRequest = 1;
constexpr std::uint16_t kArpReply = 2;

/// RFC 1071; `sum` is what came before.
std::uint32_t add_up(View bytes, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += get16(bytes, i);
  if (bytes.size() % 2 != 0) sum += static_cast<std::uint32_t>(bytes.back()) << 8U;
  return sum;
}

std::uint16_t folded(std::uint32_t sum) {
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(~sum);
}

/// Of the header that UDP's checksum covers beside its own.
std::uint32_t pseudo_sum(View ip, std::size_t udp_size) {
  return add_up(ip.subspan(12, 8), static_cast<std::uint32_t>(kUdp + udp_size));
}

std::uint32_t pseudo_sum_v6(View ip, std::size_t udp_size) {
  return add_up(ip.subspan(kAddressesV6, 2 * kAddressSizeV6),
                static_cast<std::uint32_t>(kUdp + udp_size));
}

/// The UDP header and the payload, at the end of `bytes`, without a checksum yet.
void put_udp(Bytes& bytes, std::uint16_t from, std::uint16_t to, const Bytes& payload) {
  put16(bytes, from);
  put16(bytes, to);
  put16(bytes, static_cast<std::uint32_t>(kUdpHeader + payload.size()));
  put16(bytes, 0);
  append(bytes, payload);
}

/// Of what is behind an IP header of this size; `pseudo` is the sum of the pseudo header.
void set_udp_sum(Bytes& bytes, std::size_t ip_header, std::uint32_t pseudo) {
  const std::uint16_t sum = folded(add_up(View(bytes).subspan(ip_header), pseudo));
  set16(bytes, ip_header + 6, sum == 0 ? 0xffffU : sum);  // 0 would mean that there is none
}

}  // namespace

Bytes wrap(const Datagram& datagram) {
  const std::size_t udp_size = kUdpHeader + datagram.payload.size();
  Bytes bytes;
  bytes.reserve(kIpHeader + udp_size);
  put16(bytes, 0x4500);  // version 4, five words
  put16(bytes, static_cast<std::uint32_t>(kIpHeader + udp_size));
  put32(bytes, 0);  // no fragment
  bytes.push_back(kTimeToLive);
  bytes.push_back(kUdp);
  put16(bytes, 0);
  put32(bytes, datagram.src.to_v4());
  put32(bytes, datagram.dst.to_v4());
  set16(bytes, 10, folded(add_up(bytes, 0)));
  put_udp(bytes, kClientPort, kServerPort, datagram.payload);
  set_udp_sum(bytes, kIpHeader, pseudo_sum(bytes, udp_size));
  return bytes;
}

std::optional<Datagram> unwrap(View bytes, bool summed) {
  if (bytes.size() < kIpHeader || bytes[0] >> 4U != 4) return std::nullopt;
  const std::size_t header = (bytes[0] & 0xfU) * 4U;
  const std::size_t total = get16(bytes, 2);
  constexpr unsigned kFragment = 0x3fff;  // more of them, or an offset
  if (header < kIpHeader || total < header + kUdpHeader || total > bytes.size() ||
      bytes[9] != kUdp || (get16(bytes, 6) & kFragment) != 0 ||
      folded(add_up(bytes.first(header), 0)) != 0) {
    return std::nullopt;
  }
  const View udp = bytes.subspan(header, total - header);
  const std::size_t udp_size = get16(udp, 4);
  if (get16(udp, 2) != kClientPort || udp_size < kUdpHeader || udp_size > udp.size()) {
    return std::nullopt;
  }
  const bool has_sum = get16(udp, 6) != 0;
  if (summed && has_sum && folded(add_up(udp.first(udp_size), pseudo_sum(bytes, udp_size))) != 0) {
    return std::nullopt;
  }
  const View payload = udp.subspan(kUdpHeader, udp_size - kUdpHeader);
  return Datagram{IpAddress::v4(get32(bytes, 12)), IpAddress::v4(get32(bytes, 16)),
                  Bytes(payload.begin(), payload.end())};
}

Bytes wrap_v6(const Datagram& datagram) {
  const std::size_t udp_size = kUdpHeader + datagram.payload.size();
  Bytes bytes;
  bytes.reserve(kIpHeaderV6 + udp_size);
  put32(bytes, 0x60000000);  // version 6
  put16(bytes, static_cast<std::uint32_t>(udp_size));
  bytes.push_back(kUdp);
  bytes.push_back(1);  // hop limit: multicast of the link
  append(bytes, View(datagram.src.data(), kAddressSizeV6));
  append(bytes, View(datagram.dst.data(), kAddressSizeV6));
  put_udp(bytes, kClientPortV6, kServerPortV6, datagram.payload);
  set_udp_sum(bytes, kIpHeaderV6, pseudo_sum_v6(bytes, udp_size));
  return bytes;
}

std::optional<Datagram> unwrap_v6(View bytes, bool summed) {
  if (bytes.size() < kIpHeaderV6 + kUdpHeader || bytes[0] >> 4U != 6 || bytes[6] != kUdp) {
    return std::nullopt;
  }
  const std::size_t size = get16(bytes, 4);
  if (size < kUdpHeader || kIpHeaderV6 + size > bytes.size()) return std::nullopt;
  const View udp = bytes.subspan(kIpHeaderV6, size);
  const std::size_t udp_size = get16(udp, 4);
  if (get16(udp, 2) != kClientPortV6 || udp_size < kUdpHeader || udp_size > udp.size() ||
      get16(udp, 6) == 0) {
    return std::nullopt;
  }
  if (summed && folded(add_up(udp.first(udp_size), pseudo_sum_v6(bytes, udp_size))) != 0) {
    return std::nullopt;
  }
  const auto address_at = [&](std::size_t at) {
    std::array<std::uint8_t, kAddressSizeV6> address{};
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), address.size(), address.begin());
    return IpAddress::v6(address);
  };
  const View payload = udp.subspan(kUdpHeader, udp_size - kUdpHeader);
  return Datagram{address_at(kAddressesV6), address_at(kAddressesV6 + kAddressSizeV6),
                  Bytes(payload.begin(), payload.end())};
}

Bytes arp_probe(const Mac& own, const IpAddress& address) {
  Bytes bytes;
  put16(bytes, 1);       // Ethernet
  put16(bytes, 0x0800);  // IPv4
  bytes.push_back(6);
  bytes.push_back(4);
  put16(bytes, kArpRequest);
  append(bytes, own.bytes());
  put32(bytes, 0);
  append(bytes, Mac().bytes());
  put32(bytes, address.to_v4());
  return bytes;
}

bool is_arp_conflict(View bytes, const Mac& own, const IpAddress& address) {
  if (bytes.size() < kArpSize || get32(bytes, 0) != 0x00010800 || get16(bytes, 4) != 0x0604) {
    return false;
  }
  const std::uint16_t operation = get16(bytes, 6);
  if (operation != kArpRequest && operation != kArpReply) return false;
  if (std::equal(own.bytes().begin(), own.bytes().end(), bytes.begin() + 8)) return false;
  const std::uint32_t sender = get32(bytes, 14);
  const std::uint32_t target = get32(bytes, 24);
  const bool probes = operation == kArpRequest && sender == 0 && target == address.to_v4();
  return sender == address.to_v4() || probes;
}

}  // namespace unicni::dhcp
