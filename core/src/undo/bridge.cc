#include "unicni/undo/bridge.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"

namespace unicni {

Undo undo_bridge(const std::string& name) { return Undo{"bridge", 1, true, {{"name", name}}}; }

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing& undoing) {
  Found found{};
  find_idle_bridge(undoing.host.host_links(), field(record, "name"), found);
  return found;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::Netlink& links = undoing.host.host_links();
  const auto lock = hold_shared_objects(undoing.host);
  Found found{};
  const auto bridge = find_idle_bridge(links, field(record, "name"), found);
  if (bridge) net::remove_link(links, bridge->index);
}

std::string describe(const Undo& record) { return fmt::format("bridge {}", field(record, "name")); }

}  // namespace

const UndoKind kBridgeKind = {"bridge", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
