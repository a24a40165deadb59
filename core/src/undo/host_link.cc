// "host-link": a link of the host that belongs to one attachment, such as bandwidth's ifb. Name,
// kind and alias must agree.
#include "unicni/undo/host_link.h"

#include <fmt/core.h>

#include "undo/found_link.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni {

Undo undo_host_link(const std::string& name, const std::string& kind, const std::string& alias) {
  return Undo{"host-link", 1, false, {{"name", name}, {"kind", kind}, {"alias", alias}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

FoundLink look(const Undo& record, Undoing& undoing) {
  auto link = net::find_link(undoing.host.host_links(), field(record, "name"));
  if (!link) return {};
  const bool is_ours = link->kind == field(record, "kind") && link->alias == field(record, "alias");
  return judge(std::move(link), is_ours);
}

std::string describe(const Undo& record) {
  return fmt::format("{} {} on the host", field(record, "kind"), field(record, "name"));
}

}  // namespace

const UndoKind kHostLinkKind = {"host-link", Turn::objects, &find_by<look>,
                                &undo_by<look, remove_from_host>, &describe};

}  // namespace unicni::undo
