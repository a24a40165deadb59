// The author's guide, modules/README.md: its blocks of code are a module that builds and does what
// the guide says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "sdk/author.h"

namespace unicni::test::guide_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// The blocks of a language, one after the other.
std::string blocks(const std::string& markdown, const std::string& language) {
  std::string text;
  std::istringstream lines(markdown);
  bool is_inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      is_inside = !is_inside && line == "```" + language;
    } else if (is_inside) {
      text += line + '\n';
    }
  }
  return text;
}

TEST(Guide, HasAtMost200Lines) {
  const std::string guide = read_file(UNICNI_MODULES "/README.md");
  EXPECT_LE(std::count(guide.begin(), guide.end(), '\n'), 200);
}

TEST(Guide, ItsCodeIsAModuleThatWorks) {
  const Sandbox sandbox;
  const std::string guide = read_file(UNICNI_MODULES "/README.md");
  fs::create_directory("/run/guide");
  write_file("/run/guide/CMakeLists.txt", blocks(guide, "cmake"));
  write_file("/run/guide/mtu_cap.cc", blocks(guide, "cpp"));
  Author author;
  author.build("/run/guide",
               {"-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"});
  author.link();

  const Container container("c1");
  container.run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other"});
  const auto mtu = [&] {
    return container.json({"ip", "-j", "link", "show", "eth0"})[0]["mtu"].get<int>();
  };
  const Attachment job = author.attachment(container, R"({"cniVersion": "1.1.0", "name": "net",
      "type": "mtu-cap", "limit": 1300,
      "prevResult": {"cniVersion": "1.1.0", "interfaces": [{"name": "eth0", "mtu": 1500}]}})");
  const Json result = must_add(job);
  EXPECT_EQ(mtu(), 1300);
  EXPECT_EQ(result["interfaces"][0]["mtu"], 1300);
  expect_silent_success(job.check(result));
  container.run({"ip", "link", "set", "eth0", "mtu", "1301"});
  EXPECT_THAT(expect_error(job.check(result))["msg"].get<std::string>(),
              HasSubstr("MTU of eth0 is 1301, above the limit of 1300"));
  expect_silent_success(job.del(result));
  EXPECT_EQ(mtu(), 1500) << "what was announced is taken back";

  Attachment wrong = job;
  wrong.config["limit"] = 10;
  EXPECT_THAT(expect_error(wrong.add(), 7)["msg"].get<std::string>(), HasSubstr("limit"));
}

}  // namespace
}  // namespace unicni::test::guide_test
