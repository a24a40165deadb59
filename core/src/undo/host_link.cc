#include "unicni/undo/host_link.h"

#include <fmt/core.h>

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

bool is_ours(const net::Link& link, const Undo& record) {
  return link.kind == field(record, "kind") && link.alias == field(record, "alias");
}

Found find(const Undo& record, Undoing& undoing) {
  const auto link = net::find_link(undoing.host.host_links(), field(record, "name"));
  if (!link) return Found::absent;
  return is_ours(*link, record) ? Found::ours : Found::others;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::Netlink& links = undoing.host.host_links();
  const auto link = net::find_link(links, field(record, "name"));
  if (link && is_ours(*link, record)) net::remove_link(links, link->index);
}

std::string describe(const Undo& record) {
  return fmt::format("{} {} on the host", field(record, "kind"), field(record, "name"));
}

}  // namespace

const UndoKind kHostLinkKind = {"host-link", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
