#include "journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "base/in_namespace_for_test.h"
#include "base/temp_folder_for_test.h"
#include "journal/entry.h"
#include "journal/folder.h"
#include "journal/forget_for_test.h"
#include "journal/record_for_test.h"
#include "unicni/error.h"
#include "unicni/line.h"
#include "unicni/sys/file.h"

namespace unicni::journal::journal_test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class JournalTest : public ::testing::Test {
 protected:
  Journal open(Access access, const Place& place = kPlace, const AttachmentKey& key = kKey) {
    return Journal::open(folder_, key, place, std::chrono::steady_clock::now() + 5s, access);
  }
  std::string error_of_add() {
    try {
      Journal journal = open(Access::add);
      journal.begin_step("bridge", "{}", "", "");
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::internal));
      EXPECT_THAT(error.details(), HasSubstr(folder_ + " must be a folder that root can write to"));
      return error.msg();
    }
    return "no error";
  }
  void add(const std::string& type = "bridge") {
    Journal journal = open(Access::add);
    journal.begin_step(type, "{\"type\":1}", "cookie:9", "/run/netns/x");
    journal.record(undo_veth("veth1", "a b"));
    journal.end_step("{}");
  }
  [[nodiscard]] std::string path() const { return folder_ + '/' + file_name(kKey); }
  [[nodiscard]] std::string text() const { return sys::read_file(path()).value_or("absent"); }

  TempFolder temp_;
  std::string folder_ = temp_ / "run/unicni";
};

TEST_F(JournalTest, AStepKnowsWhatItWasAskedForAndWhatItsDelegateGot) {
  {
    Journal journal = open(Access::add);
    journal.begin_step("flannel", "{\"mtu\":1300}", "cookie:9", "/run/netns/x", 0, "",
                       {"{\"mtu\":9000}", "override flannel.mtu=1300: r (p.yaml:1)"});
    journal.record_delegate("{\"type\":\"bridge\"}");
    EXPECT_EQ(journal.entry()->steps[0].delegate, "{\"type\":\"bridge\"}") << "at once";
    journal.end_step("{}");
    journal.begin_step("tuning", "{}", "cookie:9", "/run/netns/x", 1);
    journal.end_step("{}");
  }
  Journal journal = open(Access::look);
  ASSERT_NE(journal.entry(), nullptr);
  const RecordedStep& step = journal.entry()->steps.at(0);
  EXPECT_EQ(step.config, "{\"mtu\":1300}");
  EXPECT_EQ(step.asked, "{\"mtu\":9000}");
  EXPECT_EQ(step.source, "override flannel.mtu=1300: r (p.yaml:1)");
  EXPECT_EQ(step.delegate, "{\"type\":\"bridge\"}");
  const RecordedStep& plain = journal.entry()->steps.at(1);
  EXPECT_EQ(plain.asked + plain.source + plain.delegate, "") << "as its request had it";
}

TEST_F(JournalTest, AddWritesAndDelReads) {
  add();
  struct stat status {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);

  Journal journal = open(Access::look);
  ASSERT_NE(journal.entry(), nullptr);
  EXPECT_EQ(journal.entry()->key, kKey);
  EXPECT_EQ(journal.entry()->container_netns, "cookie:9");
  EXPECT_EQ(journal.entry()->netns_path, "/run/netns/x");
  ASSERT_EQ(journal.entry()->steps.size(), 1U);
  const RecordedStep& step = journal.entry()->steps[0];
  EXPECT_EQ(step.type, "bridge");
  EXPECT_EQ(step.config, "{\"type\":1}");
  EXPECT_EQ(step.result, "{}");
  EXPECT_EQ(step.undo, std::vector<Undo>{undo_veth("veth1", "a b")});
  forget(journal, "bridge");
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(journal.entry(), nullptr);
}

TEST_F(JournalTest, EveryRecordIsOnDiskBeforeItsChange) {
  Journal journal = open(Access::add);
  EXPECT_EQ(journal.entry(), nullptr);
  std::size_t size = 0;
  const auto grew = [&] {
    const auto entry = parse_entry(text());
    EXPECT_TRUE(entry.has_value());
    const bool more = text().size() > size;
    size = text().size();
    return more;
  };
  EXPECT_TRUE(grew());
  journal.begin_step("bridge", "{}", "cookie:9", "/n");
  EXPECT_TRUE(grew());
  journal.record(undo_bridge("cni0"));
  EXPECT_TRUE(grew());
  journal.end_step("{}");
  EXPECT_TRUE(grew());
}

TEST_F(JournalTest, DelOfSomethingNeverSeenMakesNothing) {
  Journal journal = open(Access::look);
  EXPECT_EQ(journal.entry(), nullptr);
  EXPECT_FALSE(journal.usable());
  forget(journal, "bridge");
  forget(journal, "bridge");
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(JournalTest, AddThatBeganNoStepLeavesNoFile) {
  {
    Journal journal = open(Access::add);
    EXPECT_TRUE(std::filesystem::exists(path()));
  }
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
}

TEST_F(JournalTest, HeaderOfAKilledAddGoesWithDel) {
  sys::ensure_folder(folder_, 0700);
  sys::create_file(path(), header_line({kKey, kPlace, "", "", {}}), 0600);
  EXPECT_EQ(open(Access::look).entry(), nullptr);
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
}

TEST_F(JournalTest, StepsOfSeveralPluginsShareTheFile) {
  add("bridge");
  add("portmap");
  {
    Journal journal = open(Access::look);
    ASSERT_EQ(journal.entry()->steps.size(), 2U);
    forget(journal, "portmap");
    ASSERT_EQ(journal.entry()->steps.size(), 1U);
  }
  {
    Journal journal = open(Access::look);
    ASSERT_EQ(journal.entry()->steps.size(), 1U);
    EXPECT_EQ(journal.entry()->steps[0].type, "bridge");
    forget(journal, "firewall");
    forget(journal, "bridge");
  }
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
}

TEST_F(JournalTest, ForgettingTheLastStepRemovesTheFile) {
  add("bridge");
  add("portmap");
  forget(open(Access::look), "bridge");
  EXPECT_FALSE(sys::list_folder(folder_).empty());
  forget(open(Access::look), "portmap");
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
}

TEST_F(JournalTest, AddGoesOnAfterForgettingACrashedOne) {
  {
    Journal crashed = open(Access::add);
    crashed.begin_step("bridge", "{}", "cookie:8", "/old");
    crashed.record(undo_veth("old", "x"));
  }
  {
    Journal journal = open(Access::add);
    ASSERT_NE(journal.entry(), nullptr);
    EXPECT_EQ(journal.entry()->steps[0].result, "");
    forget(journal, "bridge");
    EXPECT_EQ(journal.entry(), nullptr);
    journal.begin_step("bridge", "{}", "cookie:9", "/new");
    journal.record(undo_veth("new", "x"));
  }
  Journal journal = open(Access::look);
  ASSERT_EQ(journal.entry()->steps.size(), 1U);
  EXPECT_EQ(journal.entry()->steps[0].undo[0], undo_veth("new", "x"));
  EXPECT_EQ(journal.entry()->container_netns, "cookie:9");
  EXPECT_EQ(journal.entry()->netns_path, "/new");
}

TEST_F(JournalTest, FailedAddLeavesNoFile) {
  {
    Journal journal = open(Access::add);
    journal.begin_step("bridge", "{}", "cookie:8", "/n");
    journal.record(undo_veth("v", "x"));
    forget(journal, "bridge");
  }
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
}

TEST_F(JournalTest, OtherBootOrHostIsIgnoredAndOverwrittenByAdd) {
  for (const Place& place : {Place{"other", "cookie:1"}, Place{"boot", "cookie:2"}}) {
    add();
    EXPECT_EQ(open(Access::look, place).entry(), nullptr);
    EXPECT_NE(open(Access::look).entry(), nullptr) << "DEL in another place leaves it";
    {
      Journal journal = open(Access::add, place);
      EXPECT_EQ(journal.entry(), nullptr);
      journal.begin_step("ptp", "{}", "", "/n");
    }
    EXPECT_EQ(open(Access::look).entry(), nullptr);
    ASSERT_NE(open(Access::look, place).entry(), nullptr);
    EXPECT_EQ(open(Access::look, place).entry()->steps[0].type, "ptp");
    forget(open(Access::look, place), "ptp");
  }
}

TEST_F(JournalTest, TornTailIsCutBeforeTheNextRecord) {
  add("bridge");
  const std::string whole = text();
  sys::write_file_in_place(path(),
                           whole + undo_line(undo_bridge(std::string(500, 'x'))).substr(0, 400));
  add("portmap");
  EXPECT_EQ(text().substr(0, whole.size()), whole);
  ASSERT_EQ(open(Access::look).entry()->steps.size(), 2U);
}

TEST_F(JournalTest, DamagedEntryIsNoneAndAddOverwritesIt) {
  add();
  std::string damaged = text();
  damaged[damaged.find("step") + 1] = 'x';
  sys::write_file_in_place(path(), damaged);
  EXPECT_EQ(open(Access::look).entry(), nullptr);
  EXPECT_EQ(text(), damaged) << "kept for people to look at";
  add();
  EXPECT_NE(open(Access::look).entry(), nullptr);
}

TEST_F(JournalTest, DamagedEntriesAndThoseOfAnotherBootGoWithDel) {
  add();
  EXPECT_EQ(open(Access::removal, Place{"later boot", "cookie:1"}).entry(), nullptr);
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
  for (const char* word : {"unicni-journal", "step"}) {
    add();
    std::string damaged = text();
    damaged[damaged.find(word) + 1] = 'x';
    sys::write_file_in_place(path(), damaged);
    EXPECT_EQ(open(Access::removal).entry(), nullptr);
    EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
  }
}

TEST_F(JournalTest, EntryOfAnotherHostNamespaceStaysWithDel) {
  add();
  const std::string whole = text();
  EXPECT_EQ(open(Access::removal, Place{"boot", "cookie:2"}).entry(), nullptr);
  EXPECT_EQ(text(), whole);
  std::string damaged = whole;
  damaged[damaged.find("step") + 1] = 'x';
  sys::write_file_in_place(path(), damaged);
  EXPECT_EQ(open(Access::removal, Place{"boot", "cookie:2"}).entry(), nullptr);
  EXPECT_EQ(text(), damaged);
}

TEST_F(JournalTest, FileWithoutAWholeHeaderGoesWithDel) {
  sys::ensure_folder(folder_, 0700);
  for (const char* content : {"", "unicni-jour"}) {
    sys::create_file(path(), content, 0600);
    EXPECT_EQ(open(Access::look).entry(), nullptr);
    EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
    sys::create_file(path(), content, 0600);
    add();
    forget(open(Access::look), "bridge");
  }
}

TEST_F(JournalTest, RemovalHoldsAnAbsentEntryWhileItIsOpen) {
  {
    const Journal del = open(Access::removal);
    EXPECT_TRUE(del.usable());
    EXPECT_EQ(del.entry(), nullptr);
    EXPECT_THROW(
        Journal::open(folder_, kKey, kPlace, std::chrono::steady_clock::now() + 20ms, Access::add),
        Error);
  }
  EXPECT_THAT(sys::list_folder(folder_), IsEmpty());
  add();
  EXPECT_NE(open(Access::look).entry(), nullptr);
}

TEST_F(JournalTest, LongAndOddNamesWork) {
  const AttachmentKey key{std::string(300, 'n'), std::string(128, 'c'), "e\xff\n%"};
  open(Access::add, kPlace, key).begin_step("bridge", std::string(1U << 20U, '\n'), "", "/n");
  const Journal journal = open(Access::look, kPlace, key);
  ASSERT_NE(journal.entry(), nullptr);
  EXPECT_EQ(journal.entry()->key, key);
  EXPECT_EQ(journal.entry()->steps[0].config, std::string(1U << 20U, '\n'));
}

TEST_F(JournalTest, RecordsNeedAStep) {
  Journal journal = open(Access::add);
  EXPECT_THROW(journal.record(undo_bridge("b")), Error);
  EXPECT_THROW(journal.end_step("{}"), Error);
  journal.begin_step("bridge", "{}", "", "");
  journal.end_step("{}");
  EXPECT_THROW(journal.record(undo_bridge("b")), Error);
}

TEST_F(JournalTest, LockErrorNamesTheHolder) {
  const Journal holder = open(Access::add);
  for (const Access access : {Access::look, Access::removal, Access::add}) {
    try {
      Journal::open(folder_, kKey, kPlace, std::chrono::steady_clock::now() + 20ms, access);
      ADD_FAILURE() << "the lock was given twice";
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::try_again));
      EXPECT_THAT(error.msg(), HasSubstr("journal: lock " + path() + ": held by pid " +
                                         std::to_string(::getpid())));
    }
  }
}

TEST_F(JournalTest, FolderThatIsAFile) {
  sys::ensure_folder(temp_ / "run", 0700);
  sys::create_file(folder_, "", 0600);
  EXPECT_FALSE(open(Access::look).usable());
  EXPECT_THAT(error_of_add(), HasSubstr("journal: open " + path() + ": Not a directory (ENOTDIR)"));
}

TEST_F(JournalTest, PathThatIsNoRegularFile) {
  sys::ensure_folder(folder_, 0700);
  std::filesystem::create_directory(path());
  EXPECT_FALSE(open(Access::look).usable());
  EXPECT_THAT(error_of_add(), HasSubstr("EISDIR"));
  std::filesystem::remove(path());
  std::filesystem::create_symlink(temp_ / "elsewhere", path());
  EXPECT_FALSE(open(Access::look).usable());
  EXPECT_THAT(error_of_add(), HasSubstr("ELOOP"));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "elsewhere"));
  std::filesystem::remove(path());
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_FALSE(open(Access::look).usable());
  EXPECT_THAT(error_of_add(), HasSubstr("not a regular file"));
}

TEST_F(JournalTest, ReadOnlyFolderStillServesDel) {
  add();
  in_namespace(CLONE_NEWNS, [&] {
    ASSERT_EQ(::mount(folder_.c_str(), folder_.c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, folder_.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr),
              0);
    {
      Journal journal = open(Access::look);
      ASSERT_NE(journal.entry(), nullptr);
      forget(journal, "bridge");
    }
    EXPECT_NE(open(Access::look).entry(), nullptr) << "it could not be forgotten";
    EXPECT_THAT(error_of_add(), HasSubstr("EROFS"));
    const AttachmentKey other{"net", "other", "eth0"};
    EXPECT_FALSE(open(Access::look, kPlace, other).usable());
    EXPECT_THROW(open(Access::add, kPlace, other), Error);
  });
}

TEST_F(JournalTest, FullFileSystemRefusesAddAndKeepsWhatWasWritten) {
  sys::ensure_folder(folder_, 0700);
  in_namespace(CLONE_NEWNS, [&] {
    ASSERT_EQ(::mount("none", folder_.c_str(), "tmpfs", 0, "size=16k,mode=0700"), 0);
    {
      Journal journal = open(Access::add);
      journal.begin_step("bridge", "{}", "", "/n");
      journal.record(undo_veth("veth1", "x"));
      const std::string before = text();
      EXPECT_THROW(journal.record(undo_file("/x", std::string(40'000, 'x'))), Error);
      EXPECT_EQ(text(), before);
      journal.record(undo_veth("veth2", "x"));
    }
    sys::create_file(folder_ + "/rest", "", 0600);
    EXPECT_THROW(sys::write_file_in_place(folder_ + "/rest", std::string(20'000, 'x')), Error);
    const AttachmentKey other{"net", "other", "eth0"};
    EXPECT_FALSE(open(Access::look, kPlace, other).usable());
    EXPECT_THROW(open(Access::add, kPlace, other), Error);
    Journal journal = open(Access::look);
    ASSERT_NE(journal.entry(), nullptr);
    ASSERT_EQ(journal.entry()->steps[0].undo.size(), 2U);
    forget(journal, "bridge");
    EXPECT_FALSE(std::filesystem::exists(path()));
  });
}

TEST_F(JournalTest, AStepThatWasLeftOpenGoesOn) {
  const std::size_t id = open(Access::add).begin_step("flannel", "{}", "", "");
  {
    Journal journal = open(Access::add);
    EXPECT_FALSE(journal.resume_step(id, "bridge")) << "another's";
    EXPECT_FALSE(journal.resume_step(id + 1, "flannel")) << "another one's";
    ASSERT_TRUE(journal.resume_step(id, "flannel"));
    journal.record(undo_veth("veth1", "a b"));
    journal.end_step("{}");
    EXPECT_FALSE(journal.resume_step(id, "flannel")) << "it has ended";
  }
  Journal journal = open(Access::look);
  ASSERT_EQ(journal.entry()->steps.size(), 1U);
  EXPECT_EQ(journal.entry()->steps[0].undo.size(), 1U);
  EXPECT_EQ(journal.entry()->steps[0].result, "{}");
  forget(journal, "flannel");
  EXPECT_FALSE(journal.resume_step(id, "flannel")) << "it is gone";
}

TEST_F(JournalTest, AStepBehindWhichOthersWroteDoesNotGoOn) {
  const std::size_t id = open(Access::add).begin_step("flannel", "{}", "", "");
  add("bridge");
  EXPECT_FALSE(open(Access::add).resume_step(id, "flannel"));
}

TEST_F(JournalTest, OfTwoMembersOfATypeEachIsForgottenByItself) {
  std::size_t first = 0;
  std::size_t second = 0;
  {
    Journal journal = open(Access::add);
    first = journal.begin_step("tuning", "{\"a\":1}", "cookie:9", "/n", 1, "A=1");
    journal.record(undo_sysctl("a", "1"));
    journal.end_step("{}");
    second = journal.begin_step("tuning", "{\"a\":2}", "cookie:9", "/n", 2);
    journal.record(undo_sysctl("b", "2"));
    journal.end_step("{}");
  }
  {
    Journal journal = open(Access::removal);
    ASSERT_EQ(journal.entry()->steps.size(), 2U);
    EXPECT_EQ(journal.entry()->steps[0].args, "A=1");
    EXPECT_EQ(journal.entry()->steps[1].ordinal, 2U);
    journal.forget_step(second, "bridge");
    EXPECT_EQ(journal.entry()->steps.size(), 2U) << "that one is no bridge";
    journal.forget_step(second, "tuning");
    journal.forget_step(second, "tuning");
  }
  Journal journal = open(Access::removal);
  ASSERT_EQ(journal.entry()->steps.size(), 1U);
  EXPECT_EQ(journal.entry()->steps[0].config, "{\"a\":1}");
  journal.forget_step(first, "tuning");
  EXPECT_EQ(journal.entry(), nullptr);
}

TEST_F(JournalTest, RecordsThatOnlyANewerProgramKnowsAreKept) {
  const Undo future{"future", 9, false, {{"a", "b c"}}};
  std::size_t id = 0;
  {
    Journal journal = open(Access::add);
    id = journal.begin_step("bridge", "{}", "cookie:9", "/n");
    journal.record(undo_veth("veth1", "a b"));
    journal.record(future);
    journal.end_step("{}");
    journal.begin_step("portmap", "{}", "cookie:9", "/n");
  }
  open(Access::removal).forget_step(id, "bridge", {future});
  Journal journal = open(Access::removal);
  ASSERT_EQ(journal.entry()->steps.size(), 2U);
  const RecordedStep kept = journal.entry()->steps.back();
  EXPECT_EQ(kept.type, "bridge");
  EXPECT_EQ(kept.undo, std::vector<Undo>{future});
  EXPECT_EQ(kept.result, "{}");
  journal.forget_step(kept.id, "bridge", {future});
  EXPECT_EQ(journal.entry()->steps.back().id, kept.id) << "there is nothing to take from it";
}

TEST_F(JournalTest, AFileOfANewerFormIsKeptAndRefusesAdd) {
  sys::ensure_folder(folder_, 0700);
  const std::string text = LineWriter("unicni-journal").add("version", "2").finish() + "{}\n";
  sys::create_file(path(), text, 0600);
  {
    Journal journal = open(Access::removal);
    EXPECT_TRUE(journal.is_of_future());
    EXPECT_EQ(journal.entry(), nullptr);
    forget(journal, "bridge");
  }
  EXPECT_THROW(open(Access::add).begin_step("bridge", "{}", "", "/n"), Error);
  EXPECT_EQ(sys::read_file(path()), text);
}

/// Versions before 0.2 have their entries in the parent of today's folder.
class FormerFolder : public JournalTest {
 public:
  void SetUp() override {
    sys::ensure_folder(folder_, 0700);
    Journal::open(parent_, kKey, kPlace, std::chrono::steady_clock::now() + 5s, Access::add)
        .begin_step("bridge", "{}", "cookie:9", "/n");
    former_ = parent_ + '/' + file_name(kKey);
    ASSERT_TRUE(std::filesystem::exists(former_));
  }

 protected:
  const std::string parent_ = folder_.substr(0, folder_.rfind('/'));
  std::string former_;
};

TEST_F(FormerFolder, IsReadAndForgotten) {
  EXPECT_TRUE(peek(folder_, kKey).has_value());
  EXPECT_EQ(list_keys(folder_, kKey.network), std::vector<AttachmentKey>{kKey});
  EXPECT_EQ(peek_all(folder_).size(), 1U);
  {
    Journal journal = open(Access::removal);
    ASSERT_NE(journal.entry(), nullptr);
    EXPECT_THROW(
        Journal::open(parent_, kKey, kPlace, std::chrono::steady_clock::now(), Access::look), Error)
        << "the program of before is kept out";
    forget(journal, "bridge");
  }
  EXPECT_FALSE(std::filesystem::exists(former_));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(FormerFolder, AnAttachmentGoesOnWhereItBegan) {
  open(Access::add).begin_step("portmap", "{}", "cookie:9", "/n");
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_EQ(peek(folder_, kKey).value().steps.size(), 2U);
  EXPECT_EQ(peek(parent_, kKey).value().steps.size(), 2U) << "the program of before reads it";
}

TEST_F(FormerFolder, WhatIsOfAnotherBootIsOverwritten) {
  const Place today{"today", kPlace.host_netns};
  open(Access::add, today).begin_step("bridge", "{}", "", "/n");
  EXPECT_FALSE(std::filesystem::exists(former_));
  EXPECT_TRUE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace unicni::journal::journal_test
