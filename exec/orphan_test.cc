#include "orphan.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "unicni/sys/file.h"

namespace unicni::exec::orphan_test {
namespace {

/// What `ask` says in a child process.
int in_child(const std::function<int()>& ask) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(ask());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// Whether orphans of a child of a process that prepared itself by `prepare` are reaped.
bool reaped_below(const std::function<void()>& prepare) {
  return in_child([&] {
           prepare();
           return in_child([] { return are_orphans_reaped() ? 1 : 0; });
         }) == 1;
}

void hear(int number) {
  ::signal(number, [](int) {});
}
void catch_all() {
  for (const int number : {SIGCHLD, SIGURG, SIGWINCH, SIGIO}) hear(number);
}

TEST(Orphan, WhatAProcessDoesAboutTheEndOfItsChildren) {
  const auto parse = [](const char* blocked, const char* ignored, const char* caught) {
    return parse_waiting(std::string("Name:\tPPid:\nPPid:\t42\nSigBlk:\t") + blocked +
                         "\nSigIgn:\t" + ignored + "\nSigCgt:\t" + caught + "\n");
  };
  const char* none = "0000000000000000";
  EXPECT_EQ(parse(none, none, none).parent, 42);
  EXPECT_FALSE(parse(none, none, none).hears);
  EXPECT_FALSE(parse(none, "0000000001001000", "0000000000000002").hears) << "Python";
  EXPECT_TRUE(parse("7be3c0fe28014a03", none, none).hears) << "systemd";
  EXPECT_TRUE(parse(none, "0000000000010000", none).hears) << "the kernel reaps";
  const Waiting bash = parse(none, "0000000000000004", "0000000043817efb");
  EXPECT_TRUE(bash.hears);
  EXPECT_FALSE(bash.catches_all);
  const Waiting go = parse("fffffffe3bfa2800", none, "fffffffd7fc1feff");
  EXPECT_TRUE(go.hears);
  EXPECT_TRUE(go.catches_all);
  EXPECT_FALSE(parse_waiting("").hears);
  EXPECT_EQ(parse_waiting("").parent, 0);
}

TEST(Orphan, AParentThatWaitsForItsOwnOnlyReapsNobodyElse) {
  EXPECT_FALSE(reaped_below([] { ::signal(SIGCHLD, SIG_DFL); }));
}

TEST(Orphan, ARuntimesMachineReaps) {
  const auto own = parse_waiting(*sys::read_file("/proc/1/status"));
  struct stat found {};
  const bool first = ::stat("/proc/self/ns/pid", &found) == 0 && found.st_ino == 0xEFFFFFFC;
  EXPECT_EQ(reaped_below(catch_all), first || (own.hears && !own.catches_all));
}

TEST(Orphan, WhoIsInitAndCallsPluginsReapsNobodyElse) {
  EXPECT_EQ(in_child([] {
              if (::unshare(CLONE_NEWPID) != 0) return 2;
              return in_child([] {  // init of the new namespace
                catch_all();
                return in_child([] { return are_orphans_reaped() ? 1 : 0; });
              });
            }),
            0);
}

TEST(Orphan, TheProcOfAnotherNamespaceTellsNothing) {
  EXPECT_EQ(in_child([] {
              if (::unshare(CLONE_NEWPID) != 0) return 2;
              return in_child([] {
                catch_all();
                return in_child([] {
                  catch_all();
                  return in_child([] { return are_orphans_reaped() ? 1 : 0; });
                });
              });
            }),
            0);
}

}  // namespace
}  // namespace unicni::exec::orphan_test
