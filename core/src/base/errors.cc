#include "unicni/errors.h"

#include <algorithm>
#include <string>

#include "base/error_details.h"

namespace unicni {

namespace {

/// Whether both are the same error, which one tells with the steps that it came through.
bool are_same(const Error& one, const Error& other) {
  const auto is_within = [](std::string_view text, std::string_view whole) {
    if (!whole.ends_with(text)) return false;
    const std::string_view before = whole.substr(0, whole.size() - text.size());
    return before.empty() || before.ends_with(": ");
  };
  return is_within(one.msg(), other.msg()) || is_within(other.msg(), one.msg());
}

}  // namespace

void Errors::finish(std::size_t most) const {
  if (errors_.empty()) return;
  Error first = errors_.front();
  const std::size_t count = std::min(errors_.size(), most);
  for (std::size_t i = 1; i < count; ++i) {
    const auto is_told = [&](const Error& earlier) { return are_same(earlier, errors_[i]); };
    if (std::any_of(errors_.begin(), errors_.begin() + static_cast<std::ptrdiff_t>(i), is_told)) {
      continue;
    }
    add_details(first, "also: " + errors_[i].msg());
  }
  throw first;
}

}  // namespace unicni
