// "added-route": a route that was added to the container (sbr's tables). It goes with its link by
// itself; the record is for links that stay.
#include "unicni/undo/added_route.h"

#include <fmt/core.h>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_added_route(const std::string& link, const net::RouteEntry& route) {
  return undo::route_record("added-route", link, route);
}

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing& undoing) {
  return find_on_container_link(
      record, undoing, [&](const net::Link& link) { return has_route(record, link, undoing); });
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::Batch batch(undoing.host.container_links());
  net::remove_route(batch, link, route_of(record));
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("route to {} by {} in the container", field(record, "dst"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kAddedRouteKind = {"added-route", Turn::objects, &find,
                                  &undo_by<look_at_container_link, act>, &describe};

}  // namespace unicni::undo
