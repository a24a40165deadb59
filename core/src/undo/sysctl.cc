// "sysctl": the value that a setting of the container had before ADD.
#include "unicni/undo/sysctl.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/sysctl.h"

namespace unicni {

Undo undo_sysctl(const std::string& key, const std::string& value) {
  return Undo{"sysctl", 1, false, {{"key", key}, {"value", value}}};
}

Undo undo_sysctl(const std::string& key, const std::string& value, const std::string& set) {
  Undo undo = undo_sysctl(key, value);
  undo.fields.emplace_back("set", set);
  return undo;
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// What somebody else wrote there meanwhile can't be told from what ADD wrote.
Found find(const Undo& record, Undoing& undoing) {
  const net::Netns* netns = undoing.host.container_netns();
  if (netns == nullptr) return Found::absent;
  const auto value = net::find_sysctl(field(record, "key"), {.in = netns});
  const bool differs = value && !net::same_sysctl_value(*value, field(record, "value"));
  return differs ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) {
  const net::Netns* netns = undoing.host.container_netns();
  if (netns == nullptr) return;
  net::ensure_sysctl(field(record, "key"), field(record, "value"), {.in = netns});
}

std::string describe(const Undo& record) {
  return fmt::format("sysctl {} in the container, which was {}", field(record, "key"),
                     field(record, "value"));
}

}  // namespace

const UndoKind kSysctlKind = {"sysctl", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
