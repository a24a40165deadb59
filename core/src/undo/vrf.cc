#include "unicni/undo/vrf.h"

#include <fmt/core.h>

#include <optional>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni {

Undo undo_vrf(const std::string& name) { return Undo{"vrf", 1, false, {{"name", name}}}; }

}  // namespace unicni

namespace unicni::undo {
namespace {

Found look(const Undo& record, Undoing& undoing, std::optional<net::Link>& vrf) {
  if (undoing.host.container_netns() == nullptr) return Found::absent;
  net::Netlink& links = undoing.host.container_links();
  vrf = net::find_link(links, field(record, "name"));
  if (!vrf) return Found::absent;
  const bool is_idle = vrf->kind == "vrf" && net::list_ports(links, vrf->index).empty();
  return is_idle ? Found::ours : Found::others;
}

Found find(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> vrf;
  return look(record, undoing, vrf);
}

void undo_one(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> vrf;
  if (look(record, undoing, vrf) != Found::ours) return;
  net::remove_link(undoing.host.container_links(), vrf->index);
}

std::string describe(const Undo& record) {
  return fmt::format("VRF {} in the container", field(record, "name"));
}

}  // namespace

const UndoKind kVrfKind = {"vrf", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
