#include "unicni/args_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/error_for_test.h"

namespace unicni::args_template_test {
namespace {

TEST(ArgsTemplate, NamesAreReplacedByTheLastValueOfTheirs) {
  const std::vector<std::pair<std::string, std::string>> args{{"A", "old"}, {"B", "b"}, {"A", "a"}};
  EXPECT_EQ(expand_template("key", "${A}/x-${B}", args), "a/x-b");
  EXPECT_EQ(expand_template("key", "", args), "");
  EXPECT_EQ(count_places("key", "${A}/x-${B}"), 2);
  EXPECT_EQ(count_places("key", "fixed"), 0);
}

TEST(ArgsTemplate, ErrorsNameOptionTextAndPart) {
  const std::vector<std::pair<std::string, std::string>> args{{"EMPTY", ""}};
  for (const auto& [text, part] :
       std::map<std::string, std::string>{{"${B}", "CNI_ARGS has no B"},
                                          {"${EMPTY}", "CNI_ARGS has no EMPTY"},
                                          {"${A", "'${A' begins no ${NAME}"},
                                          {"${A B}", "'A B' is no name"}}) {
    const std::string wrong = text;
    EXPECT_THAT(refusal_of([&] { expand_template("key", wrong, args); }),
                ::testing::StartsWith("\"key\" is '" + wrong + "': " + part));
  }
}

}  // namespace
}  // namespace unicni::args_template_test
