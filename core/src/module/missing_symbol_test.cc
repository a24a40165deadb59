// What is said of a module that dlopen refuses.
#include "module/missing_symbol.h"

#include <gmock/gmock.h>

#include <cstring>

namespace unicni::module::missing_symbol_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Error refusal(const std::string& symbol, const std::string& built_for = UNICNI_VERSION) {
  ModuleNote note{};
  built_for.copy(note.built_for, sizeof note.built_for - 1);
  return cannot_open("/m.so", "/m.so: undefined symbol: " + symbol, note);
}
std::string advice(const std::string& symbol, const std::string& built_for = UNICNI_VERSION) {
  return refusal(symbol, built_for).details();
}

constexpr auto kMethod = "_ZN6unicni4Host6futureERKNS_4CallE";

TEST(MissingSymbolTest, TheTextIsTheLoadersAndTheNameIsTold) {
  const auto error = refusal(kMethod);
  EXPECT_TRUE(error.is(Code::internal));
  EXPECT_EQ(error.msg(),
            std::string("module /m.so is unusable: /m.so: undefined symbol: ") + kMethod);
  EXPECT_THAT(error.details(),
              StartsWith("nobody has unicni::Host::future(unicni::Call const&), which the module "
                         "needs; "));
}

TEST(MissingSymbolTest, WhichSideIsTooOldIsTold) {
  EXPECT_THAT(advice(kMethod, "99.0.1"),
              HasSubstr("this unicni " UNICNI_VERSION " is too old for the module, which was built "
                        "for 99.0.1: install unicni 99.0.1"));
  EXPECT_THAT(advice(kMethod, "0.0.9"),
              HasSubstr("the module, which was built for unicni 0.0.9, is too old for this"));
  EXPECT_THAT(advice(kMethod, "0.0.10"), HasSubstr("is too old for this " UNICNI_VERSION));
  EXPECT_THAT(advice(kMethod), HasSubstr("build both from one source"));
  EXPECT_THAT(advice("_ZTVN6unicni10FutureKindE", "99.0"),
              StartsWith("nobody has vtable for unicni::FutureKind, which the module needs; this "
                         "unicni " UNICNI_VERSION " is too old"));
}

TEST(MissingSymbolTest, OthersNamesAreTheirs) {
  EXPECT_THAT(advice("_ZNSt6future3getEv", "99.0"), HasSubstr("older C++ library"));
  EXPECT_THAT(advice("_ZTINSt3fooE"), HasSubstr("older C++ library"));
  EXPECT_THAT(advice("_ZN3fmt2v96vprintEv"), HasSubstr("fmt::format()"));
  EXPECT_THAT(advice("__asan_init"), HasSubstr("sanitizer"));
  EXPECT_THAT(advice("__ubsan_handle_add_overflow"), HasSubstr("sanitizer"));
  // Not unicni's because it takes a type of unicni's.
  EXPECT_EQ(advice("_ZN4acme4workERKN6unicni4CallE"),
            "nobody has acme::work(unicni::Call const&), which the module needs; link the module "
            "with the library that has it");
  EXPECT_EQ(advice("yaml_parser_parse, version YAML_1"),
            "nobody has yaml_parser_parse, which the module needs; link the module with the "
            "library that has it");
}

TEST(MissingSymbolTest, WhatIsNoSymbolIsLeftAsItIs) {
  const auto error = cannot_open("/m.so", "libtins.so.4: cannot open shared object file", {});
  EXPECT_EQ(error.msg(), "module /m.so is unusable: libtins.so.4: cannot open shared object file");
  EXPECT_EQ(error.details(), "install the module again, and the libraries that it needs");
}

}  // namespace
}  // namespace unicni::module::missing_symbol_test
