// "bridge": made by this ADD. Only a failed ADD takes it away, and only if it has no ports: another
// attachment may have joined it meanwhile. After a successful one it stays, as with the reference.
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

FoundLink look(const Undo& record, Undoing& undoing) {
  return look_at_idle_bridge(undoing.host.host_links(), field(record, "name"));
}

void undo_one(const Undo& record, Undoing& undoing) {
  const auto lock = hold_shared_objects(undoing.host);
  const FoundLink bridge = look(record, undoing);
  if (bridge.link) net::remove_link(undoing.host.host_links(), bridge.link->index);
}

std::string describe(const Undo& record) { return fmt::format("bridge {}", field(record, "name")); }

}  // namespace

const UndoKind kBridgeKind = {"bridge", Turn::objects, &find_by<look>, &each<undo_one>, &describe};

}  // namespace unicni::undo
