// The journal between processes: verbs at the same time, verbs that are killed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/temp_folder_for_test.h"
#include "journal/folder.h"
#include "journal/forget_for_test.h"
#include "journal/journal.h"
#include "journal/record_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::journal::journal_process_test {
namespace {

using namespace std::chrono_literals;

class JournalProcess : public ::testing::Test {
 protected:
  Journal open(Access access) const {
    return Journal::open(temp_.path(), kKey, kPlace, std::chrono::steady_clock::now() + 20s,
                         access);
  }
  [[nodiscard]] std::string path() const { return temp_ / file_name(kKey); }

  template <class F>
  static pid_t start(F work) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    int status = 1;
    try {
      status = work() ? 0 : 1;
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child: %s\n", error.what());
    }
    ::_exit(status);
  }
  static int wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }

  TempFolder temp_;
};

TEST_F(JournalProcess, KilledAtEveryRecordBoundary) {
  using Act = std::function<void(Journal&)>;
  const std::vector<Act> acts = {
      [](Journal& j) { j.begin_step("bridge", "{}", "cookie:5", "/n"); },
      [](Journal& j) { j.record(undo_bridge("cni0")); },
      [](Journal& j) { j.record(undo_veth("veth1", "x")); },
      [](Journal& j) { j.end_step("{}"); },
      [](Journal& j) { j.begin_step("portmap", "{}", "cookie:5", "/n"); },
      [](Journal& j) { j.record(undo_file("/x", "y")); },
      [](Journal& j) { j.end_step("{\"a\":1}"); },
      [](Journal& j) { forget(j, "portmap"); },
      [](Journal& j) { forget(j, "bridge"); },
  };
  const std::vector<std::size_t> records = {0, 0, 1, 2, 2, 2, 3, 3, 2, 0};
  const std::vector<std::size_t> steps = {0, 1, 1, 1, 1, 2, 2, 2, 1, 0};
  for (std::size_t done = 0; done <= acts.size(); ++done) {
    const pid_t pid = start([&] {
      Journal journal = open(Access::add);
      for (std::size_t i = 0; i < done; ++i) acts[i](journal);
      ::raise(SIGKILL);
      return false;
    });
    const int status = wait_for(pid);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    {
      Journal journal = open(Access::add);  // the next verb goes on from there
      const Entry* entry = journal.entry();
      ASSERT_EQ(entry != nullptr, steps[done] != 0) << done;
      std::size_t found = 0;
      if (entry != nullptr) {
        EXPECT_EQ(entry->steps.size(), steps[done]);
        for (const RecordedStep& step : entry->steps) found += step.undo.size();
      }
      EXPECT_EQ(found, records[done]) << done;
      journal.begin_step("tuning", "{}", "cookie:6", "/m");
      journal.end_step("{}");
      EXPECT_EQ(journal.entry()->steps.size(), steps[done] + 1);
    }
    Journal journal = open(Access::look);
    ASSERT_NE(journal.entry(), nullptr);
    EXPECT_EQ(journal.entry()->steps.size(), steps[done] + 1);
    for (const char* type : {"bridge", "portmap", "tuning"}) forget(journal, type);
    EXPECT_TRUE(sys::list_folder(temp_.path()).empty())
        << "nothing is left, no temporary file either";
  }
}

TEST_F(JournalProcess, KilledAnywhereKeepsAllRecordsButTheLast) {
  for (int round = 0; round < 30; ++round) {
    const pid_t pid = start([&] {
      Journal journal = open(Access::add);
      journal.begin_step("bridge", "{}", "", "/n");
      for (int i = 0;; ++i) journal.record(undo_file(std::to_string(i), std::string(2000, 'x')));
      return false;
    });
    std::this_thread::sleep_for(std::chrono::microseconds(500 + 317 * round));
    ::kill(pid, SIGKILL);
    wait_for(pid);
    Journal journal = open(Access::add);
    if (journal.entry() == nullptr) continue;
    const auto& undo = journal.entry()->steps.at(0).undo;
    for (std::size_t i = 0; i < undo.size(); ++i)
      EXPECT_EQ(undo[i].fields[0].second, std::to_string(i));
    forget(journal, "bridge");
  }
}

TEST_F(JournalProcess, VerbsExcludeEachOther) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(start([&, child] {
      for (int i = 0; i < 100; ++i) {
        const bool adds = child % 2 == 0 || i % 3 == 0;
        Journal journal = open(adds ? Access::add : Access::removal);
        if (!journal.usable()) continue;
        // mkdir(2) fails if another one is between here and rmdir(2).
        if (::mkdir((temp_ / "inside").c_str(), 0700) != 0) return false;
        if (adds) {
          journal.begin_step("bridge", "{}", "", "/n");
          // While locked, the path is this file: what was just written is found there.
          const auto entry = parse_entry(sys::read_file(path()).value_or(""));
          if (!entry || entry->steps.size() != journal.entry()->steps.size()) return false;
          if (i % 4 == 0) forget(journal, "bridge");
        }
        if (::rmdir((temp_ / "inside").c_str()) != 0) return false;
        if (!adds) forget(journal, "bridge");
      }
      return true;
    }));
  }
  for (const pid_t pid : children) EXPECT_EQ(wait_for(pid), 0);
  forget(open(Access::look), "bridge");
  EXPECT_TRUE(sys::list_folder(temp_.path()).empty());
}

TEST_F(JournalProcess, AddThatWaitedForADelWritesIntoALinkedFile) {
  for (int round = 0; round < 20; ++round) {
    { open(Access::add).begin_step("bridge", "{}", "", "/old"); }
    std::atomic<bool> waits = false;
    std::thread adder;
    {
      Journal del = open(Access::look);
      adder = std::thread([&] {
        waits = true;
        Journal add = open(Access::add);
        EXPECT_EQ(add.entry(), nullptr);
        add.begin_step("bridge", "{}", "", "/new");
      });
      while (!waits) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::microseconds(100 * round));
      forget(del, "bridge");
    }
    adder.join();
    Journal journal = open(Access::look);
    ASSERT_NE(journal.entry(), nullptr);
    EXPECT_EQ(journal.entry()->netns_path, "/new");
    forget(journal, "bridge");
  }
}

}  // namespace
}  // namespace unicni::journal::journal_process_test
