#include "exchange.h"

#include <algorithm>

namespace unicni::dhcp {

namespace {

constexpr std::size_t kMostSeen = 4;

}  // namespace

void Seen::note(const std::string& what) {
  if (std::find(all_.begin(), all_.end(), what) != all_.end()) return;
  if (all_.size() == kMostSeen) all_.erase(all_.begin());
  all_.push_back(what);
}

std::string Seen::str(std::string_view nothing) const {
  if (all_.empty()) return std::string(nothing);
  std::string all;
  for (const std::string& each : all_) all += (all.empty() ? "" : "; ") + each;
  return all;
}

}  // namespace unicni::dhcp
