// "rule": a routing rule of the container (sbr). Rules have no owner in the kernel; in the
// container's namespace source address and table are enough.
#include "unicni/undo/rule.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni {

Undo undo_rule(const net::Rule& rule) {
  return Undo{"rule", 1, false, {{"from", rule.from.str()}, {"table", std::to_string(rule.table)}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

net::Rule rule_of(const Undo& record) {
  return {get_net(record, "from"), find_number(record, "table").value_or(0)};
}

Found find(const Undo& record, Undoing& undoing) {
  const net::Rule rule = rule_of(record);
  if (undoing.host.container_netns() == nullptr) return Found::absent;
  const auto rules = net::list_rules(undoing.host.container_links(), rule.from.family());
  return std::find(rules.begin(), rules.end(), rule) != rules.end() ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) {
  if (undoing.host.container_netns() == nullptr) return;
  net::Batch batch(undoing.host.container_links());
  net::remove_rule(batch, rule_of(record));
  batch.commit();
}

std::string describe(const Undo& record) {
  return fmt::format("rule from {} lookup {} in the container", field(record, "from"),
                     field(record, "table"));
}

}  // namespace

const UndoKind kRuleKind = {"rule", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
