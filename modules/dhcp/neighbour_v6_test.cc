#include "neighbour_v6.h"

#include <gtest/gtest.h>

#include "base/ip_for_test.h"

namespace unicni::dhcp::neighbour_v6_test {
namespace {

const Mac kOwn = *Mac::parse("02:00:00:00:00:01");
const Mac kOther = *Mac::parse("02:00:00:00:00:02");

TEST(NeighbourV6, TheProbeIsThatOfDuplicateAddressDetection) {
  const Bytes probe = neighbour_probe(ip("2001:db8::12:3456"));
  ASSERT_EQ(probe.size(), 64U);
  EXPECT_EQ(Bytes(probe.begin(), probe.begin() + 8), (Bytes{0x60, 0, 0, 0, 0, 24, 58, 255}));
  EXPECT_EQ(Bytes(probe.begin() + 8, probe.begin() + 24), Bytes(16)) << "of nobody";
  EXPECT_EQ(Bytes(probe.begin() + 24, probe.begin() + 40),
            (Bytes{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56}));
  EXPECT_EQ(probe[40], 135);
  EXPECT_EQ(solicited_node_mac(ip("2001:db8::12:3456")).str(), "33:33:ff:12:34:56");
  // With the pseudo header all words add up to ones (RFC 1071).
  std::uint32_t sum = 24 + 58;
  for (std::size_t i = 8; i < probe.size(); i += 2) sum += get16(probe, i);
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  EXPECT_EQ(sum, 0xffffU);
}

TEST(NeighbourV6, WhoHasOrWantsTheAddressIsAConflict) {
  const IpAddress address = ip("2001:db8::9");
  Bytes packet = neighbour_probe(address);
  EXPECT_TRUE(is_neighbour_conflict(packet, kOther, kOwn, address)) << "it probes as well";
  EXPECT_FALSE(is_neighbour_conflict(packet, kOwn, kOwn, address)) << "an echo of a bridge";
  EXPECT_FALSE(is_neighbour_conflict(packet, kOther, kOwn, ip("2001:db8::a")));
  packet[23] = 1;
  EXPECT_FALSE(is_neighbour_conflict(packet, kOther, kOwn, address)) << "it looks for a neighbour";
  packet[40] = 136;
  EXPECT_TRUE(is_neighbour_conflict(packet, kOther, kOwn, address)) << "it has it";
  packet[7] = 254;
  EXPECT_FALSE(is_neighbour_conflict(packet, kOther, kOwn, address)) << "from another link";
  packet[7] = 255;
  packet.pop_back();
  EXPECT_FALSE(is_neighbour_conflict(packet, kOther, kOwn, address));
}

}  // namespace
}  // namespace unicni::dhcp::neighbour_v6_test
