#include "unicni/undo/container_link.h"

#include <fmt/core.h>

#include <optional>

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
std::optional<net::Link> find_there(const Undo& record, Undoing& undoing) {
  if (undoing.host.container_netns() == nullptr) return std::nullopt;
  return net::find_link(undoing.host.container_links(), field(record, "name"));
}

Found find(const Undo& record, Undoing& undoing) {
  const auto link = find_there(record, undoing);
  if (!link) return Found::absent;
  return link->kind == field(record, "kind") ? Found::ours : Found::others;
}

void undo_one(const Undo& record, Undoing& undoing) {
  const auto link = find_there(record, undoing);
  if (link && link->kind == field(record, "kind")) {
    net::remove_link(undoing.host.container_links(), link->index);
  }
}

std::string describe(const Undo& record) {
  return fmt::format("{} {} in the container", field(record, "kind"), field(record, "name"));
}

}  // namespace

const UndoKind kContainerLinkKind = {"container-link", Turn::objects, &find, &each<undo_one>,
                                     &describe};

}  // namespace unicni::undo
