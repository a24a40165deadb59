// "loopback-route": the route `local ::1` by a bridge (portmap's ipv6Loopback). All published ports
// of the host share it; it goes with the last one of IPv6.
#include "unicni/undo/loopback_route.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"
#include "unicni/net/route.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/netfilter/published_port.h"

namespace unicni {

Undo undo_loopback_route(const std::string& link) {
  return Undo{"loopback-route", 1, false, {{"link", link}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Whether a port of the host is published over IPv6, by whatever backend.
bool is_used(Undoing& undoing) {
  return net::has_published_ports(undoing.host.nft(), Family::v6) ||
         net::has_iptables_ports(undoing.host.nft(), Family::v6);
}

Found find(const Undo& record, Undoing& undoing) {
  const auto link = net::find_link(undoing.host.host_links(), field(record, "link"));
  if (!link) return Found::absent;
  return is_used(undoing) ? Found::others : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  const auto lock = hold_shared_objects(undoing.host);
  if (is_used(undoing)) return;
  const auto link = net::find_link(undoing.host.host_links(), field(record, "link"));
  if (!link) return;
  net::Batch batch(undoing.host.host_links());
  net::remove_loopback_route(batch, *link);
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("route to ::1 by {}", field(record, "link"));
}

}  // namespace

const UndoKind kLoopbackRouteKind = {"loopback-route", Turn::objects, &find, &each<undo_one>,
                                     &describe};

}  // namespace unicni::undo
