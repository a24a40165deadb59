#include "unicni/sys/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/file_size_limit_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys::file_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

template <class F>
std::string error_of(F work) {
  try {
    work();
  } catch (const Error& error) {
    return error.msg();
  }
  return "no error";
}

mode_t mode_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777U;
}

TEST(ReadFile, AbsentIsNullopt) {
  const TempFolder folder;
  EXPECT_EQ(read_file(folder / "none"), std::nullopt);
  create_file(folder / "file", "x", 0600);
  EXPECT_EQ(read_file(folder / "file/below"), std::nullopt);
}

TEST(ReadFile, BinaryAndLongContentIsWhole) {
  const TempFolder folder;
  std::string content(100'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7);
  create_file(folder / "file", content, 0600);
  EXPECT_EQ(read_file(folder / "file"), content);
  EXPECT_EQ(read_file("/proc/self/comm").value_or("").back(), '\n') << "a file without a size";
}

TEST(ReadFile, LimitIsInclusive) {
  const TempFolder folder;
  create_file(folder / "file", "12345", 0600);
  EXPECT_EQ(read_file(folder / "file", 5), "12345");
  EXPECT_THAT(error_of([&] { read_file(folder / "file", 4); }), HasSubstr("EFBIG"));
}

TEST(ReadFile, FolderIsAnErrorThatNamesIt) {
  const TempFolder folder;
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }),
            "read " + folder.path() + ": Is a directory (EISDIR)");
}

TEST(ReadFile, FifoDoesNotBlock) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(read_file(folder / "fifo"), "");
}

TEST(ReadFile, LinkIsRefusedOnlyWhereAsked) {
  const TempFolder folder;
  const std::string file = folder / "file";
  const std::string link = folder / "link";
  write_file_atomically(file, "text", 0600);
  ASSERT_EQ(::symlink("file", link.c_str()), 0);
  EXPECT_EQ(read_file(link), "text");
  EXPECT_EQ(read_file(file, kFileLimit, Links::refuse), "text");
  EXPECT_EQ(read_file(folder / "none", kFileLimit, Links::refuse), std::nullopt);
  EXPECT_THROW(read_file(link, kFileLimit, Links::refuse), Error);
  ASSERT_EQ(::symlink(folder.path().c_str(), (folder / "folder").c_str()), 0);
  EXPECT_EQ(read_file(folder / "folder/file", kFileLimit, Links::refuse), "text");
}

TEST(OverwriteFile, WritesNeitherThroughALinkNorIntoSomethingElse) {
  const TempFolder folder;
  const std::string victim = folder / "victim";
  write_file_atomically(victim, "secret", 0600);
  ASSERT_EQ(::symlink("victim", (folder / "link").c_str()), 0);
  ASSERT_EQ(::symlink("none", (folder / "dangling").c_str()), 0);
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  for (const char* name : {"link", "dangling", "fifo"})
    EXPECT_THROW(overwrite_file(folder / name, "new", 0600), Error) << name;
  EXPECT_EQ(read_file(victim), "secret");
  EXPECT_EQ(read_file(folder / "none"), std::nullopt);
}

TEST(WriteFileAtomically, ReplacesContentAndMode) {
  const TempFolder folder;
  write_file_atomically(folder / "file", "old", 0644);
  write_file_atomically(folder / "file", "new", 0600, true);
  EXPECT_EQ(read_file(folder / "file"), "new");
  EXPECT_EQ(mode_of(folder / "file"), 0600U);
  EXPECT_THAT(list_folder(folder.path()), ElementsAre("file"));
}

TEST(WriteFileAtomically, ANameMayBeAsLongAsNamesAre) {
  const TempFolder folder;
  for (const std::size_t length : {230, 233, 234, 255}) {
    const std::string path = folder / std::string(length, 'n');
    write_file_atomically(path, "x", 0600);
    EXPECT_EQ(read_file(path), "x") << length;
  }
}

TEST(WriteFileAtomically, FailureLeavesOldContentAndNoTemporary) {
  const TempFolder folder;
  write_file_atomically(folder / "file", "old", 0600);
  {
    const FileSizeLimit limit(4096);
    EXPECT_THAT(
        error_of([&] { write_file_atomically(folder / "file", std::string(8192, 'x'), 0600); }),
        HasSubstr(folder / ".file."));
  }
  EXPECT_EQ(read_file(folder / "file"), "old");
  EXPECT_THAT(list_folder(folder.path()), ElementsAre("file"));
  std::filesystem::create_directory(folder / "busy");
  EXPECT_THAT(error_of([&] { write_file_atomically(folder / "busy", "x", 0600); }),
              HasSubstr("busy: "));
  EXPECT_THAT(list_folder(folder.path()), UnorderedElementsAre("file", "busy"));
}

TEST(WriteFileInPlace, OverwritesOnlyWhatExists) {
  const TempFolder folder;
  EXPECT_THAT(error_of([&] { write_file_in_place(folder / "file", "1"); }), HasSubstr("ENOENT"));
  create_file(folder / "file", "long old content", 0600);
  write_file_in_place(folder / "file", "1");
  EXPECT_EQ(read_file(folder / "file"), "1");
  EXPECT_EQ(error_of([] { write_file_in_place("/dev/full", "1"); }),
            "write \"1\" to /dev/full: No space left on device (ENOSPC)");
}

TEST(OverwriteFile, MakesOrReplacesAndCutsWhatWasLonger) {
  const TempFolder folder;
  overwrite_file(folder / "hint", "10.1.2.100", 0600);
  EXPECT_EQ(mode_of(folder / "hint"), 0600U);
  overwrite_file(folder / "hint", "10.1.2.9", 0644);
  EXPECT_EQ(read_file(folder / "hint"), "10.1.2.9");
  EXPECT_EQ(mode_of(folder / "hint"), 0600U);
  overwrite_file(folder / "hint", "", 0600);
  EXPECT_EQ(read_file(folder / "hint"), "");
  EXPECT_THAT(error_of([&] { overwrite_file(folder.path(), "x", 0600); }),
              HasSubstr(folder.path()));
  EXPECT_THAT(list_folder(folder.path()), ElementsAre("hint"));
}

TEST(CreateFile, ExistingFileIsLeftAlone) {
  const TempFolder folder;
  EXPECT_TRUE(create_file(folder / "file", "first", 0640));
  EXPECT_FALSE(create_file(folder / "file", "second", 0640));
  EXPECT_EQ(read_file(folder / "file"), "first");
  EXPECT_EQ(mode_of(folder / "file"), 0640U);
}

TEST(CreateFile, FailedWriteRemovesTheFile) {
  const TempFolder folder;
  const FileSizeLimit limit(4096);
  EXPECT_THAT(error_of([&] { create_file(folder / "file", std::string(8192, 'x'), 0600); }),
              HasSubstr(folder / "file"));
  EXPECT_THAT(list_folder(folder.path()), IsEmpty());
}

TEST(RemoveFile, TellsWhetherItWasThere) {
  const TempFolder folder;
  create_file(folder / "file", "", 0600);
  EXPECT_TRUE(remove_file(folder / "file"));
  EXPECT_FALSE(remove_file(folder / "file"));
  EXPECT_FALSE(remove_file(folder / "none/file"));
  EXPECT_THAT(error_of([&] { remove_file(folder.path()); }), HasSubstr("remove " + folder.path()));
}

TEST(EnsureFolder, MakesAllParentsOnce) {
  const TempFolder folder;
  ensure_folder(folder / "a/b/c", 0700);
  ensure_folder(folder / "a/b/c", 0755);
  ensure_folder(folder / "d//e/", 0700);
  EXPECT_EQ(mode_of(folder / "a"), 0700U);
  EXPECT_EQ(mode_of(folder / "a/b/c"), 0700U);
  EXPECT_TRUE(std::filesystem::is_directory(folder / "d/e"));
  ensure_folder("/", 0700);
}

TEST(EnsureFolder, SomethingElseThereIsAnErrorThatNamesIt) {
  const TempFolder folder;
  create_file(folder / "file", "", 0600);
  EXPECT_EQ(error_of([&] { ensure_folder(folder / "file", 0700); }),
            "create folder " + (folder / "file") + ": Not a directory (ENOTDIR)");
  EXPECT_THAT(error_of([&] { ensure_folder(folder / "file/x/y", 0700); }), HasSubstr("ENOTDIR"));
  std::filesystem::create_symlink("nowhere", folder / "link");
  EXPECT_THAT(error_of([&] { ensure_folder(folder / "link", 0700); }), HasSubstr("ENOENT"));
  EXPECT_THAT(error_of([] { ensure_folder("", 0700); }), HasSubstr("ENOENT"));
}

TEST(ListFolder, AbsentIsEmpty) {
  const TempFolder folder;
  EXPECT_THAT(list_folder(folder / "none"), IsEmpty());
  create_file(folder / ".hidden", "", 0600);
  create_file(folder / "file", "", 0600);
  EXPECT_THAT(list_folder(folder.path()), UnorderedElementsAre(".hidden", "file"));
}

TEST(BootId, IsAUuid) {
  EXPECT_THAT(boot_id(), ::testing::MatchesRegex("[0-9a-f-]{36}"));
  EXPECT_EQ(boot_id(), boot_id());
}

TEST(Fd, ClosesOnce) {
  Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = fd.get();
  Fd other = std::move(fd);
  EXPECT_FALSE(fd);  // NOLINT(bugprone-use-after-move): what it is left as is the contract
  EXPECT_EQ(other.get(), number);
  other = Fd(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
  const int released = other.release();
  other.reset();
  EXPECT_NE(::fcntl(released, F_GETFD), -1);
  const Fd closer(released);
}

}  // namespace
}  // namespace unicni::sys::file_test
