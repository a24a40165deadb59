#include "undo/sysctl_layers.h"

#include <string>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/net/sysctl.h"
#include "unicni/undo/sysctl.h"

namespace unicni::undo {
namespace {

// Written where there are layers below. Versions before these fields had one attachment's layers
// only, and "oldest" alone.
constexpr const char* kOldest = "oldest";
constexpr const char* kLayer = "layer";  ///< number of it; the lowest has none

unsigned layer_of(const Undo& record) { return find_number<unsigned>(record, kLayer).value_or(0); }

/// What the sysctl was before all of them.
std::string original_of(const Undo& record) {
  const std::string_view oldest = optional_field(record, kOldest);
  return oldest.empty() ? field(record, "value") : std::string(oldest);
}

/// The layers of the same sysctl among the others next below and next above `record`.
struct Neighbours {
  const Undo* below = nullptr;
  const Undo* above = nullptr;
};

Neighbours neighbours_of(const Undo& record, unsigned layer, const OtherSteps& others) {
  Neighbours found;
  for (const std::vector<Undo>* step : others) {
    for (const Undo& each : *step) {
      if (!is_layer(each) || optional_field(each, "key") != field(record, "key")) continue;
      const unsigned other = layer_of(each);
      if (other > layer) {
        if (found.above == nullptr || other < layer_of(*found.above)) found.above = &each;
      } else if (found.below == nullptr || other > layer_of(*found.below)) {
        found.below = &each;
      }
    }
  }
  return found;
}

}  // namespace

/// Link settings are none: they are one interface's, and tuning's file keeps their oldest values.
bool is_layer(const Undo& record) { return find_kind(record) == &kSysctlKind; }

std::optional<Undo> as_top_layer(const Undo& record, const OtherSteps& others) {
  const Undo* below = neighbours_of(record, static_cast<unsigned>(-1), others).below;
  if (below == nullptr) {
    const std::string set(optional_field(record, "set"));
    const bool changes = set.empty() || !net::same_sysctl_value(field(record, "value"), set);
    return changes ? std::optional(record) : std::nullopt;
  }
  Undo layer = record;
  layer.fields.emplace_back(kLayer, std::to_string(layer_of(*below) + 1));
  if (original_of(*below) != field(record, "value")) {
    layer.fields.emplace_back(kOldest, original_of(*below));
  }
  return layer;
}

std::optional<Undo> without_layer(const Undo& record, const OtherSteps& others) {
  const auto [below, above] = neighbours_of(record, layer_of(record), others);
  if (above != nullptr) return std::nullopt;
  const std::string& key = field(record, "key");
  if (below == nullptr) return undo_sysctl(key, original_of(record));
  const std::string_view set = optional_field(*below, "set");
  return set.empty() ? record : undo_sysctl(key, std::string(set));
}

}  // namespace unicni::undo
