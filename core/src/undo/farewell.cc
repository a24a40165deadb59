#include "undo/farewell.h"

#include <linux/if_ether.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/error.h"
#include "unicni/mac.h"
#include "unicni/net/kept_link.h"
#include "unicni/net/netlink.h"
#include "unicni/net/packet_socket.h"

namespace unicni::undo {

namespace {

net::KeptLink link_of(const Line& lease) {
  net::KeptLink link{lease.get("netns"), lease.get("if_name"), 0, {}, lease.get("kind")};
  const std::string number = lease.get("index");
  std::from_chars(number.data(), number.data() + number.size(), link.index);
  if (const auto mac = Mac::parse(lease.get("mac"))) link.mac = *mac;
  return link;
}

struct Farewell {
  std::uint16_t protocol;
  Mac to;
  std::string packet;
};

/// RFC 2464 §7: of the address that an IPv6 packet goes to.
std::optional<Mac> multicast_mac(const std::string& packet) {
  constexpr std::size_t kEndOfDestination = 40;
  if (packet.size() < kEndOfDestination) return std::nullopt;
  std::array<std::uint8_t, 6> mac{0x33, 0x33};
  std::copy_n(packet.begin() + kEndOfDestination - 4, 4, mac.begin() + 2);
  return Mac(mac);
}

std::vector<Farewell> farewells_of(const Line& lease) {
  std::vector<Farewell> all;
  const std::string four = lease.get("farewell");
  const std::string six = lease.get("v6.farewell");
  const auto next_hop = Mac::parse(lease.get("next_hop"));
  if (!four.empty() && next_hop) all.push_back({ETH_P_IP, *next_hop, four});
  if (const auto to = multicast_mac(six)) all.push_back({ETH_P_IPV6, *to, six});
  return all;
}

}  // namespace

void send_farewell(const Line& lease, HostKernel& host) {
  const std::vector<Farewell> farewells = farewells_of(lease);
  if (farewells.empty()) throw Error(Code::internal, "the lease's file has no packet for that");
  const auto found =
      net::find_kept_link(lease.get("netns_path"), link_of(lease), &host.host_netns());
  if (!found) throw Error(Code::internal, "its namespace or interface is gone");
  net::Netlink links(found->netns, host.host_netns());
  net::bring_up(links, found->link);
  found->netns.run(
      [&] {
        for (const Farewell& each : farewells) {
          net::PacketSocket socket(found->link, each.protocol, {});
          socket.send(each.to, {reinterpret_cast<const std::uint8_t*>(each.packet.data()),
                                each.packet.size()});
        }
      },
      host.host_netns());
}

}  // namespace unicni::undo
