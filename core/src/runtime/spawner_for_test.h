// Spawners and plugins of tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>

#include "base/temp_folder_for_test.h"
#include "runtime/spawner.h"
#include "unicni/log.h"
#include "unicni/sys/file.h"

namespace unicni::runtime {

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

class SpawnerFixture : public ::testing::Test {
 protected:
  std::string script(const std::string& body, const std::string& name = "script") {
    const std::string path = folder_ / name;
    sys::remove_file(path);
    EXPECT_TRUE(sys::create_file(path, "#!/bin/sh\n" + body + "\n", 0700));
    return path;
  }
  sys::ProcessResult run(Spawner& spawner, const std::string& body, std::string_view input = {},
                         std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return spawner.run(script(body), {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, input,
                       std::chrono::steady_clock::now() + time, {}, &told_);
  }

  TempFolder folder_;
  Told told_;
};

}  // namespace unicni::runtime
