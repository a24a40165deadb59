#include "document/finding.h"

#include <fmt/core.h>

#include "document/source.h"

namespace unicni::document {

std::string Finding::line(std::string_view file) const {
  return fmt::format("{}: {}", place(file, position), text);
}

}  // namespace unicni::document
