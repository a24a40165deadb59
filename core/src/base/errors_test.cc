#include "unicni/errors.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace unicni::errors_test {
namespace {

[[noreturn]] void fail(const char* text) { throw Error(Code::internal, text); }

TEST(Errors, AllIsDoneAndTheFirstIsThrownWithTheOthersBehind) {
  Errors errors;
  int done = 0;
  EXPECT_FALSE(errors.attempt([] { fail("one"); }));
  EXPECT_TRUE(errors.attempt([&] { ++done; }));
  EXPECT_FALSE(errors.attempt_step("bridge", [] { fail("two"); }));
  errors.add(Error(Code::try_again, "three"));
  EXPECT_EQ(done, 1);
  ASSERT_EQ(errors.all().size(), 3U);
  try {
    errors.finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.msg(), "one");
    EXPECT_EQ(error.details(), "also: bridge: two; also: three");
  }
  try {
    errors.finish(2);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.details(), "also: bridge: two");
  }
}

TEST(Errors, TheSameThatCameThroughMoreStepsIsToldOnce) {
  Errors errors;
  errors.attempt([] { fail("fake: cannot"); });
  errors.attempt([] { fail("bridge: fake: cannot"); });
  errors.attempt([] { fail("not"); });
  errors.attempt([] { fail("fake: cannot"); });
  try {
    errors.finish();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.msg(), "fake: cannot");
    EXPECT_EQ(error.details(), "also: not");
  }
}

TEST(Errors, WithoutAnyNothingIsThrown) {
  Errors errors;
  EXPECT_TRUE(errors.attempt([] {}));
  EXPECT_TRUE(errors.empty());
  EXPECT_NO_THROW(errors.finish());
}

TEST(Errors, AnotherExceptionBecomesOne) {
  Errors errors;
  EXPECT_FALSE(errors.attempt([] { throw std::runtime_error("defect"); }));
  EXPECT_EQ(errors.all().at(0).msg(), "defect");
  EXPECT_TRUE(errors.all().at(0).is(Code::internal));
}

}  // namespace
}  // namespace unicni::errors_test
