// "lost-address": an address that an interface lost on its way into a VRF, since the kernel drops
// IPv6 addresses then. Undoing adds it again, without duplicate address detection, as it was in
// use.
#include "unicni/undo/lost_address.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/addr.h"

namespace unicni {

Undo undo_lost_address(const net::Link& link, const IpNet& address) {
  return Undo{
      "lost-address",
      1,
      false,
      {{"link", link.name}, {"index", std::to_string(link.index)}, {"address", address.str()}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Absent: it is back, or its link has gone.
Found find(const Undo& record, Undoing& undoing) {
  return find_on_container_link(record, undoing, [&](const net::Link& link) {
    const auto addresses = net::list_addrs(undoing.host.container_links(), link.index);
    const IpNet lost = get_net(record, "address");
    return std::find(addresses.begin(), addresses.end(), lost) == addresses.end();
  });
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::Batch batch(undoing.host.container_links());
  net::add_addr(batch, link, get_net(record, "address"), net::Dad::skip, true);
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("address {} that {} had in the container", field(record, "address"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kLostAddressKind = {"lost-address", Turn::objects, &find,
                                   &undo_by<look_at_container_link, act>, &describe};

}  // namespace unicni::undo
