#include "unicni/undo/vrf_port.h"

#include <fmt/core.h>

#include <optional>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link_kinds.h"

namespace unicni {

Undo undo_vrf_port(const net::Link& link, const std::string& vrf) {
  return Undo{"vrf-port",
              1,
              false,
              {{"link", link.name}, {"index", std::to_string(link.index)}, {"vrf", vrf}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

Found look(const Undo& record, Undoing& undoing, std::optional<net::Link>& link) {
  Found found{};
  link = find_container_link(record, undoing, found);
  if (!link) return found;
  if (link->master == 0) return Found::absent;
  const auto vrf = net::find_link(undoing.host.container_links(), field(record, "vrf"));
  const bool is_its_port = vrf && vrf->kind == "vrf" && vrf->index == link->master;
  return is_its_port ? Found::ours : Found::others;
}

Found find(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> link;
  return look(record, undoing, link);
}

void undo_one(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> link;
  if (look(record, undoing, link) != Found::ours) return;
  net::Batch batch(undoing.host.container_links());
  net::set_master(batch, link->index, link->name, 0, field(record, "vrf"));
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("{} as a port of VRF {} in the container", field(record, "link"),
                     field(record, "vrf"));
}

}  // namespace

const UndoKind kVrfPortKind = {"vrf-port", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
