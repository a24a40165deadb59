#include "journal/trust.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "base/temp_folder_for_test.h"
#include "journal/folder.h"
#include "journal/journal.h"
#include "unicni/sys/file.h"

namespace unicni::journal::trust_test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr uid_t kSomebody = 12345;

class Trust : public ::testing::Test {
 protected:
  Journal open(Access access) {
    return Journal::open(folder_, key_, {"boot", "cookie:1"},
                         std::chrono::steady_clock::now() + std::chrono::seconds(5), access);
  }
  void write_entry() {
    Journal journal = open(Access::add);
    journal.begin_step("bridge", "{}", "", "/n");
    journal.end_step("{}");
  }
  /// ADD says `what` and `command`; everybody else goes on as if there were no entry.
  void expect_distrusted(const std::string& what, const std::string& command) {
    try {
      open(Access::add);
      ADD_FAILURE() << what;
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), AllOf(HasSubstr("journal: "), HasSubstr(what)));
      EXPECT_THAT(error.details(), HasSubstr(command));
    }
    for (const Access access : {Access::removal, Access::look}) {
      const Journal journal = open(access);
      EXPECT_FALSE(journal.usable());
      EXPECT_EQ(journal.entry(), nullptr);
      EXPECT_THAT(journal.complaint(), AllOf(HasSubstr(what), HasSubstr(command)));
    }
    EXPECT_EQ(peek(folder_, key_), std::nullopt);
    EXPECT_THAT(peek_all(folder_), IsEmpty());
    EXPECT_THAT(list_keys(folder_, key_.network), IsEmpty());
    EXPECT_THAT(list_siblings(folder_, {"net", "ctr", "eth1"}), IsEmpty());
  }
  void expect_trusted() {
    EXPECT_TRUE(open(Access::look).usable());
    EXPECT_THAT(open(Access::look).complaint(), IsEmpty());
    EXPECT_THAT(peek_all(folder_), SizeIs(1));
    EXPECT_THAT(list_keys(folder_, key_.network), SizeIs(1));
  }

  const TempFolder temporary_;
  const std::string folder_ = temporary_ / "journal";
  const AttachmentKey key_{"net", "ctr", "eth0"};
  const std::string file_ = folder_ + '/' + file_name(key_);
};

TEST_F(Trust, WhatAddMakesIsItsUsersAlone) {
  const mode_t before = ::umask(0);
  write_entry();
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0700U);
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
  expect_trusted();
}

TEST_F(Trust, AFolderThatOthersCanEnterIsNone) {
  write_entry();
  for (const mode_t mode : {0755U, 0770U, 0710U, 0701U, 0702U, 01777U}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    expect_distrusted("folder " + folder_ + " belongs to user", "chmod 0700 " + folder_);
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  expect_trusted();
}

TEST_F(Trust, AFileThatOthersCanReadOrWriteIsNone) {
  write_entry();
  for (const mode_t mode : {0644U, 0640U, 0602U, 0610U}) {
    ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
    expect_distrusted("file " + file_ + " belongs to user", "chmod 0600 " + file_);
  }
  ASSERT_EQ(::chmod(file_.c_str(), 0600), 0);
  expect_trusted();
}

TEST_F(Trust, AnotherUsersFolderOrFileIsNone) {
  write_entry();
  if (::geteuid() != 0) GTEST_FAIL() << "needs root";
  ASSERT_EQ(::chown(file_.c_str(), kSomebody, 0), 0);
  expect_distrusted("file " + file_ + " belongs to user 12345", "chown 0 " + file_);
  ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(folder_.c_str(), kSomebody, 0), 0);
  expect_distrusted("folder " + folder_ + " belongs to user 12345", "chown 0 " + folder_);
  ASSERT_EQ(::chown(folder_.c_str(), 0, 0), 0);
  expect_trusted();
}

TEST_F(Trust, SymbolicLinksLeadNowhere) {
  write_entry();
  std::filesystem::rename(folder_, temporary_ / "elsewhere");
  std::filesystem::create_directory_symlink(temporary_ / "elsewhere", folder_);
  expect_distrusted(folder_ + " is a symbolic link", "rm " + folder_);
  std::filesystem::remove(folder_);
  std::filesystem::rename(temporary_ / "elsewhere", folder_);
  std::filesystem::rename(file_, temporary_ / "file");
  std::filesystem::create_symlink(temporary_ / "file", file_);
  EXPECT_EQ(peek(folder_, key_), std::nullopt);
  EXPECT_THAT(peek_all(folder_), IsEmpty());
  EXPECT_FALSE(open(Access::removal).usable());
  EXPECT_THROW(open(Access::add), Error);
}

TEST_F(Trust, AnAbsentFolderIsNoMatter) {
  EXPECT_FALSE(distrust_folder(folder_));
  EXPECT_THAT(open(Access::look).complaint(), IsEmpty());
}

}  // namespace
}  // namespace unicni::journal::trust_test
