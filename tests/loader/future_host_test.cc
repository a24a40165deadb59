// A host of the interface after this one (CMakeLists.txt makes its unicni/module.h): it takes the
// numbers 2 and 3, and what it calls of a module is what the module's number has.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/error_for_test.h"
#include "module/loader.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::future_host_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

static_assert(UNICNI_ABI == 3, "this is to be the host of tomorrow");

constexpr unsigned kBoth[] = {2, 3};
constexpr unsigned kNewest[] = {3};

class FutureHostTest : public testing::Test {
 protected:
  LoadedModule load_fixture(const std::string& name, Abis accepted = kBoth) {
    return load(name, prefix_.add_fixture(name), prefix_.executable(), accepted);
  }
  /// A method that Module has since the number 3.
  static int of_the_future(LoadedModule& module) {
    Call call;
    call.key.if_name = "eth0";
    return module.call(3, "future", [&](Module& instance) { return instance.of_the_future(call); });
  }

  scratch::Prefix prefix_;
};

TEST_F(FutureHostTest, AModuleOfInterface2Serves) {
  auto module = load_fixture("fixture-good");
  EXPECT_EQ(module.descriptor().abi, 2U);
  EXPECT_LT(module.descriptor().size, sizeof(ModuleDescriptor));
  EXPECT_TRUE(module.knows(2));
  EXPECT_FALSE(module.knows(3));
  EXPECT_TRUE(module.has_capability("ips"));
  EXPECT_NO_THROW(module.validate(Call()));
}

TEST_F(FutureHostTest, WhatAModulesNumberLacksIsNotCalled) {
  auto module = load_fixture("fixture-good");
  EXPECT_EQ(error_of([&] { of_the_future(module); }).msg(),
            "fixture-good: the module is built for module interface 2, which has no future");
}

TEST_F(FutureHostTest, WhatAModulesNumberHasIsCalled) {
  auto module = load_fixture("fixture-future");
  EXPECT_EQ(module.descriptor().abi, 3U);
  EXPECT_EQ(of_the_future(module), 4);
}

// Their methods are called by core at the places where a module of interface 2 has them.
TEST_F(FutureHostTest, TheSkeletonsOfInterface2Serve) {
  for (const auto* name : {"fixture-on-link", "fixture-on-chained"}) {
    auto module = load_fixture(name);
    Call call;
    call.prev_result.emplace();
    EXPECT_EQ(error_of([&] { module.validate(call); }).msg(),
              std::string(name) + ": validate_options() was called");
  }
}

TEST_F(FutureHostTest, AHostMayDropInterface2) {
  EXPECT_THAT(error_of([&] { load_fixture("fixture-good", kNewest); }).msg(),
              HasSubstr("it is built for module interface 2, this unicni takes 3"));
}

TEST_F(FutureHostTest, ANumberThatIsNoneOfBothIsRefused) {
  EXPECT_THAT(error_of([&] { load_fixture("fixture-wrong-abi"); }).msg(),
              HasSubstr("it is built for module interface 4711, this unicni takes 2, 3"));
}

// As during an upgrade: the old executable's modules are there, the new one's come beside them.
TEST_F(FutureHostTest, TakesTheFileOfItsOwnNumberAndElseTheOneWhoseNoteFits) {
  const auto serving = [&] {
    const Found found = get_named("fixture-both", {prefix_.executable(), {prefix_.modules()}, {}});
    return load(found.module, found.module_path, prefix_.executable(), kBoth).descriptor().abi;
  };
  (void)prefix_.add_fixture("fixture-both.abi2");
  EXPECT_THAT(error_of([&] { serving(); }).msg(), HasSubstr("absent"))
      << "it is for executables of 2 alone";
  fs::rename(prefix_.module("fixture-both.abi2"), prefix_.module("fixture-both"));
  EXPECT_EQ(serving(), 2U);
  (void)prefix_.add_fixture("fixture-both.abi3");
  EXPECT_EQ(serving(), 3U);
}

}  // namespace
}  // namespace unicni::module::future_host_test
