// Programs that tests run: shell scripts.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

#include "base/program_runner.h"
#include "base/temp_folder_for_test.h"
#include "base/told_for_test.h"
#include "unicni/sys/file.h"

namespace unicni::sys {

/// Also a zombie is gone: init may be slow to take it.
inline bool is_gone(pid_t pid) {
  for (int i = 0; i < 2000; ++i) {
    if (::kill(pid, 0) != 0) return true;
    const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    if (!stat || stat->find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

class ScriptTest : public ::testing::Test {
 protected:
  std::string script(const std::string& body, const std::string& name = "script") {
    const std::string path = folder_ / name;
    remove_file(path);
    EXPECT_TRUE(create_file(path, "#!/bin/sh\n" + body + "\n", 0700));
    return path;
  }
  ProcessResult run(ProgramRunner& runner, const std::string& body, std::string_view input = {},
                    std::chrono::milliseconds time = std::chrono::seconds(20)) {
    return runner.run(script(body), {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, input,
                      std::chrono::steady_clock::now() + time, {}, &told_);
  }

  TempFolder folder_;
  Told told_;
};

}  // namespace unicni::sys
