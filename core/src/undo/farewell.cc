#include "undo/farewell.h"

#include <fmt/core.h>
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
#include "unicni/net/link.h"
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

std::optional<net::LinkInNetns> find_link(const Line& lease, HostKernel& host) {
  return net::find_kept_link(lease.get("netns_path"), link_of(lease), &host.host_netns());
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
  const auto found = find_link(lease, host);
  if (!found) throw Error(Code::internal, "its namespace or interface is gone");
  if (!found->link.up) throw Error(Code::internal, "its interface is down");
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

void wake_link(const Line& lease, HostKernel& host) {
  try {
    const auto found = find_link(lease, host);
    if (!found || found->link.up) return;
    net::Netlink links(found->netns, host.host_netns());
    net::bring_up(links, found->link);
    // A veth's other end, if it is here.
    const auto end = net::find_link(host.host_links(), found->link.iflink);
    if (end && end->iflink == found->link.index) net::sync_carrier(host.host_links(), end->name);
  } catch (const Error& error) {
    host.log(LogLevel::warning, fmt::format("what {} has to say before it goes may be lost: {}",
                                            lease.get("if_name"), error.msg()));
  }
}

}  // namespace unicni::undo
