// A log that tests read.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "unicni/log.h"

namespace unicni {

/// Keeps what it is told, of all threads.
class Told final : public LogSink {
 public:
  void log(LogLevel, std::string_view, std::string_view text) noexcept override {
    const std::lock_guard lock(mutex_);
    lines_.append(text).append("\n");
  }
  void pass_on(std::string_view bytes) noexcept override {
    const std::lock_guard lock(mutex_);
    passed_ += bytes;
  }
  std::string lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::string passed() {
    const std::lock_guard lock(mutex_);
    return passed_;
  }

 private:
  std::mutex mutex_;
  std::string lines_;
  std::string passed_;
};

}  // namespace unicni
