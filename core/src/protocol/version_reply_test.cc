#include "protocol/version_reply.h"

#include <gmock/gmock.h>

#include "protocol/reply.h"
#include "protocol/version.h"

namespace unicni::protocol::version_reply_test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(VersionReply, ListsTheVersions) {
  EXPECT_THAT(parse_version_reply(R"({"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0"]})"),
              ElementsAre("0.4.0", "1.0"));
}

TEST(VersionReply, OfOursIsRead) {
  EXPECT_THAT(parse_version_reply(print_version(make_version_request())),
              SizeIs(kSpecVersions.size()));
}

TEST(VersionReply, Of0_2_0NeedsNoList) {  // VERN-06
  for (const char* out :
       {R"({"cniVersion":"0.2.0"})", R"({"cniVersion":"0.2.0","supportedVersions":[]})",
        R"({"cniVersion":"0.2.0","supportedVersions":null})"}) {
    EXPECT_THAT(parse_version_reply(out), ElementsAre("0.1.0", "0.2.0")) << out;
  }
}

TEST(VersionReply, ThatIsNoneIsRefused) {  // VERN-06
  for (const char* out : {"", "x", "[]", "{}", R"({"cniVersion":""})", R"({"cniVersion":1})",
                          R"({"cniVersion":"1.0.0"})", R"({"supportedVersions":["1.0.0"]})",
                          R"({"cniVersion":"1.0.0","supportedVersions":"1.0.0"})",
                          R"({"cniVersion":"1.0.0","supportedVersions":["1.0.0",1]})"}) {
    try {
      parse_version_reply(out);
      FAIL() << out;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::decode)) << out;
    }
  }
}

TEST(VersionReply, APluginFromBeforeTheVerbIsOf0_1_0) {  // VERN-06
  EXPECT_THAT(versions_behind(Error(0U, "unknown CNI_COMMAND: VERSION")), ElementsAre("0.1.0"));
  EXPECT_THAT(versions_behind(parse_error(R"({"code":4,"msg":"unknown CNI_COMMAND: VERSION"})", "",
                                          {"exit status 1"})),
              ElementsAre("0.1.0"));
  EXPECT_THROW(versions_behind(Error(4U, "unknown CNI_COMMAND: VERSION", "but more")), Error);
  EXPECT_THROW(versions_behind(Error(999U, "no")), Error);
}

}  // namespace
}  // namespace unicni::protocol::version_reply_test
