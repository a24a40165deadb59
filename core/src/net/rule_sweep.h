// Removals of which each is tried, whatever became of the one before.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "unicni/error.h"

namespace unicni::net {

class RuleSweep {
 public:
  /// `work` returns how much it removed.
  template <class Work>
  void attempt(const Work& work) {
    try {
      removed_ += work();
    } catch (const Error& error) {
      if (!first_) first_ = error;
    }
  }
  /// How much went altogether. Throws the first error.
  std::size_t finish() {
    if (first_) throw *std::move(first_);
    return removed_;
  }

 private:
  std::size_t removed_ = 0;
  std::optional<Error> first_;
};

}  // namespace unicni::net
