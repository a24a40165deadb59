// The crash handler: one error document on stdout, exit 1, whatever kills the process.
#include "crash.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <thread>

#include "protocol/reply.h"
#include "unicni/error.h"

namespace unicni::exec::crash_test {
namespace {

struct Outcome {
  std::string out;
  int status = 0;
};

/// Runs `action` in a child whose stdout is read; stderr stays quiet.
template <class F>
Outcome in_child(F action) {
  std::array<int, 2> pipe{};
  EXPECT_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(pipe[1], STDOUT_FILENO);
    ::dup2(null, STDERR_FILENO);
    install_crash_handler(STDOUT_FILENO);
    action();
    ::_exit(0);
  }
  ::close(pipe[1]);
  Outcome outcome;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(pipe[0], piece.data(), piece.size())) > 0;) {
    outcome.out.append(piece.data(), static_cast<std::size_t>(got));
  }
  ::close(pipe[0]);
  ::waitpid(child, &outcome.status, 0);
  return outcome;
}

/// What the error printer of every other error would print.
std::string expected(const std::string& signal, const std::string& step, const std::string& verb,
                     const std::string& version) {
  return protocol::print_error(
      Error(Code::internal, step + ": the module crashed (" + signal + ") during " + verb,
            "this is a bug in the module " + step + "; what " + verb +
                " had changed is undone by the next DEL or GC"),
      version);
}

void expect_exit_1(const Outcome& outcome) {
  ASSERT_TRUE(WIFEXITED(outcome.status)) << "signal " << WTERMSIG(outcome.status);
  EXPECT_EQ(WEXITSTATUS(outcome.status), 1);
}

// Uses the frame after the call, so that it is no loop; the end is out of any stack's reach.
[[gnu::noinline]] std::size_t overflow(volatile char* above, std::size_t depth) {
  volatile char frame[4096];
  frame[0] = *above;
  const auto below = depth == SIZE_MAX ? 0 : overflow(frame, depth + 1);
  return below + static_cast<std::size_t>(frame[0]);
}

TEST(CrashTest, EverySignalHasItsOwnText) {
  const std::pair<int, const char*> signals[] = {{SIGSEGV, "SIGSEGV"},
                                                 {SIGBUS, "SIGBUS"},
                                                 {SIGABRT, "SIGABRT"},
                                                 {SIGFPE, "SIGFPE"},
                                                 {SIGILL, "SIGILL"}};
  for (const auto& [signal, name] : signals) {
    SCOPED_TRACE(name);
    const auto outcome = in_child([number = signal] {
      set_crash_context("bridge", "ADD", "1.0.0");
      ::raise(number);
    });
    expect_exit_1(outcome);
    EXPECT_EQ(outcome.out, expected(name, "bridge", "ADD", "1.0.0"));
  }
}

TEST(CrashTest, ARealFaultAndAbort) {
  const auto fault = in_child([] {
    set_crash_context("ptp", "DEL", "0.4.0");
    // Not a null pointer: the undefined-behaviour sanitizer would report that before the fault.
    *reinterpret_cast<volatile int*>(4096) = 1;
  });
  expect_exit_1(fault);
  EXPECT_EQ(fault.out, expected("SIGSEGV", "ptp", "DEL", "0.4.0"));
  const auto abort = in_child([] {
    set_crash_context("ptp", "GC", "1.1.0");
    std::abort();
  });
  expect_exit_1(abort);
  EXPECT_EQ(abort.out, expected("SIGABRT", "ptp", "GC", "1.1.0"));
}

TEST(CrashTest, AStackOverflowHasAStackLeftForTheHandler) {
  const auto outcome = in_child([] {
    const rlimit small{256U << 10U, 256U << 10U};
    ::setrlimit(RLIMIT_STACK, &small);
    set_crash_context("bridge", "CHECK", "1.0.0");
    volatile char first = 0;
    overflow(&first, 0);
  });
  expect_exit_1(outcome);
  EXPECT_EQ(outcome.out, expected("SIGSEGV", "bridge", "CHECK", "1.0.0"));
}

TEST(CrashTest, AModuleThatEndsTheProcessHasFailed) {
  for (void (*end)(int) : {std::exit, std::quick_exit}) {
    const auto outcome = in_child([end] {
      set_crash_context("bridge", "ADD", "1.0.0");
      end(0);
    });
    expect_exit_1(outcome);
    EXPECT_EQ(outcome.out,
              protocol::print_error(
                  Error(Code::internal, "bridge: the module called exit during ADD",
                        "this is a bug in the module bridge; what ADD had changed is undone by the "
                        "next DEL or GC"),
                  "1.0.0"));
  }
}

TEST(CrashTest, AChildOfAModuleMayEndAsItLikes) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    const pid_t child = ::fork();
    if (child == 0) std::exit(7);
    int status = 0;
    ::waitpid(child, &status, 0);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  });
  EXPECT_EQ(WEXITSTATUS(outcome.status), 7);
  EXPECT_EQ(outcome.out, "");
}

TEST(CrashTest, ACrashOfAModulesChildIsNoAnswer) {
  for (void (*die)() : {+[] { *reinterpret_cast<volatile int*>(4096) = 1; }, +[] { std::abort(); },
                        +[] { ::raise(SIGFPE); }}) {
    const auto outcome = in_child([die] {
      set_crash_context("bridge", "ADD", "1.0.0");
      const pid_t child = ::fork();
      if (child == 0) {
        die();
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      ::_exit(WIFSIGNALED(status) ? 0 : 1);
    });
    EXPECT_EQ(WEXITSTATUS(outcome.status), 0) << "its parent hears of the signal";
    EXPECT_EQ(outcome.out, "");
  }
}

TEST(CrashTest, WhatWasLockedIsFreeAlsoWhereAModulesChildLivesOn) {
  for (void (*die)() : {+[] { std::abort(); }, +[] { std::exit(0); }}) {
    const int file = ::open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const std::string path = "/proc/self/fd/" + std::to_string(file);
    const auto outcome = in_child([&] {
      set_crash_context("bridge", "ADD", "1.0.0");
      const int locked = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
      if (::flock(locked, LOCK_EX) != 0) ::_exit(7);
      const pid_t child = ::fork();
      if (child == 0) {
        // The pipe of the answer above all.
        for (int fd = 0; fd < 256; ++fd) {
          if (fd != locked) ::close(fd);
        }
        for (;;) ::pause();
      }
      if (::write(locked, &child, sizeof child) != sizeof child) ::_exit(7);
      die();
    });
    expect_exit_1(outcome);
    pid_t child = 0;
    ASSERT_EQ(::pread(file, &child, sizeof child, 0), static_cast<ssize_t>(sizeof child));
    EXPECT_EQ(::kill(child, 0), 0);
    EXPECT_EQ(::flock(file, LOCK_EX | LOCK_NB), 0);
    ::kill(child, SIGKILL);
    ::close(file);
  }
}

TEST(CrashTest, TheLatestStepIsNamed) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    set_crash_context("tuning", "ADD", "1.0.0");
    std::abort();
  });
  EXPECT_EQ(outcome.out, expected("SIGABRT", "tuning", "ADD", "1.0.0"));
}

TEST(CrashTest, NothingIsAddedToAnAnswer) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    mark_result_written();
    if (::write(STDOUT_FILENO, "{}", 2) != 2) ::_exit(7);
    std::abort();
  });
  expect_exit_1(outcome);
  EXPECT_EQ(outcome.out, "{}");
}

TEST(CrashTest, BeforeAnyStep) {
  const auto outcome = in_child([] { std::abort(); });
  expect_exit_1(outcome);
  EXPECT_EQ(protocol::parse_error(outcome.out, "", {}).msg(), "unicni crashed");
}

TEST(CrashTest, AVersionIsToldAlsoBeforeAnyStep) {
  const auto outcome = in_child([] {
    set_crash_version("1.0.0");
    std::abort();
  });
  EXPECT_EQ(outcome.out,
            protocol::print_error(Error(Code::internal, "unicni crashed",
                                        "what was changed is undone by the next DEL or GC"),
                                  "1.0.0"));
}

TEST(CrashTest, AFileThatIsBeingOpenedIsNamed) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    const std::string path = "/lib/\"x\".so";
    const CrashInOpening opening(path);
    ::raise(SIGBUS);
  });
  expect_exit_1(outcome);
  EXPECT_EQ(
      outcome.out,
      protocol::print_error(
          Error(Code::internal,
                "bridge: a static initialiser of the module /lib/\"x\".so crashed (SIGBUS) "
                "before any call of the module",
                "this is a bug in the module, which has to do without static initialisers, or "
                "its file is damaged; what ADD had changed is undone by the next DEL or GC"),
          "1.0.0"));
}

TEST(CrashTest, AnOpenedFileIsBlamedNoMore) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    const std::string path = "/lib/x.so";
    { const CrashInOpening opening(path); }
    std::abort();
  });
  EXPECT_EQ(outcome.out, expected("SIGABRT", "bridge", "ADD", "1.0.0"));
}

TEST(CrashTest, TextsAreEscapedAndCut) {
  const auto outcome = in_child([] {
    set_crash_context("a\"b\\c\n\xff" + std::string(5000, 'x'), "ADD", "1.0.0");
    std::abort();
  });
  expect_exit_1(outcome);
  const auto error = protocol::parse_error(outcome.out, "", {});
  EXPECT_EQ(error.code(), 999U);
  EXPECT_TRUE(error.msg().starts_with("a\"b\\c\n?xxx")) << error.msg();
  EXPECT_TRUE(error.msg().ends_with("(SIGABRT) during ADD")) << error.msg();
}

TEST(CrashTest, TwoThreadsCrashOnce) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    std::thread other([] { ::raise(SIGSEGV); });
    ::raise(SIGSEGV);
    other.join();
  });
  expect_exit_1(outcome);
  EXPECT_EQ(outcome.out, expected("SIGSEGV", "bridge", "ADD", "1.0.0"));
}

TEST(CrashTest, AClosedStdoutDoesntHoldItUp) {
  const auto outcome = in_child([] {
    set_crash_context("bridge", "ADD", "1.0.0");
    std::array<int, 2> broken{};
    if (::pipe2(broken.data(), O_CLOEXEC) != 0) ::_exit(7);
    ::dup2(broken[1], STDOUT_FILENO);
    ::close(broken[0]);
    std::abort();
  });
  expect_exit_1(outcome);
}

}  // namespace
}  // namespace unicni::exec::crash_test
