#include "base/given_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>

#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::given_file_test {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::string& path, std::size_t limit = 5,
                    std::chrono::milliseconds patience = 50ms) {
  try {
    return "read: " + read_given_file(path, limit, patience).value_or("nothing");
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::invalid_config));
    return error.msg();
  }
}

class GivenFile : public ::testing::Test {
 protected:
  std::string fifo() const {
    EXPECT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
    return folder_ / "fifo";
  }

  TempFolder folder_;
};

TEST_F(GivenFile, APlainFileIsReadWhole) {
  const std::string text(100'000, 'x');
  sys::create_file(folder_ / "file", text, 0600);
  EXPECT_EQ(read_given_file(folder_ / "file", text.size()), text);
  EXPECT_EQ(read_given_file(folder_ / "none", 5), std::nullopt);
}

TEST_F(GivenFile, ATooLargeOneIsNamedWithTheLimit) {
  sys::create_file(folder_ / "file", "123456", 0600);
  EXPECT_EQ(refusal(folder_ / "file"), folder_ / "file has more than 5 bytes");
}

TEST_F(GivenFile, WhatIsNoFileIsNamed) {
  EXPECT_EQ(refusal(folder_.path()), folder_.path() + " is a folder");
  EXPECT_EQ(refusal("/dev/zero"), "/dev/zero is a device");
}

/// As of <(command), whose writer may take its time.
TEST_F(GivenFile, APipeIsReadToItsEnd) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const sys::Fd reading(pipe[0]);
  std::thread writer([end = sys::Fd(pipe[1])] {
    for (const char* piece : {"12", "345"}) {
      std::this_thread::sleep_for(30ms);
      EXPECT_GT(::write(end.get(), piece, std::char_traits<char>::length(piece)), 0);
    }
  });
  EXPECT_EQ(read_given_file("/proc/self/fd/" + std::to_string(reading.get()), 5, 10s), "12345");
  writer.join();
}

TEST_F(GivenFile, APipeThatNobodyWritesToHoldsNobody) {
  EXPECT_EQ(refusal(fifo()),
            folder_ / "fifo is a pipe whose writer didn't come to its end in time");
}

TEST_F(GivenFile, APipeThatStaysOpenHoldsNobody) {
  const std::string path = fifo();
  const sys::Fd both(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(both.get(), "12", 2), 2);
  EXPECT_EQ(refusal(path), path + " is a pipe whose writer didn't come to its end in time");
  ASSERT_EQ(::write(both.get(), "123456", 6), 6);
  EXPECT_EQ(refusal(path), path + " has more than 5 bytes");
}

}  // namespace
}  // namespace unicni::given_file_test
