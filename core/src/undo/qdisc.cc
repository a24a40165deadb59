// "qdisc": a queueing discipline on the host end of a veth. Found by the alias of the link and the
// kind of the qdisc: an administrator may have put another one in its place.
#include "unicni/undo/qdisc.h"

#include <fmt/core.h>

#include <optional>

#include "undo/found_link.h"
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

FoundLink look(const Undo& record, Undoing& undoing) {
  const net::QdiscPlace place = place_of(record);
  net::Netlink& links = undoing.host.host_links();
  auto link = net::find_link(links, field(record, "link"));
  if (!link) return {};
  if (link->alias != field(record, "alias")) return {Found::others};
  const auto qdisc = net::find_qdisc(links, *link, place);
  if (!qdisc) return {};
  return judge(std::move(link), qdisc->kind == field(record, "kind"));
}

void act(const Undo& record, const net::Link& link, Undoing& undoing) {
  net::remove_qdisc(undoing.host.host_links(), link, place_of(record));
}

std::string describe(const Undo& record) {
  return fmt::format("{} qdisc {} of {}", field(record, "place"), field(record, "kind"),
                     field(record, "link"));
}

}  // namespace

const UndoKind kQdiscKind = {"qdisc", Turn::objects, &find_by<look>, &undo_by<look, act>,
                             &describe};

}  // namespace unicni::undo
