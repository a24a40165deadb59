// "container-link": an interface that was made in the container (macvlan, ipvlan, vlan, tap,
// dummy). Name and kind are all there is to know before it exists.
#include "unicni/undo/container_link.h"

#include <fmt/core.h>

#include <optional>

#include "undo/found_link.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/link.h"

namespace unicni {

Undo undo_container_link(const std::string& name, const std::string& kind) {
  return Undo{"container-link", 1, false, {{"name", name}, {"kind", kind}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// That the namespace is the one that ADD saw is the caller's care (Namespaces::container_netns).
FoundLink look(const Undo& record, Undoing& undoing) {
  if (undoing.host.container_netns() == nullptr) return {};
  auto link = net::find_link(undoing.host.container_links(), field(record, "name"));
  if (!link) return {};
  const bool is_ours = link->kind == field(record, "kind");
  return judge(std::move(link), is_ours);
}

std::string describe(const Undo& record) {
  return fmt::format("{} {} in the container", field(record, "kind"), field(record, "name"));
}

}  // namespace

const UndoKind kContainerLinkKind = {"container-link", Turn::objects, &find_by<look>,
                                     &undo_by<look, remove_from_container>, &describe};

}  // namespace unicni::undo
