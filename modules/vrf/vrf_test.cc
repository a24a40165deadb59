#include <gmock/gmock.h>

#include "config.h"
#include "unicni/error.h"

namespace unicni::vrf::vrf_test {
namespace {

using testing::HasSubstr;

TEST(VrfOptionsTest, NameMustBeALinks) {
  for (const char* name : {"", ".", "a/b", "sixteen-letters-", "a b"}) {
    VrfOptions options;
    options.name = name;
    try {
      validate(options);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_THAT(error.msg(), HasSubstr("vrfname"));
    }
  }
  VrfOptions options;
  options.name = "blue";
  EXPECT_NO_THROW(validate(options));
}

TEST(FreeTable, IsTheLeastThatNobodyUses) {
  EXPECT_EQ(free_table({}), 1U);
  EXPECT_EQ(free_table({1, 2, 4}), 3U);
  std::set<std::uint32_t> many;
  for (std::uint32_t table = 1; table < 253; ++table) many.insert(table);
  EXPECT_EQ(free_table(many), 256U) << "253 to 255 are the kernel's";
}

}  // namespace
}  // namespace unicni::vrf::vrf_test
