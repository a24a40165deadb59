// "port-flag": isolation or hairpin mode that was switched on at a bridge's port. It stays on only
// as long as the attachment, so undoing is always "off".
#include "unicni/undo/port_flag.h"

#include <fmt/core.h>

#include <optional>

#include "undo/found_link.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_port_flag(const net::Link& port, net::PortFlag flag) {
  return Undo{"port-flag",
              1,
              false,
              {{"link", port.name},
               {"alias", port.alias},
               {"flag", flag == net::PortFlag::isolated ? "isolated" : "hairpin"}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

net::PortFlag flag_of(const Undo& record) {
  return field(record, "flag") == "isolated" ? net::PortFlag::isolated : net::PortFlag::hairpin;
}

FoundLink look(const Undo& record, Undoing& undoing) {
  auto port = net::find_link(undoing.host.host_links(), field(record, "link"));
  // Out of its bridge it has no such flags.
  if (!port || port->master == 0) return {};
  if (port->alias != field(record, "alias")) return {Found::others};
  const bool is_on = flag_of(record) == net::PortFlag::isolated ? port->isolated : port->hairpin;
  if (!is_on) return {};
  return {Found::ours, std::move(port)};
}

void act(const Undo& record, const net::Link& port, Undoing& undoing) {
  net::Batch batch(undoing.host.host_links());
  net::set_port_flag(batch, port, flag_of(record), false);
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("bridge port {} being {}", field(record, "link"), field(record, "flag"));
}

}  // namespace

const UndoKind kPortFlagKind = {"port-flag", Turn::objects, &find_by<look>, &undo_by<look, act>,
                                &describe};

}  // namespace unicni::undo
