#include "sticky.h"

#include <map>

#include "fixture_for_test.h"

namespace unicni::host_local::sticky_test {
namespace {

using Args = std::vector<std::pair<std::string, std::string>>;

TEST(Sticky, NamesAreReplaced) {
  const Args args = {
      {"K8S_POD_NAMESPACE", "shop"}, {"K8S_POD_NAME", "old"}, {"K8S_POD_NAME", "db-0"}};
  EXPECT_EQ(sticky_key("${K8S_POD_NAMESPACE}/${K8S_POD_NAME}", args), "shop/db-0");
  EXPECT_EQ(sticky_key("x-${K8S_POD_NAME}-y", args), "x-db-0-y");
  EXPECT_EQ(sticky_key("", args), "");
}

TEST(Sticky, ErrorsNameTemplateAndPart) {
  const Args args = {{"A", "1"}, {"EMPTY", ""}};
  for (const auto& [shown, part] :
       std::map<std::string, std::string>{{"${B}", "CNI_ARGS has no B"},
                                          {"${EMPTY}", "CNI_ARGS has no EMPTY"},
                                          {"${A", "'${A' begins no ${NAME}"},
                                          {"a$A", "'$A' begins no ${NAME}"},
                                          {"${}", "'' is no name"},
                                          {"${A B}", "'A B' is no name"}}) {
    const std::string text = shown;
    const Error error = error_of([&] { sticky_key(text, args); });
    EXPECT_TRUE(error.is(Code::invalid_config)) << text;
    EXPECT_NE(error.msg().find("\"sticky\" is '" + text + "'"), std::string::npos) << error.msg();
    EXPECT_NE(error.msg().find(part), std::string::npos) << error.msg();
  }
}

TEST(Sticky, TemplateIsCheckedWithoutArguments) {
  require_valid_template("");
  require_valid_template("${A}");
  EXPECT_TRUE(error_of([] { require_valid_template("${A"); }).is(Code::invalid_config));
  EXPECT_TRUE(error_of([] { require_valid_template("fixed"); }).is(Code::invalid_config));
}

}  // namespace
}  // namespace unicni::host_local::sticky_test
