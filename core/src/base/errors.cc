#include "unicni/errors.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace unicni {

void Errors::finish(std::size_t most) const {
  if (errors_.empty()) return;
  Error first = errors_.front();
  std::string details = first.details();
  const std::size_t count = std::min(errors_.size(), most);
  for (std::size_t i = 1; i < count; ++i) {
    details += fmt::format("{}also: {}", details.empty() ? "" : "; ", errors_[i].msg());
  }
  throw first.advise(details);
}

}  // namespace unicni
