// Who may provide a module: owners and modes of the file and of every folder above it.
#include "module/trust.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::trust_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t kOther = 12345;
constexpr uid_t kOtherForeign = 23456;

class TrustTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
    prefix_.write(file_, "a module");
    prefix_.write(prefix_.executable(), "the executable");
  }
  /// The refusal's text, or "" if the path is trusted.
  std::string refusal(const std::string& path) {
    try {
      require_trusted(path, prefix_.executable());
      return "";
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), StartsWith("module " + path + " is "));
      return error.msg() + " | " + error.details();
    }
  }
  void give(const std::string& path, uid_t owner = kOther) {
    ASSERT_EQ(::lchown(path.c_str(), owner, owner), 0) << path;
  }

  scratch::Prefix prefix_;
  std::string file_ = prefix_.module("m");
};

TEST_F(TrustTest, RootsFileBelowAStickyFolderIsTrusted) {
  struct stat tmp {};
  ASSERT_EQ(::stat("/tmp", &tmp), 0);
  ASSERT_TRUE((tmp.st_mode & S_ISVTX) != 0 && (tmp.st_mode & S_IWOTH) != 0 && tmp.st_uid == 0);
  EXPECT_EQ(refusal(file_), "");
}

TEST_F(TrustTest, AFileThatOthersCanWrite) {
  ::chmod(file_.c_str(), 0757);
  EXPECT_THAT(refusal(file_), HasSubstr("file " + file_ + " has mode 0757"));
  EXPECT_THAT(refusal(file_), HasSubstr("| chmod go-w " + file_));
  ::chmod(file_.c_str(), 0775);
  EXPECT_THAT(refusal(file_), HasSubstr("has mode 0775"));
}

TEST_F(TrustTest, TheCommandThatMendsAPathWithBlanksIsForAShell) {
  const std::string folder = prefix_.modules() + "/of mine";
  std::filesystem::create_directory(folder);
  prefix_.write(folder + "/m.so", "a module");
  ::chmod(folder.c_str(), 0777);
  EXPECT_THAT(refusal(folder + "/m.so"), HasSubstr("| chmod go-w '" + folder + "'"));
}

TEST_F(TrustTest, AFileOfAForeign) {
  give(file_);
  EXPECT_THAT(refusal(file_), HasSubstr("file " + file_ + " belongs to uid 12345"));
}

TEST_F(TrustTest, AFolderThatOthersCanWrite) {
  const auto folder = prefix_.path() + "/lib";
  ::chmod(folder.c_str(), 0777);
  EXPECT_THAT(refusal(file_), HasSubstr("folder " + folder + " has mode 0777"));
}

TEST_F(TrustTest, AFolderOfAForeign) {
  const auto folder = prefix_.path() + "/lib/unicni";
  give(folder);
  EXPECT_THAT(refusal(file_), HasSubstr("folder " + folder + " belongs to uid 12345"));
}

TEST_F(TrustTest, AStickyFolderOfRootThatOthersCanWrite) {
  ::chmod(prefix_.modules().c_str(), 01777);
  EXPECT_EQ(refusal(file_), "");
  give(file_);
  EXPECT_THAT(refusal(file_), HasSubstr("belongs to uid 12345"));
}

TEST_F(TrustTest, AStickyFolderOfAForeign) {
  ::chmod(prefix_.modules().c_str(), 01777);
  give(prefix_.modules());
  EXPECT_THAT(refusal(file_), HasSubstr("folder " + prefix_.modules() + " belongs to uid 12345"));
}

TEST_F(TrustTest, ASymlinkIsFollowedAndItsTargetChecked) {
  const auto open = prefix_.path() + "/open";
  ASSERT_EQ(::mkdir(open.c_str(), 0755), 0);
  prefix_.write(open + "/m.so", "a module");
  const auto link = prefix_.module("link");
  ASSERT_EQ(::symlink("../../../open/./m.so", link.c_str()), 0);
  EXPECT_EQ(refusal(link), "");
  ::chmod(open.c_str(), 0777);
  EXPECT_THAT(refusal(link), HasSubstr("folder " + open + " has mode 0777"));
}

TEST_F(TrustTest, ASymlinkThroughAFolderThatOthersCanWrite) {
  // realpath(3) of it shows only trusted folders; the detour could be bent by anybody.
  const auto detour = prefix_.path() + "/detour";
  ASSERT_EQ(::mkdir(detour.c_str(), 0755), 0);
  ::chmod(detour.c_str(), 0777);
  ASSERT_EQ(::symlink(prefix_.modules().c_str(), (detour + "/modules").c_str()), 0);
  const auto link = prefix_.module("link");
  ASSERT_EQ(::symlink((detour + "/modules/m.so").c_str(), link.c_str()), 0);
  EXPECT_THAT(refusal(link), HasSubstr("folder " + detour + " has mode 0777"));
}

TEST_F(TrustTest, ASymlinkOfAForeignInAStickyFolder) {
  ::chmod(prefix_.modules().c_str(), 01777);
  const auto link = prefix_.module("link");
  ASSERT_EQ(::symlink(file_.c_str(), link.c_str()), 0);
  EXPECT_EQ(refusal(link), "");
  give(link);
  EXPECT_THAT(refusal(link), HasSubstr("symlink " + link + " belongs to uid 12345"));
}

TEST_F(TrustTest, ASymlinkedFolder) {
  const auto link = prefix_.path() + "/lib64";
  ASSERT_EQ(::symlink("lib", link.c_str()), 0);
  EXPECT_EQ(refusal(link + "/unicni/modules/m.so"), "");
}

TEST_F(TrustTest, ALoopOfSymlinksEnds) {
  const auto link = prefix_.module("loop");
  ASSERT_EQ(::symlink("loop.so", link.c_str()), 0);
  EXPECT_THAT(refusal(link), HasSubstr("too many levels of symlinks"));
}

TEST_F(TrustTest, ADanglingSymlinkIsAbsent) {
  const auto link = prefix_.module("dangling");
  ASSERT_EQ(::symlink("nowhere.so", link.c_str()), 0);
  EXPECT_THAT(refusal(link), HasSubstr("is absent"));
}

TEST_F(TrustTest, NotARegularFile) {
  ASSERT_EQ(::mkfifo(prefix_.module("fifo").c_str(), 0644), 0);
  EXPECT_THAT(refusal(prefix_.module("fifo")), HasSubstr("not a regular file"));
  EXPECT_THAT(refusal(prefix_.modules()), HasSubstr("not a regular file"));
}

/// Runs `refusal` as `user`, who is root in a user namespace of his own, as rootless runtimes are.
template <class F>
std::string in_user_namespace(uid_t user, F refusal) {
  std::array<int, 2> ready{};
  std::array<int, 2> mapped{};
  std::array<int, 2> answer{};
  EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(mapped.data(), O_CLOEXEC), 0);
  EXPECT_EQ(::pipe2(answer.data(), O_CLOEXEC), 0);
  char byte = 0;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool moved = ::setresgid(user, user, user) == 0 && ::setresuid(user, user, user) == 0 &&
                       ::unshare(CLONE_NEWUSER) == 0;
    byte = moved ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1 || ::read(mapped[0], &byte, 1) != 1) ::_exit(2);
    const std::string text = refusal();
    const auto sent = ::write(answer[1], text.data(), text.size());
    ::_exit(sent == static_cast<ssize_t>(text.size()) ? 0 : 3);
  }
  ::close(answer[1]);
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  if (byte == 'y') {
    std::ofstream("/proc/" + std::to_string(child) + "/uid_map") << "0 " << user << " 1\n";
  }
  EXPECT_EQ(::write(mapped[1], &byte, 1), 1);
  std::string text;
  std::array<char, 4096> piece{};
  for (ssize_t got = 0; (got = ::read(answer[0], piece.data(), piece.size())) > 0;) {
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (const int fd : {ready[0], ready[1], mapped[0], mapped[1], answer[0]}) ::close(fd);
  return byte == 'y' ? text : "no user namespaces here";
}

class RootlessTest : public TrustTest {
 protected:
  void SetUp() override {
    TrustTest::SetUp();
    if (in_user_namespace(kOther, [] { return std::string(); }) != "") {
      GTEST_SKIP() << "no user namespaces here";
    }
    for (const auto* below : {"", "/lib", "/lib/unicni", "/lib/unicni/modules", "/libexec",
                              "/libexec/cni", "/libexec/cni/unicni"}) {
      give(prefix_.path() + below);
    }
    give(file_);
  }
};

TEST_F(RootlessTest, AUsersOwnInstallationIsTrusted) {
  EXPECT_EQ(in_user_namespace(kOther, [&] { return refusal(file_); }), "");
  EXPECT_THAT(refusal(file_), HasSubstr("belongs to uid 12345")) << "but not by the machine's root";
}

TEST_F(RootlessTest, AFileOfAnUnmappedOwnerIsNot) {
  give(file_, kOtherForeign);
  EXPECT_THAT(in_user_namespace(kOther, [&] { return refusal(file_); }),
              HasSubstr("file " + file_ + " belongs to uid 65534"));
}

TEST_F(RootlessTest, WritableByOthersIsRefusedThereToo) {
  ::chmod(prefix_.modules().c_str(), 0777);
  EXPECT_THAT(in_user_namespace(kOther, [&] { return refusal(file_); }),
              HasSubstr("has mode 0777"));
}

TEST_F(RootlessTest, TheMachinesInstallationIsTrusted) {
  for (const auto* below : {"", "/lib", "/lib/unicni", "/lib/unicni/modules", "/libexec",
                            "/libexec/cni", "/libexec/cni/unicni"}) {
    give(prefix_.path() + below, 0);
  }
  give(file_, 0);
  EXPECT_EQ(in_user_namespace(kOther, [&] { return refusal(file_); }), "");
}

}  // namespace
}  // namespace unicni::module::trust_test
