#include "undo/farewell.h"

#include <linux/if_ether.h>

#include <charconv>
#include <optional>
#include <string>

#include "unicni/error.h"
#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/net/packet_socket.h"

namespace unicni::undo {

void send_farewell(const Line& lease, HostKernel& host) {
  const std::string packet = lease.get("farewell");
  const auto next_hop = Mac::parse(lease.get("next_hop"));
  if (packet.empty() || !next_hop) {
    throw Error(Code::internal, "the lease's file has no packet for that");
  }
  const auto netns = net::Netns::open(lease.get("netns_path"));
  std::optional<net::Netlink> links;
  if (netns) links.emplace(*netns, host.host_netns());
  if (!links || links->identity() != lease.get("netns")) {
    throw Error(Code::internal, "its namespace is gone");
  }
  int index = 0;
  const std::string number = lease.get("index");
  std::from_chars(number.data(), number.data() + number.size(), index);
  const auto link = net::find_link(*links, index);
  if (!link || link->mac != Mac::parse(lease.get("mac"))) {
    throw Error(Code::internal, "its interface is gone");
  }
  net::bring_up(*links, *link);
  netns->run(
      [&] {
        net::PacketSocket socket(*link, ETH_P_IP, {});
        socket.send(*next_hop,
                    {reinterpret_cast<const std::uint8_t*>(packet.data()), packet.size()});
      },
      host.host_netns());
}

}  // namespace unicni::undo
