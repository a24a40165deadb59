// A module that another project builds against the installed package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "support/attachment.h"
#include "support/sandbox.h"

namespace unicni::test::sdk_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// The author's prefix, with an executable beside the module as `cmake --install` of unicni puts
/// it.
class SdkTest : public ::testing::Test {
 protected:
  static constexpr const char* kPrefix = "/run/author";
  static std::string bin() { return std::string(kPrefix) + "/libexec/cni"; }

  /// Configure, build, install; `options` go to the first.
  static void build(std::vector<std::string> options = {}) {
    std::vector<std::string> configure = {"cmake", "-S",         UNICNI_SDK "/greeter",
                                          "-B",    "/run/build", "-DCMAKE_PREFIX_PATH=" + stage()};
    configure.insert(configure.end(), options.begin(), options.end());
    tool(configure);
    tool({"cmake", "--build", "/run/build"});
    tool({"cmake", "--install", "/run/build", "--prefix", kPrefix});
    fs::create_directories(bin());
    fs::copy_file(bin_dir() + "/unicni", bin() + "/unicni");
    fs::create_symlink("unicni", bin() + "/greeter");
  }
  static Attachment attachment(const Container& container) {
    return {.config = Json::parse(R"({"cniVersion": "1.0.0", "name": "net", "type": "greeter",
                "domain": "hello.example",
                "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.3/24"}]}})"),
            .netns = container.path(),
            .folder = bin(),
            .cni_path = bin()};
  }

  Sandbox sandbox_;
};

TEST_F(SdkTest, AModuleOfAnotherProjectServesAllVerbsByItsLink) {
  build();
  const Container container("c1");
  const Attachment job = attachment(container);
  const Output about = run({.argv = {bin() + "/greeter"}});
  EXPECT_THAT(about.err, HasSubstr("1.2")) << "the module's own version";
  EXPECT_TRUE(run({.argv = {bin() + "/greeter"}, .env = {"CNI_COMMAND=VERSION"}}).ok());
  const Json result = must_add(job);
  EXPECT_EQ(result["dns"]["search"], Json::array({"hello.example"}));
  expect_silent_success(job.check(result));
  Json changed = result;
  changed["dns"]["search"] = Json::array();
  EXPECT_THAT(expect_error(job.check(changed))["msg"].get<std::string>(), HasSubstr("is gone"));
  expect_silent_success(job.del(result));
}

TEST_F(SdkTest, TheBuildTypeIsTheAuthors) {
  build({"-DCMAKE_BUILD_TYPE=Release"});
  const Container container("c1");
  EXPECT_EQ(must_add(attachment(container))["dns"]["search"], Json::array({"hello.example"}));
}

TEST_F(SdkTest, ItsProfileIsInstalledForTheConformanceSuite) {
  build();
  EXPECT_TRUE(exists(std::string(kPrefix) + "/share/unicni/conformance/greeter.json"));
  const Output output =
      run({.argv = {stage() + "/bin/unictl", "conformance",
                    std::string(kPrefix) + "/lib/unicni/modules/greeter.so", "--profile",
                    UNICNI_SDK "/greeter/conformance.json", "--id", "ADD-04,DEL-02,CHK-02"},
           .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}});
  EXPECT_EQ(output.status, 1) << "it hands on more than it was given: " << output.str();
  EXPECT_THAT(output.out, HasSubstr("ADD-04"));
}

}  // namespace
}  // namespace unicni::test::sdk_test
