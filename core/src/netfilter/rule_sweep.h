// Removals of which each is tried, whatever became of the one before.
#pragma once

#include <cstddef>

#include "unicni/errors.h"

namespace unicni::net {

class RuleSweep {
 public:
  /// `work` returns how much it removed.
  template <class Work>
  void attempt(const Work& work) {
    errors_.attempt([&] { removed_ += work(); });
  }
  /// How much went altogether. Throws as Errors::finish().
  std::size_t finish() {
    errors_.finish();
    return removed_;
  }

 private:
  std::size_t removed_ = 0;
  Errors errors_;
};

}  // namespace unicni::net
