// Modules that bring a C++ library by another one: refused before dlopen, with the way to it.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/error_for_test.h"
#include "module/loader.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::brings_test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class BringsTest : public testing::Test {
 protected:
  Error refusal(const std::string& name) {
    return error_of([&] { (void)load(name, prefix_.add_fixture(name), prefix_.executable()); });
  }
  std::string unusable(const std::string& name) {
    return "module " + prefix_.module(name) + " is unusable: ";
  }
  void add_library(const std::string& name, const std::string& folder = "") {
    std::filesystem::create_directories(prefix_.modules() + '/' + folder);
    prefix_.copy(std::string(FIXTURES) + '/' + name, prefix_.modules() + '/' + folder + '/' + name);
  }

  scratch::Prefix prefix_;
};

TEST_F(BringsTest, ALibstdcxxOfALibraryBesideIt) {
  add_library("libbrings-libstdcxx.so");
  const auto error = refusal("fixture-brings");
  EXPECT_EQ(error.msg(), unusable("fixture-brings") +
                             "it brings its own C++ library, libstdc++.so.6: fixture-brings.so "
                             "needs libbrings-libstdcxx.so, which needs libstdc++.so.6");
  EXPECT_THAT(error.details(), HasSubstr("link the module without one"));
}

// The library in the middle has no folders of its own: those of the module's DT_RPATH are asked.
TEST_F(BringsTest, ALibstdcxxBehindTwoLibraries) {
  add_library("libbrings-another.so", "libraries");
  add_library("libbrings-libstdcxx.so", "libraries");
  EXPECT_THAT(refusal("fixture-brings-far").msg(),
              HasSubstr("fixture-brings-far.so needs libbrings-another.so, which needs "
                        "libbrings-libstdcxx.so, which needs libstdc++.so.6"));
}

TEST_F(BringsTest, ALibstdcxxOfALibraryThatIsInstalled) {
  EXPECT_THAT(
      refusal("fixture-brings-installed").msg(),
      ContainsRegex("fixture-brings-installed.so needs libfmt.so.[0-9]+, which needs libstdc"));
}

// What the working folder holds under that path would run as root; there is none in this test's.
TEST_F(BringsTest, ALibraryByARelativePath) {
  const auto error = refusal("fixture-brings-by-relative");
  EXPECT_EQ(
      error.msg(),
      unusable("fixture-brings-by-relative") +
          "it needs relative/libbrings-relative.so by a relative path, which the loader would "
          "look for in the working folder");
  EXPECT_THAT(error.details(), HasSubstr("-soname"));
}

TEST_F(BringsTest, ALibstdcxxOfALibraryByAPathFromTheModule) {
  add_library("libbrings-origin.so");
  EXPECT_THAT(refusal("fixture-brings-by-origin").msg(),
              HasSubstr("fixture-brings-by-origin.so needs " + prefix_.modules() +
                        "/libbrings-origin.so, which needs libstdc++.so.6"));
}

TEST_F(BringsTest, ALibraryThatIsNowhere) {
  EXPECT_EQ(
      refusal("fixture-brings-lost").msg(),
      unusable("fixture-brings-lost") +
          "libbrings-libstdcxx.so: cannot open shared object file: No such file or directory");
}

}  // namespace
}  // namespace unicni::module::brings_test
