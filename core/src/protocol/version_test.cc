#include "protocol/version.h"

#include <gtest/gtest.h>

namespace unicni::protocol::version_test {
namespace {

TEST(Version, KnownTextsOnly) {  // VERN-07
  for (const std::string_view text : kSpecVersions) {
    ASSERT_TRUE(find_version(text)) << text;
    EXPECT_EQ(version_text(*find_version(text)), text);
  }
  for (const char* text : {"", "1.0", "1", "1.1.0 ", "v1.0.0", "1.2.0", "01.0.0", "1.0.0.0"}) {
    EXPECT_FALSE(find_version(text)) << text;
  }
}

TEST(Version, ListOfAll) {
  EXPECT_EQ(list_versions(", "), "0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0");
}

TEST(Version, Families) {
  constexpr ResultFamily expected[] = {ResultFamily::ip4_ip6,       ResultFamily::ip4_ip6,
                                       ResultFamily::versioned_ips, ResultFamily::versioned_ips,
                                       ResultFamily::versioned_ips, ResultFamily::plain_ips,
                                       ResultFamily::plain_ips};
  for (std::size_t i = 0; i < kSpecVersions.size(); ++i) {
    EXPECT_EQ(result_family(static_cast<SpecVersion>(i)), expected[i]) << kSpecVersions[i];
  }
}

TEST(Version, Parts) {
  struct {
    const char* text;
    std::optional<VersionParts> parts;
  } const cases[] = {
      {"1", VersionParts{1, 0, 0}},
      {"1.0", VersionParts{1, 0, 0}},
      {"0.3.1", VersionParts{0, 3, 1}},
      {"01.002.0", VersionParts{1, 2, 0}},
      {"10.20.30", VersionParts{10, 20, 30}},
      {"", {}},
      {"1.", {}},
      {".1", {}},
      {"1..0", {}},
      {"1.2.3.4", {}},
      {"v1.0.0", {}},
      {"1.0.0-rc1", {}},
      {" 1.0", {}},
      {"1.0 ", {}},
      {"+1.0.0", {}},
      {"0.-42.0", {}},
      {"1.x", {}},
      {"99999999999999999999", {}},
  };
  for (const auto& test : cases) EXPECT_EQ(version_parts(test.text), test.parts) << test.text;
}

TEST(Version, GatesCompareNumbers) {
  EXPECT_EQ(at_least("0.3.1", SpecVersion::v0_4_0), false);
  EXPECT_EQ(at_least("0.4.0", SpecVersion::v0_4_0), true);
  EXPECT_EQ(at_least("0.10.0", SpecVersion::v0_4_0), true);
  EXPECT_EQ(at_least("1.0", SpecVersion::v1_0_0), true);
  EXPECT_EQ(at_least("9.9.9", SpecVersion::v1_1_0), true);
  EXPECT_EQ(at_least("one", SpecVersion::v1_1_0), std::nullopt);
}

}  // namespace
}  // namespace unicni::protocol::version_test
