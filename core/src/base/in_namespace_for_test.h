// Runs a test's body in namespaces of its own, which end with it.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <exception>
#include <functional>
#include <thread>

namespace unicni {

/// `work` in a thread of its own, after unshare(2) with `flags` (CLONE_NEWNET, CLONE_NEWNS). Mounts
/// stay inside.
inline void in_namespace(int flags, const std::function<void()>& work) {
  std::thread thread([&] {
    if (::unshare(flags) != 0) {
      ADD_FAILURE() << "unshare: root is needed";
      return;
    }
    if ((flags & CLONE_NEWNS) != 0 &&
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      ADD_FAILURE() << "mount / private";
      return;
    }
    try {
      work();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  });
  thread.join();
}

}  // namespace unicni
