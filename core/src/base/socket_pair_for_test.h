// Two ends of a connection, for what sends to one of them.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "unicni/sys/fd.h"

namespace unicni {

class SocketPairTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::array<int, 2> ends{-1, -1};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    near_ = sys::Fd(ends[0]);
    far_ = sys::Fd(ends[1]);
  }

  sys::Fd near_;
  sys::Fd far_;
};

}  // namespace unicni
