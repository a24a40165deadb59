#include "unicni/sys/lock.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/temp_folder_for_test.h"
#include "unicni/error.h"

namespace unicni::sys::lock_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

/// A child that runs `work`, then waits to be killed. The constructor returns when `work` is done.
class Child {
 public:
  template <class F>
  explicit Child(F work) {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      work();
      if (::write(fds[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    ::close(fds[1]);
    char byte = 0;
    EXPECT_EQ(::read(fds[0], &byte, 1), 1);
    ::close(fds[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() { end(); }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

void take(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CREAT, 0600);
  if (fd < 0 || ::flock(fd, LOCK_EX) != 0) ::_exit(1);
}

Error lock_error(const std::string& path, Clock::duration wait) {
  try {
    const Lock lock(path, 0600, Clock::now() + wait);
  } catch (const Error& error) {
    return error;
  }
  return Error(0U, "no error");
}

TEST(Lock, ExcludesUntilReleased) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  {
    const Lock lock(path, 0600, Clock::now());
    EXPECT_TRUE(lock_error(path, 0ms).is(Code::try_again));
  }
  const Lock again(path, 0600, Clock::now());
  EXPECT_NE(::fcntl(again.fd(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Lock, ErrorNamesPathPidProgramAndAge) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  const Child child([&] {
    ::prctl(PR_SET_NAME, "some (odd) name");
    take(path);
  });
  const auto start = Clock::now();
  const Error error = lock_error(path, 150ms);
  EXPECT_GE(Clock::now() - start, 150ms);
  EXPECT_LT(Clock::now() - start, 2s);
  EXPECT_THAT(error.msg(),
              HasSubstr("lock " + path + ": held by pid " + std::to_string(child.pid()) +
                        " (some (odd) name, running for "));
  EXPECT_THAT(error.details(), ContainsRegex("gave up after [01].[1-9] s"));
}

TEST(Lock, ErrorNamesTheVerbOfTheHolder) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  int ready[2];
  ASSERT_EQ(::pipe2(ready, 0), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    take(path);  // not O_CLOEXEC: the lock goes on in the program, whose environment is the one
                 // that counts
    const std::string script = "echo x >&" + std::to_string(ready[1]) + "; exec sleep 100";
    ::execle("/bin/sh", "sh", "-c", script.c_str(), nullptr,
             std::array<const char*, 2>{"CNI_COMMAND=DEL", nullptr}.data());
    ::_exit(1);
  }
  ::close(ready[1]);
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  ::close(ready[0]);
  // While sh becomes sleep there is no environment to read for a moment.
  std::string text;
  for (int tries = 0; tries < 200 && text.find("DEL") == text.npos; ++tries) {
    text = lock_error(path, 0ms).msg();
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_THAT(text, ContainsRegex("held by pid " + std::to_string(pid) +
                                  " \\(s[a-z]+, DEL, running for [0-9.]+ s\\)"));
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST(Lock, HolderIsFoundWhenTheLockWasInherited) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  pid_t heir = 0;
  int fds[2];
  ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    take(path);
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) ::pause();
    }
    ::_exit(::write(fds[1], &child, sizeof child) == sizeof child ? 0 : 1);
  }
  ::close(fds[1]);
  ASSERT_EQ(::read(fds[0], &heir, sizeof heir), static_cast<ssize_t>(sizeof heir));
  ::close(fds[0]);
  ::waitpid(parent, nullptr, 0);
  EXPECT_THAT(lock_error(path, 0ms).msg(), HasSubstr("held by pid " + std::to_string(heir) + " ("));
  ::kill(heir, SIGKILL);
}

TEST(Lock, IsReleasedAlsoWhereAChildHasTheDescriptor) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  std::optional<Lock> lock(std::in_place, path, 0600, Clock::now());
  std::optional<Lock> moved;
  const Child child([] {});
  moved.emplace(std::move(*lock));
  lock.reset();
  EXPECT_TRUE(lock_error(path, 0ms).is(Code::try_again)) << "a moved one is held";
  moved.reset();
  EXPECT_NO_THROW(Lock(path, 0600, Clock::now()));
}

TEST(Lock, AnotherOneInItsPlaceReleasesIt) {
  const TempFolder folder;
  const std::string one = folder / "one";
  const std::string two = folder / "two";
  Lock lock(one, 0600, Clock::now());
  const Child child([] {});
  lock = Lock(two, 0600, Clock::now());
  EXPECT_NO_THROW(Lock(one, 0600, Clock::now()));
  EXPECT_TRUE(lock_error(two, 0ms).is(Code::try_again));
}

TEST(Lock, IsTakenWhenTheHolderEnds) {
  const TempFolder folder;
  const std::string path = folder / "lock";
  Child child([&] { take(path); });
  std::thread killer([&] {
    std::this_thread::sleep_for(30ms);
    child.end();
  });
  const auto start = Clock::now();
  const Lock lock(path, 0600, start + 10s);
  EXPECT_LT(Clock::now() - start, 1s);
  killer.join();
}

TEST(Lock, PathThatCannotBeOpenedIsNamed) {
  EXPECT_EQ(lock_error("/nonexistent/lock", 0ms).msg(),
            "open lock /nonexistent/lock: No such file or directory (ENOENT)");
}

TEST(Lock, SharedOnesExcludeOnlyExclusiveOnes) {
  const TempFolder folder;
  const std::string path = folder.path() + "/lock";
  const auto open_it = [&] {
    return Fd(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600));
  };
  {
    const Lock one(open_it(), path, Clock::now(), LockMode::shared);
    const Lock two(open_it(), path, Clock::now(), LockMode::shared);
    EXPECT_TRUE(lock_error(path, 0ms).is(Code::try_again));
  }
  const Lock exclusive(open_it(), path, Clock::now());
  EXPECT_THROW(Lock(open_it(), path, Clock::now(), LockMode::shared), Error);
}

TEST(LockDeadline, IsHalfOfWhatIsLeft) {
  const auto now = Clock::now();
  const auto half = lock_deadline(now + 10s);
  EXPECT_GE(half, now + 5s);
  EXPECT_LT(half, now + 6s);
  EXPECT_EQ(lock_deadline(now - 10s), now - 10s);
  EXPECT_EQ(lock_deadline(Deadline{}), Deadline{});
}

}  // namespace
}  // namespace unicni::sys::lock_test
