// What is known of module files without running anything of them.
#pragma once

#include <optional>
#include <string>

#include "unicni/module.h"
#include "unresolved.h"

namespace unicni::unictl {

struct Look {
  std::optional<ModuleNote> note;
  std::string refusal;  ///< "": it would be loaded
};

/// Looks at modules as one executable would.
class ModuleLook {
 public:
  /// If it can't be read, what it offers isn't held against modules.
  explicit ModuleLook(std::string executable);

  /// In the order in which loading refuses; the note is read also of a file that nobody may trust.
  [[nodiscard]] Look at(const std::string& name, const std::string& path) const;

 private:
  std::string executable_;
  std::optional<Offered> offered_;
};

}  // namespace unicni::unictl
