// "veth": the pair between host and container, by its end on the host.
#include "unicni/undo/veth.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/found_link.h"
#include "undo/host_ends.h"
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

void act(const Undo&, const net::Link& link, Undoing& undoing) {
  net::remove_link(undoing.host.host_links(), link.index);
}

std::string describe(const Undo& record) {
  return fmt::format("veth {} on the host", field(record, "name"));
}

}  // namespace

const UndoKind kVethKind = {"veth", Turn::objects, &find_by<look>, &undo_by<look, act>, &describe};

/// While the host end stands the other end does so, and with it the container's namespace.
bool has_host_end(const std::vector<Undo>& records, net::Netlink& host_links) {
  return std::any_of(records.begin(), records.end(), [&](const Undo& record) {
    if (find_kind(record) != &kVethKind) return false;
    const auto link = net::find_link(host_links, std::string(optional_field(record, "name")));
    return link && link->kind == "veth" && link->alias == optional_field(record, "alias");
  });
}

}  // namespace unicni::undo
