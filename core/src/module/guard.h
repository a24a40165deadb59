// The border between a module's code and the rest: no exception object of a module crosses it.
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "unicni/error.h"

namespace unicni::module {

/// What a module threw, as an Error of our own: "<module>: " in front. To be called inside a catch
/// block, while the module's library is open: an exception object whose class or texts lie in a
/// closed library is a crash.
Error foreign_exception(std::string_view module, std::string_view doing);

/// Runs work(); every exception becomes an Error made here. `doing` is for the texts: "ADD".
template <class F>
auto guarded(std::string_view module, std::string_view doing, F&& work) {
  try {
    return std::forward<F>(work)();
  } catch (...) {
    // Thrown from inside the block so that the foreign object still exists while its texts are
    // copied, and is destroyed before the caller sees anything.
    throw foreign_exception(module, doing);
  }
}

}  // namespace unicni::module
