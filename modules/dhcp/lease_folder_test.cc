#include "lease_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>

#include "base/error_for_test.h"
#include "base/in_namespace_for_test.h"
#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::dhcp::lease_folder_test {
namespace {

using testing::HasSubstr;

Lease lease(const char* address = "10.0.0.9/24") {
  Lease lease;
  lease.key = {"net", "c1", "eth0"};
  lease.place = {"/run/netns/c1", "cookie:17", "eth0", 5};
  lease.boot = sys::boot_id();
  lease.grant.emplace().address = ip_net(address);
  return lease;
}

std::string address_in(const std::string& file) {
  const auto lease = read_lease(file);
  return lease && lease->grant ? lease->grant->address.str() : "none";
}

class LeaseFolderTest : public testing::Test {
 protected:
  TempFolder temp_;
  LeaseFolder folder_{temp_ / "leases"};
};

TEST_F(LeaseFolderTest, IsMadeWithTheFirstFile) {
  folder_.write(lease());
  EXPECT_EQ(address_in(folder_.file_of(lease())), "10.0.0.9/24");
  folder_.write(lease("10.0.0.8/24"));
  EXPECT_EQ(address_in(folder_.file_of(lease())), "10.0.0.8/24");
  EXPECT_FALSE(folder_.has_lost_files());
}

TEST_F(LeaseFolderTest, AFileOfAnotherInterfaceUnderTheNameIsLeftAlone) {
  folder_.write(lease());
  Lease other = lease();
  other.place.netns = "cookie:18";
  folder_.remove(other);
  EXPECT_EQ(address_in(folder_.file_of(lease())), "10.0.0.9/24");
  folder_.remove(lease());
  EXPECT_EQ(address_in(folder_.file_of(lease())), "none");
}

TEST_F(LeaseFolderTest, TellsThatFilesWereRemovedByWhomeverAlsoWithTheFolder) {
  folder_.write(lease());
  std::filesystem::remove(folder_.file_of(lease()));
  EXPECT_TRUE(folder_.has_lost_files());
  EXPECT_FALSE(folder_.has_lost_files());
  folder_.write(lease());
  std::filesystem::remove_all(folder_.path());
  EXPECT_TRUE(folder_.has_lost_files());
  folder_.write(lease());
  EXPECT_FALSE(folder_.has_lost_files());
  std::filesystem::remove(folder_.file_of(lease()));
  EXPECT_TRUE(folder_.has_lost_files());
}

/// A file system of two pages, one of which is the lease's.
TEST_F(LeaseFolderTest, OnAFullFileSystemAFileIsWrittenOverAndNoOtherHasRoom) {
  in_namespace(CLONE_NEWNS, [&] {
    sys::ensure_folder(folder_.path(), 0700);
    ASSERT_EQ(::mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=8k"), 0);
    folder_.write(lease());
    EXPECT_NO_THROW(folder_.require_room());
    sys::write_file_atomically(folder_.path() + "/.other", "x", 0600);
    const Error error = error_of([&] { folder_.require_room(); });
    EXPECT_TRUE(error.is(Code::not_available));
    EXPECT_THAT(error.msg(), HasSubstr("no lease can be written: "));
    EXPECT_THAT(error.msg(), HasSubstr("No space left on device"));
    folder_.write(lease("10.0.0.8/24"));
    EXPECT_EQ(address_in(folder_.file_of(lease())), "10.0.0.8/24");
    Lease another = lease();
    another.key.container_id = "c2";
    EXPECT_THROW(folder_.write(another), Error);
    EXPECT_EQ(address_in(folder_.file_of(another)), "none");
  });
}

}  // namespace
}  // namespace unicni::dhcp::lease_folder_test
