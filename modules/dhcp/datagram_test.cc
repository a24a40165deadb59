#include "datagram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace unicni::dhcp::datagram_test {
namespace {

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

/// What a server sends: wrap() with the ports the other way round.
Bytes answer(const Bytes& payload) {
  Bytes bytes = wrap({ip("10.0.0.1"), ip("10.0.0.9"), payload});
  std::swap(bytes[20], bytes[22]);
  std::swap(bytes[21], bytes[23]);  // the sum stays the same
  return bytes;
}

TEST(Datagram, HasBothChecksums) {
  // The sums are those of another program.
  const Bytes bytes = wrap({ip("0.0.0.0"), ip("255.255.255.255"), {'h', 'i', '!'}});
  ASSERT_EQ(bytes.size(), 31U);
  EXPECT_EQ(get16(bytes, 10), 0x7acf);
  EXPECT_EQ(get16(bytes, 26), 0x75e8);
}

TEST(Datagram, WhatAServerSendsIsUnwrapped) {
  const auto datagram = unwrap(answer({1, 2, 3}), true);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->src, ip("10.0.0.1"));
  EXPECT_EQ(datagram->dst, ip("10.0.0.9"));
  EXPECT_EQ(datagram->payload, (Bytes{1, 2, 3}));
}

TEST(Datagram, PaddingOfEthernetIsCutOff) {
  Bytes bytes = answer({1, 2, 3});
  bytes.resize(64);
  EXPECT_EQ(unwrap(bytes, true)->payload, (Bytes{1, 2, 3}));
}

TEST(Datagram, AWrongSumCountsOnlyWhereTheKernelHasMadeOne) {
  Bytes bytes = answer({1, 2, 3});
  bytes.back() ^= 1U;
  EXPECT_FALSE(unwrap(bytes, true));
  EXPECT_TRUE(unwrap(bytes, false));
  bytes[26] = bytes[27] = 0;  // the sender made none
  EXPECT_TRUE(unwrap(bytes, true));
}

/// What a server of DHCPv6 sends, as answer().
Bytes answer_v6(const Bytes& payload) {
  Bytes bytes = wrap_v6({ip("fe80::1"), ip("fe80::9"), payload});
  std::swap(bytes[40], bytes[42]);
  std::swap(bytes[41], bytes[43]);
  return bytes;
}

TEST(DatagramV6, WhatAServerSendsIsUnwrapped) {
  Bytes bytes = answer_v6({1, 2, 3});
  const auto datagram = unwrap_v6(bytes, true);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->src, ip("fe80::1"));
  EXPECT_EQ(datagram->dst, ip("fe80::9"));
  EXPECT_EQ(datagram->payload, (Bytes{1, 2, 3}));
  bytes.resize(80);  // padding
  EXPECT_EQ(unwrap_v6(bytes, true)->payload, (Bytes{1, 2, 3}));
  bytes[50] ^= 1U;
  EXPECT_FALSE(unwrap_v6(bytes, true)) << "a wrong sum";
  EXPECT_TRUE(unwrap_v6(bytes, false));
}

TEST(DatagramV6, LyingLengthsAndOtherPacketsAreNone) {
  const Bytes good = answer_v6({1, 2, 3});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(unwrap_v6(View(good).first(size), true)) << size;
  }
  // Version, protocol, sizes of IP and UDP, port, a sum of zero.
  for (const auto& [at, to] : std::vector<std::pair<std::size_t, std::uint8_t>>{
           {0, 0x45}, {6, 58}, {5, 7}, {5, 200}, {45, 7}, {45, 200}, {43, 67}}) {
    Bytes bytes = good;
    bytes[at] = to;
    EXPECT_FALSE(unwrap_v6(bytes, false)) << at;
  }
  Bytes bytes = good;
  bytes[46] = bytes[47] = 0;
  EXPECT_FALSE(unwrap_v6(bytes, false));
}

TEST(Datagram, LyingLengthsAndOtherPacketsAreNone) {
  const Bytes good = answer({1, 2, 3});
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(unwrap(View(good).first(size), true)) << size;
  }
  const auto changed = [&](std::size_t at, std::uint8_t to) {
    Bytes bytes = good;
    bytes[at] = to;
    set16(bytes, 10, 0);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < 20; i += 2) sum += get16(bytes, i);
    while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
    set16(bytes, 10, ~sum & 0xffffU);  // so that not the sum is what is refused
    return bytes;
  };
  ASSERT_TRUE(unwrap(changed(8, 63), false));
  EXPECT_FALSE(unwrap(changed(0, 0x65), false));  // version 6
  EXPECT_FALSE(unwrap(changed(0, 0x44), false));  // four words
  EXPECT_FALSE(unwrap(changed(0, 0x4f), false));  // more words than there are
  EXPECT_FALSE(unwrap(changed(9, 6), false));     // TCP
  EXPECT_FALSE(unwrap(changed(6, 0x20), false));  // more fragments
  EXPECT_FALSE(unwrap(changed(7, 1), false));     // a later fragment
  EXPECT_FALSE(unwrap(changed(23, 69), false));   // another port
  EXPECT_FALSE(unwrap(changed(25, 7), false));    // UDP shorter than its header
  EXPECT_FALSE(unwrap(changed(25, 200), false));  // UDP longer than the packet
  EXPECT_FALSE(unwrap(changed(3, 200), false));   // IP longer than the packet
}

TEST(ArpProbe, AsksWithoutAnAddressOfItsOwn) {
  const Mac own = *Mac::parse("02:00:00:00:00:01");
  EXPECT_EQ(arp_probe(own, ip("10.0.0.9")), (Bytes{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
                                                   0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 9}));
}

TEST(ArpProbe, AConflictIsWhoHasTheAddressOrProbesForIt) {
  const Mac own = *Mac::parse("02:00:00:00:00:01");
  const Mac other = *Mac::parse("02:00:00:00:00:02");
  const IpAddress address = ip("10.0.0.9");
  EXPECT_FALSE(is_arp_conflict(arp_probe(own, address), own, address)) << "our own";
  EXPECT_TRUE(is_arp_conflict(arp_probe(other, address), own, address)) << "probes as well";
  Bytes asks = arp_probe(other, address);
  asks[17] = 7;  // has an address of its own, and wants to know ours
  EXPECT_FALSE(is_arp_conflict(asks, own, address));
  Bytes reply = arp_probe(other, ip("10.0.0.77"));
  reply[7] = 2;
  reply[14] = 10;
  reply[17] = 9;
  EXPECT_TRUE(is_arp_conflict(reply, own, address)) << "has it";
  EXPECT_FALSE(is_arp_conflict(reply, own, ip("10.0.0.10")));
  reply.resize(27);
  EXPECT_FALSE(is_arp_conflict(reply, own, address));
}

}  // namespace
}  // namespace unicni::dhcp::datagram_test
