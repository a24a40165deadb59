// "vrf-port": an interface of the container that was put into a VRF. Addresses and routes have
// records of their own, which are undone after this one.
#include "unicni/undo/vrf_port.h"

#include <fmt/core.h>

#include <optional>

#include "undo/container_side.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"

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

FoundLink look(const Undo& record, Undoing& undoing) {
  FoundLink port = look_at_container_link(record, undoing);
  if (port.found != Found::ours) return port;
  if (port.link->master == 0) return {};
  const auto vrf = net::find_link(undoing.host.container_links(), field(record, "vrf"));
  const bool is_its_port = vrf && vrf->kind == "vrf" && vrf->index == port.link->master;
  return judge(std::move(port.link), is_its_port);
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::Batch batch(undoing.host.container_links());
  net::set_master(batch, link, {0, field(record, "vrf")});
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("{} as a port of VRF {} in the container", field(record, "link"),
                     field(record, "vrf"));
}

}  // namespace

const UndoKind kVrfPortKind = {"vrf-port", Turn::objects, &find_by<look>, &undo_by<look, act>,
                               &describe};

}  // namespace unicni::undo
