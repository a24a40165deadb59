// What went wrong in work that goes on past errors.
#pragma once

#include <cstddef>
#include <vector>

#include "unicni/error.h"

namespace unicni::chain {

/// Throws the first of `errors`, with the messages of the others (of the first `most` in all) in
/// its details. Returns if there are none.
void throw_first(const std::vector<Error>& errors, std::size_t most = static_cast<std::size_t>(-1));

/// Pieces of work, of which each is done, whatever became of the one before.
class Attempts {
 public:
  template <class Work>
  void attempt(const Work& work) {
    try {
      work();
    } catch (const Error& error) {
      errors_.push_back(error);
    }
  }
  /// throw_first()
  void finish() const { throw_first(errors_); }

 private:
  std::vector<Error> errors_;
};

}  // namespace unicni::chain
