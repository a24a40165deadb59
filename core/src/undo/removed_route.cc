// "removed-route": a route that was taken out of the container's main table (sbr). Undoing puts it
// back.
#include "unicni/undo/removed_route.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"

namespace unicni {

Undo undo_removed_route(const std::string& link, const net::RouteEntry& route) {
  return undo::route_record("removed-route", link, route);
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Whether the address that packets of the route are to come from is on no interface any more. Then
/// the route went with it, and was replaced by one of the address that came instead.
bool is_source_gone(const Undo& record, Undoing& undoing) {
  const auto source = find_address(record, "src");
  if (!source) return false;
  const auto addresses = net::list_link_addrs(undoing.host.container_links());
  return std::none_of(addresses.begin(), addresses.end(),
                      [&](const auto& each) { return each.address.address() == *source; });
}

/// Absent: the route is back, or nobody could put it there.
Found find(const Undo& record, Undoing& undoing) {
  return find_on_container_link(
      record, undoing, [&](const net::Link& link) { return !has_route(record, link, undoing); });
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::Batch batch(undoing.host.container_links());
  net::put_route(batch, link, route_of(record));
  try {
    batch.commit();
  } catch (const Error& error) {
    if (is_source_gone(record, undoing)) return;
    // Its way to the gateway is gone: a lease that moved, an address that the container gave up.
    // Nobody could put the route back any more, and what comes after this step is still to be taken
    // away.
    if (undoing.why != Why::removal) throw;
    undoing.host.log(LogLevel::warning, fmt::format("not put back: {}", error.msg()));
  }
}

std::string describe(const Undo& record) {
  return fmt::format("route to {} by {} that the container had", field(record, "dst"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kRemovedRouteKind = {"removed-route", Turn::objects, &find,
                                    &undo_by<look_at_container_link, act>, &describe};

}  // namespace unicni::undo
