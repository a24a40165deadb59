// What a request is warned of: the first few in words, the rest as a number.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace unicni::options {

class Warnings {
 public:
  static constexpr std::size_t kMost = 9;  ///< in words; finding the nearest key takes its time

  /// `make` returns the text; it isn't called for what is only counted.
  template <class Make>
  void add(Make&& make) {
    if (texts_.size() < kMost) {
      texts_.push_back(std::forward<Make>(make)());
    } else {
      ++untold_;
    }
  }
  void add_all(const Warnings& others);

  /// The texts and, if there were more, a last line that says how many.
  [[nodiscard]] std::vector<std::string> take();

 private:
  std::vector<std::string> texts_;
  std::size_t untold_ = 0;
};

}  // namespace unicni::options
