#include "unicni/nearest.h"

#include <algorithm>
#include <cstddef>

namespace unicni::options {
namespace {

constexpr std::size_t kLongestKey =
    64;  // beyond, a key is no typing error, and the table below would cost time

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// How many errors a key of this length can hold and still be recognised.
std::size_t tolerance(std::size_t length) {
  return length < 3 ? 0 : length < 6 ? 1 : length < 9 ? 2 : 3;
}

/// Damerau-Levenshtein distance, restricted (no edits between swapped letters): insert, delete,
/// replace or swap two neighbours cost 1 each.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replace});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_key(std::string_view key, const std::vector<std::string_view>& known) {
  if (key.size() > kLongestKey) return "";
  std::string_view nearest;
  std::size_t least = tolerance(key.size()) + 1;
  for (const std::string_view candidate : known) {
    const std::size_t errors = distance(key, candidate);
    if (errors < least) {
      least = errors;
      nearest = candidate;
    }
  }
  return std::string(nearest);
}

}  // namespace unicni::options
