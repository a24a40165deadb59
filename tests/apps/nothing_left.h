// What a program of this folder may leave on its host: the bridge, which others may use.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/attachment.h"
#include "support/kernel_state.h"

namespace unicni::test {

/// `before`: of the host, when nothing was attached.
inline void expect_nothing_left(const Snapshot& before) {
  EXPECT_EQ(difference(without_link(before, "cni0"), without_link(snapshot(), "cni0")), "");
  EXPECT_THAT(files_in(kJournals), ::testing::IsEmpty());
  EXPECT_THAT(reservations("mynet"), ::testing::IsEmpty());
  EXPECT_THAT(owners(), ::testing::IsEmpty());
}

}  // namespace unicni::test
