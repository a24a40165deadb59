// "sysctl": the value that a setting of the container had before ADD.
#include "unicni/undo/sysctl.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/kinds.h"
#include "undo/oldest_value.h"
#include "undo/record_fields.h"
#include "unicni/net/sysctl.h"

namespace unicni {

Undo undo_sysctl(const std::string& key, const std::string& value) {
  return Undo{"sysctl", 1, false, {{"key", key}, {"value", value}}};
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

constexpr const char* kOldest = "oldest";

/// The record of the same sysctl; nullptr: there is none.
const Undo* find_same(const Undo& record, const std::vector<Undo>& records) {
  if (find_kind(record) != &kSysctlKind) return nullptr;
  const auto same = std::find_if(records.begin(), records.end(), [&](const Undo& each) {
    return find_kind(each) == &kSysctlKind &&
           optional_field(each, "key") == optional_field(record, "key");
  });
  return same == records.end() ? nullptr : &*same;
}

std::string describe(const Undo& record) {
  return fmt::format("sysctl {} in the container, which was {}", field(record, "key"),
                     field(record, "value"));
}

}  // namespace

/// Link settings need none: tuning's file keeps their oldest values.
std::optional<Undo> find_with_oldest(const Undo& record, const std::vector<Undo>& earlier) {
  const Undo* older = find_same(record, earlier);
  if (older == nullptr) return std::nullopt;
  Undo both = record;
  const std::string& value = field(*older, has_oldest(*older) ? kOldest : "value");
  if (value != field(record, "value")) both.fields.emplace_back(kOldest, value);
  return both;
}

bool has_oldest(const Undo& record) {
  return find_kind(record) == &kSysctlKind && !optional_field(record, kOldest).empty();
}

Undo with_oldest_unless_changed(const Undo& record,
                                const std::vector<const std::vector<Undo>*>& earlier) {
  const bool is_changed = std::any_of(earlier.begin(), earlier.end(), [&](const auto* records) {
    return find_same(record, *records) != nullptr;
  });
  if (is_changed || !has_oldest(record)) return record;
  return undo_sysctl(field(record, "key"), field(record, kOldest));
}

const UndoKind kSysctlKind = {"sysctl", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
