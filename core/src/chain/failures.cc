#include "chain/failures.h"

#include <fmt/core.h>

#include <algorithm>
#include <string>

namespace unicni::chain {

void throw_first(const std::vector<Error>& errors, std::size_t most) {
  if (errors.empty()) return;
  Error first = errors.front();
  std::string details = first.details();
  const std::size_t count = std::min(errors.size(), most);
  for (std::size_t i = 1; i < count; ++i) {
    details += fmt::format("{}also: {}", details.empty() ? "" : "; ", errors[i].msg());
  }
  throw first.advise(details);
}

}  // namespace unicni::chain
