#include "module/guard.h"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

namespace unicni::module::guard_test {
namespace {

template <class F>
std::string text_of(F throwing) {
  try {
    guarded("demo", "ADD", throwing);
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::internal));
    return error.msg();
  }
  return "";
}

TEST(GuardTest, PassesResultsThrough) {
  EXPECT_EQ(guarded("demo", "ADD", [] { return 7; }), 7);
  auto owned = guarded("demo", "ADD", [] { return std::make_unique<int>(8); });
  EXPECT_EQ(*owned, 8);
  guarded("demo", "ADD", [] {});
}

TEST(GuardTest, EveryKindOfExceptionIsAnError) {
  constexpr auto kNoException = "demo: ADD threw something that is no std::exception";
  EXPECT_EQ(text_of([] { throw std::runtime_error("words"); }), "demo: words");
  EXPECT_EQ(text_of([] { throw std::runtime_error(""); }),
            "demo: ADD threw an exception without text");
  EXPECT_EQ(text_of([] { throw 7; }), kNoException);
  EXPECT_EQ(text_of([] { throw nullptr; }), std::string(kNoException) + ": nullptr");
  EXPECT_EQ(text_of([] { throw "literal"; }), std::string(kNoException) + ": literal");
  EXPECT_EQ(text_of([] { throw std::string("text"); }), std::string(kNoException) + ": text");
  EXPECT_EQ(text_of([] { throw std::bad_alloc(); }), "demo: std::bad_alloc");
}

TEST(GuardTest, KeepsAnErrorsCodeAndDetailsAndNamesTheStepOnce) {
  try {
    guarded("demo", "ADD", [] { throw Error(Code::try_again, "demo: busy", "later"); });
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again));
    EXPECT_EQ(error.msg(), "demo: busy");
    EXPECT_EQ(error.details(), "later");
  }
}

TEST(GuardTest, AnErrorHasACodeAndText) {
  EXPECT_EQ(text_of([] { throw Error(0U, "busy"); }), "demo: busy") << "with Code::internal";
  EXPECT_EQ(text_of([] { throw Error(0U, ""); }), "demo: ADD threw an Error without text");
}

}  // namespace
}  // namespace unicni::module::guard_test
