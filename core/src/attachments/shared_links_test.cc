#include "attachments/shared_links.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "base/temp_folder_for_test.h"
#include "unicni/error.h"

namespace unicni::attachments::shared_links_test {
namespace {

using sys::LockMode;
using Clock = std::chrono::steady_clock;

TEST(SharedLinks, AddsGoTogetherARemovalGoesAlone) {
  const TempFolder folder;
  {
    const auto one = lock_shared_links(folder.path(), LockMode::shared, Clock::now());
    const auto two = lock_shared_links(folder.path(), LockMode::shared, Clock::now());
    EXPECT_TRUE(one && two);
    EXPECT_THROW(lock_shared_links(folder.path(), LockMode::exclusive, Clock::now()), Error);
  }
  const auto removal = lock_shared_links(folder.path(), LockMode::exclusive, Clock::now());
  EXPECT_TRUE(removal);
  EXPECT_THROW(lock_shared_links(folder.path(), LockMode::shared, Clock::now()), Error);
}

TEST(SharedLinks, AFolderThatOthersCanReadIsNotLocked) {
  const TempFolder folder;
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  EXPECT_EQ(lock_shared_links(folder.path(), LockMode::exclusive, Clock::now()), std::nullopt);
}

TEST(SharedLinks, WithoutAFolderThereIsNothingToLock) {
  EXPECT_FALSE(lock_shared_links("/nonexistent/unicni", LockMode::exclusive, Clock::now()));
}

}  // namespace
}  // namespace unicni::attachments::shared_links_test
