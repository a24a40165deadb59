// A sysctl that several steps set in one namespace, of one attachment or of several of a container:
// each lies as a layer on those that it found. The topmost layer's value is the sysctl's, and below
// all of them is the original.
#pragma once

#include <optional>
#include <vector>

#include "unicni/undo.h"

namespace unicni::undo {

/// Records of steps in the record's namespace, but those of its own step.
using OtherSteps = std::vector<const std::vector<Undo>*>;

/// Whether other steps matter to the record.
[[nodiscard]] bool is_layer(const Undo& record);
/// `record`, about to be announced, as the layer on top of all `others`. nullopt: it changes
/// nothing and lies on nothing, so there will be nothing to undo.
std::optional<Undo> as_top_layer(const Undo& record, const OtherSteps& others);
/// What has to be undone of `record` while `others` stay: the value of the layer below comes back,
/// or the original, whichever order they go in. nullopt: a layer on top of it has the sysctl.
std::optional<Undo> without_layer(const Undo& record, const OtherSteps& others);

}  // namespace unicni::undo
