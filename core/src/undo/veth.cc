// "veth": the pair between host and container, by its end on the host.
#include "unicni/undo/veth.h"

#include <fmt/core.h>

#include "undo/found_link.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni {

Undo undo_veth(const std::string& name, const std::string& alias) {
  return Undo{"veth", 1, false, {{"name", name}, {"alias", alias}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Kind and alias say whose it is. An ADD that failed may have ended between making the link and
/// giving it its alias: then the random name alone says it.
FoundLink look(const Undo& record, Undoing& undoing) {
  auto link = net::find_link(undoing.host.host_links(), field(record, "name"));
  if (!link) return {};
  const bool unfinished = undoing.why == Why::failed_add && link->alias.empty();
  const bool is_ours =
      link->kind == "veth" && (unfinished || link->alias == field(record, "alias"));
  return judge(std::move(link), is_ours);
}

std::string describe(const Undo& record) {
  return fmt::format("veth {} on the host", field(record, "name"));
}

}  // namespace

const UndoKind kVethKind = {"veth", Turn::objects, &find_by<look>, &undo_by<look, remove_from_host>,
                            &describe};

}  // namespace unicni::undo
