#include "unicni/error.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace unicni::error_test {
namespace {

TEST(Error, KeepsCodeMessageAndDetails) {
  const Error error(Code::invalid_config, "mtu is 70000", "allowed: 0..65535");
  EXPECT_EQ(error.code(), 7U);
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_FALSE(error.is(Code::internal));
  EXPECT_STREQ(error.what(), "mtu is 70000");
  EXPECT_EQ(error.details(), "allowed: 0..65535");
}

TEST(Error, ForeignCodesPassThrough) { EXPECT_EQ(Error(117U, "x").code(), 117U); }

TEST(Error, StepIsNamedOnce) {
  Error error(Code::internal, "no link");
  error.in_step("bridge").in_step("bridge");
  EXPECT_EQ(error.msg(), "bridge: no link");
  error.in_step("unicni");
  EXPECT_EQ(error.msg(), "unicni: bridge: no link");
}

TEST(Error, AdviseReplacesDetails) {
  EXPECT_EQ(Error(Code::io, "a", "b").advise("c").details(), "c");
}

TEST(SystemError, HasTextAndNameOfErrno) {
  const Error error = system_error(ENOSPC, "write /run/x");
  EXPECT_EQ(error.msg(), "write /run/x: No space left on device (ENOSPC)");
  EXPECT_TRUE(error.is(Code::internal));
}

TEST(SystemError, UnknownNumberIsShown) {
  EXPECT_EQ(system_error(98765, "x").msg(), "x: unknown error (errno 98765)");
}

}  // namespace
}  // namespace unicni::error_test
