// "vrf": a VRF that was made in the container. Several interfaces can be in it; it goes with the
// last of them.
#include "unicni/undo/vrf.h"

#include <fmt/core.h>

#include <optional>

#include "undo/found_link.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni {

Undo undo_vrf(const std::string& name) { return Undo{"vrf", 1, false, {{"name", name}}}; }

}  // namespace unicni

namespace unicni::undo {
namespace {

FoundLink look(const Undo& record, Undoing& undoing) {
  if (undoing.host.container_netns() == nullptr) return {};
  net::Netlink& links = undoing.host.container_links();
  auto vrf = net::find_link(links, field(record, "name"));
  if (!vrf) return {};
  const bool is_idle = vrf->kind == "vrf" && net::list_ports(links, vrf->index).empty();
  return judge(std::move(vrf), is_idle);
}

std::string describe(const Undo& record) {
  return fmt::format("VRF {} in the container", field(record, "name"));
}

}  // namespace

const UndoKind kVrfKind = {"vrf", Turn::objects, &find_by<look>,
                           &undo_by<look, remove_from_container>, &describe};

}  // namespace unicni::undo
