// Modules that are refused: which of the three kinds of error, and that the text names path, found
// and expected.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/error_for_test.h"
#include "module/loader.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::refusal_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RefusalTest : public testing::Test {
 protected:
  Error refusal(const std::string& name) {
    const Error error =
        error_of([&] { (void)load(name, prefix_.module(name), prefix_.executable()); });
    EXPECT_THAT(error.msg(), HasSubstr(prefix_.module(name)));
    EXPECT_FALSE(error.details().empty());
    return error;
  }
  std::string unusable(const std::string& name) {
    return "module " + prefix_.module(name) + " is unusable: ";
  }
  std::string mismatch(const std::string& name) {
    return "module " + prefix_.module(name) + " has another ABI: ";
  }

  scratch::Prefix prefix_;
};

TEST_F(RefusalTest, Absent) {
  const auto error = refusal("fixture-absent");
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_EQ(error.msg(), "module " + prefix_.module("fixture-absent") + " is absent: no such file");
}

TEST_F(RefusalTest, ANameThatIsNoModuleName) {
  EXPECT_THROW((void)load("../evil", "/etc/evil.so", prefix_.executable()), Error);
}

TEST_F(RefusalTest, ARelativePath) {
  EXPECT_THROW((void)load("fixture-good", "fixture-good.so", prefix_.executable()), Error);
}

TEST_F(RefusalTest, NotElf) {
  prefix_.write(prefix_.module("fixture-text"), "#!/bin/sh\nexit 0\n" + std::string(200, '#'));
  EXPECT_EQ(refusal("fixture-text").msg(), unusable("fixture-text") + "it is not an ELF file");
}

TEST_F(RefusalTest, Empty) {
  prefix_.write(prefix_.module("fixture-empty"), "");
  EXPECT_EQ(refusal("fixture-empty").msg(), unusable("fixture-empty") + "it is not an ELF file");
}

TEST_F(RefusalTest, AFolder) {
  ASSERT_EQ(::mkdir(prefix_.module("fixture-folder").c_str(), 0755), 0);
  EXPECT_EQ(refusal("fixture-folder").msg(),
            unusable("fixture-folder") + "it is not a regular file");
}

TEST_F(RefusalTest, ALibraryWithoutNote) {
  (void)prefix_.add_fixture("fixture-no-note");
  EXPECT_EQ(refusal("fixture-no-note").msg(),
            unusable("fixture-no-note") + "it has no unicni note, so it is no unicni module");
}

TEST_F(RefusalTest, NoSymbol) {
  (void)prefix_.add_fixture("fixture-no-symbol");
  const auto error = refusal("fixture-no-symbol");
  EXPECT_THAT(error.msg(), StartsWith(unusable("fixture-no-symbol")));
  EXPECT_THAT(error.msg(), HasSubstr("undefined symbol: unicni_module_fixture_no_symbol"));
}

TEST_F(RefusalTest, UnusableKeepsDlerrorsOwnText) {
  const auto path = prefix_.add_fixture("fixture-undefined-symbol");
  ASSERT_EQ(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), nullptr);
  const std::string own = ::dlerror();
  EXPECT_EQ(refusal("fixture-undefined-symbol").msg(), unusable("fixture-undefined-symbol") + own);
  EXPECT_THAT(own, HasSubstr("unicni_of_the_future"));
}

TEST_F(RefusalTest, WrongAbi) {
  (void)prefix_.add_fixture("fixture-wrong-abi");
  const auto error = refusal("fixture-wrong-abi");
  EXPECT_EQ(error.msg(), mismatch("fixture-wrong-abi") +
                             "it is built for module interface 4711, this unicni takes " +
                             std::to_string(UNICNI_ABI));
  EXPECT_THAT(error.details(), StartsWith("rebuild the module"));
}

TEST_F(RefusalTest, Interface1) {
  (void)prefix_.add_fixture("fixture-abi-one");
  const auto error = refusal("fixture-abi-one");
  EXPECT_EQ(error.msg(), mismatch("fixture-abi-one") +
                             "it is built for module interface 1, this unicni takes 2");
  EXPECT_THAT(error.details(), StartsWith("rebuild the module (version 0.1.0) with the headers"));
}

TEST_F(RefusalTest, AnInterfaceOfTheFuture) {
  (void)prefix_.add_fixture("fixture-future");
  EXPECT_EQ(refusal("fixture-future").msg(),
            mismatch("fixture-future") + "it is built for module interface 3, this unicni takes 2");
}

TEST_F(RefusalTest, WrongToolchain) {
  (void)prefix_.add_fixture("fixture-wrong-toolchain");
  EXPECT_EQ(refusal("fixture-wrong-toolchain").msg(),
            mismatch("fixture-wrong-toolchain") +
                "its toolchain is \"cxxabi9999:glibcxx-cxx11=0:libstdc++=own\", this unicni takes "
                "\"" UNICNI_TOOLCHAIN "\"");
}

TEST_F(RefusalTest, ADescriptorThatBeliesTheNote) {
  (void)prefix_.add_fixture("fixture-lying-note");
  EXPECT_THAT(refusal("fixture-lying-note").msg(),
              StartsWith(mismatch("fixture-lying-note") + "it is built for module interface 4711"));
}

TEST_F(RefusalTest, ARenamedModule) {
  (void)prefix_.add_fixture("fixture-other-name");
  EXPECT_THAT(
      refusal("fixture-other-name").msg(),
      HasSubstr("its name is \"fixture-original\" inside, \"fixture-other-name\" is expected"));
}

TEST_F(RefusalTest, ItsOwnLibstdcxx) {
  const auto path = prefix_.add_fixture("fixture-own-libstdcxx");
  if constexpr (std::string_view(UNICNI_LIBSTDCXX) == "host") {
    EXPECT_EQ(refusal("fixture-own-libstdcxx").msg(),
              unusable("fixture-own-libstdcxx") + "it brings its own C++ library, libstdc++.so.6");
  } else {  // shared by all, as in sanitizer builds
    EXPECT_NO_THROW((void)load("fixture-own-libstdcxx", path, prefix_.executable()));
  }
}

TEST_F(RefusalTest, TheThreeKindsDiffer) {
  (void)prefix_.add_fixture("fixture-no-note");
  (void)prefix_.add_fixture("fixture-wrong-abi");
  EXPECT_THAT(refusal("fixture-absent").msg(), Not(HasSubstr("unusable")));
  EXPECT_THAT(refusal("fixture-no-note").msg(), Not(HasSubstr("ABI")));
  EXPECT_THAT(refusal("fixture-wrong-abi").msg(), Not(HasSubstr("unusable")));
}

}  // namespace
}  // namespace unicni::module::refusal_test
