// --timing: what a verb spent its time on.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/report.h"
#include "unicni/observer.h"

namespace unicni::cnitool {

/// Adds up what it hears, by member and phase. Two members may be of one type.
class Timing final : public Observer {
 public:
  void on_event(const Event& event) noexcept override;
  /// Members in the order in which they worked, their phases in the order of Phase; `all` is the
  /// verb's own time.
  [[nodiscard]] app::Report report(std::chrono::nanoseconds all) const;

 private:
  struct Sum {
    std::optional<std::size_t> place;
    std::string member;
    Phase phase;
    std::chrono::nanoseconds time{};
    std::size_t count = 0;
  };
  [[nodiscard]] std::vector<Sum> sorted() const;

  mutable std::mutex mutex_;
  std::vector<Sum> sums_;
};

}  // namespace unicni::cnitool
