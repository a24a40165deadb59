// A stretch of work that an observer hears of.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "unicni/observer.h"

namespace unicni {

/// Whose work it is: "" and nullopt where whoever hears of it first knows that.
struct Worker {
  std::string_view member = {};
  std::optional<std::size_t> place = {};
};

/// Tells `observer` (nullptr: nobody) when its scope ends. Without one nothing is made or asked.
class Stretch {
 public:
  /// `object()` is asked at the beginning, and only if somebody hears it.
  template <class Object>
  Stretch(Observer* observer, Phase phase, const Object& object, Worker worker = {})
      : observer_(observer) {
    if (observer_ == nullptr) return;
    phase_ = phase;
    object_ = object();
    member_ = worker.member;
    place_ = worker.place;
    exceptions_ = std::uncaught_exceptions();
    start_ = std::chrono::steady_clock::now();
  }
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;
  ~Stretch() {
    if (observer_ == nullptr) return;
    observer_->on_event({member_, phase_, object_, std::chrono::steady_clock::now() - start_,
                         error_, std::uncaught_exceptions() > exceptions_, place_});
  }
  void set_error(int error) noexcept { error_ = error; }

 private:
  Observer* observer_;
  Phase phase_ = Phase::module;
  std::string object_;
  std::string member_;
  std::optional<std::size_t> place_;
  int exceptions_ = 0;
  int error_ = 0;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace unicni
