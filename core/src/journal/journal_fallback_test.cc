// File systems and user namespaces that lack what the journal prefers, imitated with seccomp(2).
#include <errno.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <chrono>
#include <thread>

#include "base/temp_folder_for_test.h"
#include "journal/folder.h"
#include "journal/forget_for_test.h"
#include "journal/journal.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::journal::journal_fallback_test {
namespace {

using ::testing::IsEmpty;

/// From now on this thread's system call `number` fails with `error` if argument `index` has one of
/// `bits`.
void refuse(unsigned number, unsigned index, unsigned bits, unsigned error) {
  const auto argument = static_cast<unsigned>(offsetof(seccomp_data, args) + 8 * index);
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, argument),  // little endian: the lower half
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof code / sizeof code[0], code};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

void add_and_delete(const std::string& folder) {
  const AttachmentKey key{"net", "ctr", "eth0"};
  const auto open = [&](Access access) {
    return Journal::open(folder, key, {"boot", "cookie:1"},
                         std::chrono::steady_clock::now() + std::chrono::seconds(5), access);
  };
  try {
    open(Access::add).begin_step("bridge", "{}", "", "/n");
    Journal journal = open(Access::look);
    ASSERT_NE(journal.entry(), nullptr);
    EXPECT_EQ(journal.entry()->steps.size(), 1U);
    EXPECT_THAT(sys::list_folder(folder), ::testing::ElementsAre(file_name(key)));
    forget(journal, "bridge");
  } catch (const Error& error) {
    ADD_FAILURE() << error.msg();
  }
  EXPECT_THAT(sys::list_folder(folder), IsEmpty());
}

TEST(JournalFallback, WithoutUnnamedFiles) {
  const TempFolder folder;
  std::thread([&] {
    refuse(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP);
    add_and_delete(folder / "new");
  }).join();
}

TEST(JournalFallback, WithoutTheRightToLinkByDescriptor) {
  const TempFolder folder;
  std::thread([&] {
    refuse(SYS_linkat, 4, AT_EMPTY_PATH, ENOENT);
    add_and_delete(folder / "new");
  }).join();
}

}  // namespace
}  // namespace unicni::journal::journal_fallback_test
