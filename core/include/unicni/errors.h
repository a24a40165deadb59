// What went wrong in work that goes on past errors, as DEL does.
#pragma once

#include <cstddef>
#include <exception>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/error.h"

namespace unicni {

/// Pieces of work, each of which is done whatever became of the one before. The first error is the
/// one to throw, as it mostly caused the others; those are told in its details.
class Errors {
 public:
  /// Does `work` and keeps the Error that it throws, or makes one of another std::exception. False:
  /// it failed.
  template <class Work>
  bool attempt(const Work& work) {
    try {
      work();
      return true;
    } catch (const Error& error) {
      errors_.push_back(error);
    } catch (const std::exception& error) {
      errors_.emplace_back(Code::internal, error.what());
    }
    return false;
  }
  /// The same; the error names the step of the chain.
  template <class Work>
  bool attempt_step(std::string_view step, const Work& work) {
    const bool done = attempt(work);
    if (!done) errors_.back().in_step(step);
    return done;
  }
  void add(Error error) { errors_.push_back(std::move(error)); }

  [[nodiscard]] bool empty() const noexcept { return errors_.empty(); }
  [[nodiscard]] const std::vector<Error>& all() const noexcept { return errors_; }
  /// Throws the first, with the messages of the others (of the first `most` in all) in its details.
  /// Returns if there are none.
  void finish(std::size_t most = static_cast<std::size_t>(-1)) const;

 private:
  std::vector<Error> errors_;
};

}  // namespace unicni
