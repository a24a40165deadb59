// What is known of a module file without running anything of it.
#pragma once

#include <optional>
#include <string>

#include "unicni/module.h"

namespace unicni::unictl {

struct Look {
  std::optional<ModuleNote> note;
  std::string refusal;  ///< "": it would be loaded
};

/// In the order in which loading refuses; the note is read also of a file that nobody may trust.
/// Symbols that the executable lacks are not noticed.
Look look_at(const std::string& name, const std::string& path, const std::string& executable);

}  // namespace unicni::unictl
