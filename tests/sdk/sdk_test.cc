// A module that another project builds against the installed package.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "sdk/author.h"
#include "support/sample.h"

namespace unicni::test::sdk_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kGreeter = UNICNI_SDK "/greeter";
constexpr const char* kConfig = R"({"cniVersion": "1.0.0", "name": "net", "type": "greeter",
    "domain": "hello.example",
    "prevResult": {"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.3/24"}]}})";

class SdkTest : public ::testing::Test {
 protected:
  /// It loads, does its work, and its exceptions pass through its own clean-ups and ours.
  void expect_works() {
    author_.link();
    const Container container("c1");
    const Attachment job = author_.attachment(container, kConfig);
    const Json result = must_add(job);
    EXPECT_EQ(result["dns"]["search"], Json::array({"hello.example"}));
    expect_silent_success(job.check(result));
    Json changed = result;
    changed["dns"]["search"] = Json::array();
    EXPECT_THAT(expect_error(job.check(changed))["msg"].get<std::string>(),
                HasSubstr("search domain hello.example is gone"));
    expect_silent_success(job.del(result));
  }

  Sandbox sandbox_;
  Author author_;
};

TEST_F(SdkTest, AModuleOfAnotherProjectServesAllVerbsByItsLink) {
  author_.build(kGreeter);
  expect_works();
  const Output about = run({.argv = {author_.bin() + "/greeter"}});
  EXPECT_THAT(about.err, HasSubstr("1.2")) << "the module's own version";
  EXPECT_THAT(
      run({.argv = {author_.bin() + "/greeter"}, .env = {"CNI_COMMAND=VERSION"}}).json().dump(),
      HasSubstr("1.1.0"));
}

TEST_F(SdkTest, AModuleOfAnotherProjectIsAMemberOfAList) {
  author_.build(kGreeter);
  author_.link();
  const Container container("c1");
  const Attachment job = author_.attachment(
      container, R"({"cniVersion": "1.0.0", "name": "net", "type": "unicni", "plugins": [
          {"type": "bridge", "bridge": "br-author",
           "ipam": {"type": "host-local", "subnet": "10.91.0.0/24"}},
          {"type": "greeter", "domain": "hello.example"}]})");
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.91.0.2/24");
  EXPECT_EQ(result["dns"]["search"], Json::array({"hello.example"}));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_FALSE(container.succeeds({"ip", "link", "show", "eth0"}));
}

/// How an author may build: a compiler, and what else he says to CMake.
struct Way {
  std::string name;
  std::string compiler;
  std::vector<std::string> options;
};

/// "": there is none.
std::string clang() {
  for (const char* name : {"clang++-14", "clang++-19", "clang++"}) {
    if (fs::exists(std::string("/usr/bin/") + name)) return name;
  }
  return {};
}

std::vector<Way> ways() {
  const std::string lto = "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=ON";
  if (!is_full()) {
    std::vector<Way> few = {{"GccWithLto", "g++", {"-DCMAKE_BUILD_TYPE=Release", lto}}};
    if (!clang().empty()) few.push_back({"Clang", clang(), {"-DCMAKE_BUILD_TYPE=Debug"}});
    return few;
  }
  std::vector<Way> all;
  for (const std::string& compiler : {std::string("g++"), clang()}) {
    if (compiler.empty()) continue;
    for (const std::string type : {"Debug", "Release", "RelWithDebInfo", "Unoptimised"}) {
      const std::string set =
          type == "Unoptimised" ? "-DCMAKE_CXX_FLAGS=-O0" : "-DCMAKE_BUILD_TYPE=" + type;
      const std::string name = (compiler == "g++" ? "Gcc" : "Clang") + type;
      all.push_back({name, compiler, {set}});
      all.push_back({name + "WithLto", compiler, {set, lto}});
    }
  }
  return all;
}

class BuildTest : public SdkTest, public ::testing::WithParamInterface<Way> {};

TEST_P(BuildTest, CompilerAndBuildTypeAreTheAuthors) {
  const Way& way = GetParam();
  std::vector<std::string> options = way.options;
  options.push_back("-DCMAKE_CXX_COMPILER=" + way.compiler);
  author_.build(kGreeter, options);
  expect_works();
}

INSTANTIATE_TEST_SUITE_P(Way, BuildTest, ::testing::ValuesIn(ways()),
                         [](const auto& way) { return way.param.name; });

TEST_F(SdkTest, ItsProfileIsInstalledForTheConformanceSuite) {
  author_.build(kGreeter);
  EXPECT_TRUE(exists(author_.profile("greeter")));
  const Output output =
      unictl({"conformance", author_.module("greeter"), "--profile",
              UNICNI_SDK "/greeter/conformance.json", "--id", "ADD-04,DEL-02,CHK-02"});
  EXPECT_EQ(output.status, 1) << "it hands on more than it was given: " << output.str();
  EXPECT_THAT(output.out, HasSubstr("ADD-04"));
}

}  // namespace
}  // namespace unicni::test::sdk_test
