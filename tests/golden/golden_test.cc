#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "golden_case.h"
#include "plugin_run.h"

namespace unicni::golden::golden_test {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size()) {
    text.replace(at, what.size(), with);
  }
  return text;
}

void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << part;
}

// cniVersion, code, msg and, if there are any, details; nothing else (ERR-01).
void expect_error(const std::string& out, const ExpectedError& expected) {
  const Json json = Json::parse(out, nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(out, json.dump(4));
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  std::vector<std::string> shape = {"cniVersion", "code", "msg"};
  if (json.contains("details")) shape.emplace_back("details");
  ASSERT_EQ(keys, shape);
  ASSERT_TRUE(json["cniVersion"].is_string() && json["code"].is_number_unsigned() &&
              json["msg"].is_string());
  EXPECT_NE(json["msg"], "");
  if (expected.code) {
    EXPECT_EQ(json["code"], *expected.code);
  }
  if (expected.version) {
    EXPECT_EQ(json["cniVersion"], *expected.version);
  }
  expect_contains(json["msg"], expected.msg_contains);
  expect_contains(json.value("details", ""), expected.details_contains);
}

class Golden : public testing::TestWithParam<std::filesystem::path> {
 protected:
  static void SetUpTestSuite() {
    const char* stage = ::getenv("UNICNI_STAGE");
    if (stage != nullptr) stage_ = stage;
    problem_ =
        stage_.empty() ? "UNICNI_STAGE must name the prefix of an installed tree" : isolate();
  }

  static std::vector<std::string> environment(const Case& golden) {
    const std::string netns = "/proc/" + std::to_string(::getpid()) + "/ns/net";
    std::vector<std::string> env;
    for (const auto& [key, value] : golden.env) {
      env.push_back(key + '=' + replaced(replaced(value, "${STAGE}", stage_), "${NETNS}", netns));
    }
    return env;
  }

  static std::string stage_;
  static std::string problem_;
};

std::string Golden::stage_;
std::string Golden::problem_;

TEST_P(Golden, Case) {
  ASSERT_EQ(problem_, "");
  const Case golden = read_case(GetParam());
  const std::string program = stage_ + "/libexec/cni/" + golden.as;
  ASSERT_EQ(::access(program.c_str(), X_OK), 0) << program << " is no program; is /run its home?";
  const PluginRun run = run_plugin(program, environment(golden), golden.input);
  SCOPED_TRACE("stdout: " + run.out);
  SCOPED_TRACE("stderr: " + run.err);
  EXPECT_EQ(run.exit_status, golden.exit_status);
  expect_contains(run.err, golden.stderr_contains);
  switch (golden.output) {
    case Output::nothing:
      EXPECT_EQ(run.out, "");
      break;
    case Output::indented:
      EXPECT_EQ(run.out, golden.document.dump(4));
      break;
    case Output::line:
      EXPECT_EQ(run.out, golden.document.dump() + '\n');
      break;
    case Output::error:
      expect_error(run.out, golden.error);
      break;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(list_cases(CASES)), [](const auto& file) {
  std::string name = file.param.stem().string();
  for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
  return name;
});

TEST(GoldenCases, AreWellFormed) {
  const auto files = list_cases(CASES);
  EXPECT_GE(files.size(), 40U);
  for (const auto& file : files) EXPECT_NO_THROW(read_case(file)) << file;
}

}  // namespace
}  // namespace unicni::golden::golden_test
