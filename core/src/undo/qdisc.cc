#include "unicni/undo/qdisc.h"

#include <fmt/core.h>

#include <optional>

#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_qdisc(const net::Link& link, net::QdiscPlace place, const std::string& kind) {
  return Undo{"qdisc",
              1,
              false,
              {{"link", link.name},
               {"alias", link.alias},
               {"place", place == net::QdiscPlace::root ? "root" : "ingress"},
               {"kind", kind}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

net::QdiscPlace place_of(const Undo& record) {
  const std::string& text = field(record, "place");
  if (text != "root" && text != "ingress") refuse_field(record, "place");
  return text == "root" ? net::QdiscPlace::root : net::QdiscPlace::ingress;
}

Found look(const Undo& record, Undoing& undoing, std::optional<net::Link>& link) {
  const net::QdiscPlace place = place_of(record);
  net::Netlink& links = undoing.host.host_links();
  link = net::find_link(links, field(record, "link"));
  if (!link) return Found::absent;
  if (link->alias != field(record, "alias")) return Found::others;
  const auto qdisc = net::find_qdisc(links, link->index, link->name, place);
  if (!qdisc) return Found::absent;
  return qdisc->kind == field(record, "kind") ? Found::ours : Found::others;
}

Found find(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> link;
  return look(record, undoing, link);
}

void undo_one(const Undo& record, Undoing& undoing) {
  std::optional<net::Link> link;
  if (look(record, undoing, link) != Found::ours) return;
  net::remove_qdisc(undoing.host.host_links(), link->index, link->name, place_of(record));
}

std::string describe(const Undo& record) {
  return fmt::format("{} qdisc {} of {}", field(record, "place"), field(record, "kind"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kQdiscKind = {"qdisc", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
