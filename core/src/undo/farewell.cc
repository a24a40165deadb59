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
#include "unicni/net/veth.h"
#include "unicni/sys/proc.h"

namespace unicni::undo {

namespace {

net::KeptLink link_of(const Line& lease) {
  net::KeptLink link{lease.get("netns"), lease.get("if_name"), 0, {}, lease.get("kind")};
  const std::string number = lease.get("index");
  std::from_chars(number.data(), number.data() + number.size(), link.index);
  if (const auto mac = Mac::parse(lease.get("mac"))) link.mac = *mac;
  return link;
}

/// By the path of the ADD, or by the verb's own where that one leads nowhere any more: a process of
/// the container may have ended whose /proc/PID/ns/net it was.
std::optional<net::LinkInNetns> find_link(const Line& lease, HostKernel& host) {
  const net::KeptLink link = link_of(lease);
  auto found = net::find_kept_link(lease.get("netns_path"), link, &host.host_netns());
  const net::Netns* given = found ? nullptr : find_given_netns(host);
  return given == nullptr
             ? std::move(found)
             : net::find_kept_link(sys::proc_path_of(given->fd()), link, &host.host_netns());
}

/// A veth's other end, if it is here.
std::optional<net::Link> find_host_end(const net::LinkInNetns& found, HostKernel& host) {
  if (found.link.kind != "veth") return std::nullopt;
  net::Netlink there(found.netns, host.host_netns());
  return net::find_veth_end(there, found.link, host.host_links(), host.host_netns());
}

/// Why nothing that is sent by a link leaves the host; "": nothing is seen in the way.
std::string obstacle_of(const net::LinkInNetns& found, HostKernel& host) {
  if (!found.link.up) return "its interface is down";
  if (!found.link.lower_up) return "its interface has no carrier";
  const auto end = find_host_end(found, host);
  if (!end || end->master == 0) return {};
  const auto master = net::find_link(host.host_links(), end->master);
  const bool passes = !master || master->up || master->kind != "bridge";
  return passes ? std::string() : fmt::format("the bridge {} is down", master->name);
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

const net::Netns* find_given_netns(HostKernel& host) noexcept {
  try {
    return host.container_netns();
  } catch (const Error&) {
    return nullptr;
  }
}

void send_farewell(const Line& lease, HostKernel& host) {
  const std::vector<Farewell> farewells = farewells_of(lease);
  if (farewells.empty()) throw Error(Code::internal, "the lease's file has no packet for that");
  const auto found = find_link(lease, host);
  if (!found) throw Error(Code::internal, "its namespace or interface is gone");
  const std::string obstacle = obstacle_of(*found, host);
  if (!obstacle.empty()) throw Error(Code::internal, obstacle);
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

std::string wake_link(const Line& lease, HostKernel& host) {
  try {
    auto found = find_link(lease, host);
    if (!found) return {};  // the daemon may see more
    if (found->link.up) return obstacle_of(*found, host);
    net::Netlink links(found->netns, host.host_netns());
    net::bring_up(links, found->link);
    const auto end = find_host_end(*found, host);
    if (end) net::sync_carrier(host.host_links(), end->name);
    found->link = net::get_link(links, found->link.name);
    return obstacle_of(*found, host);
  } catch (const Error& error) {
    host.log(LogLevel::warning, fmt::format("what {} has to say before it goes may be lost: {}",
                                            lease.get("if_name"), error.msg()));
    return {};
  }
}

}  // namespace unicni::undo
