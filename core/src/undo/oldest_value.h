// A setting that several steps of one attachment change, one after the other. Each of them found
// what the one before had set, and the first the original.
#pragma once

#include <optional>
#include <vector>

#include "unicni/undo.h"

namespace unicni::undo {

/// `record`, about to be announced, with the original as well, as the records of an `earlier` step
/// tell it; nullopt: that step didn't change the setting.
std::optional<Undo> find_with_oldest(const Undo& record, const std::vector<Undo>& earlier);
[[nodiscard]] bool has_oldest(const Undo& record);
/// `record` as it is to be undone when none of the `earlier` steps is left that changed the
/// setting: by the original, so that the DELs may come in any order.
Undo with_oldest_unless_changed(const Undo& record,
                                const std::vector<const std::vector<Undo>*>& earlier);

}  // namespace unicni::undo
