// The conformance suite as GoogleTest: a test for each module and each check that is about it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

#include "conformance/suite.h"

namespace unicni::conformance {
namespace {

/// Of an emulated machine that others load as well (tests/second-kernel).
constexpr Limits kPatient{.call = std::chrono::seconds(20), .check = std::chrono::seconds(110)};

class CheckTest : public ::testing::Test {
 public:
  CheckTest(Subject subject, const Check& check) : subject_(std::move(subject)), check_(check) {}

 private:
  void TestBody() override {
    const Verdict verdict = run_check(check_, subject_, kPatient);
    for (const Finding& finding : verdict.findings) {
      ADD_FAILURE() << finding.id << ": " << finding.text;
    }
    EXPECT_NE(verdict.outcome, Outcome::blocked) << verdict.why;
  }

  Subject subject_;
  Check check_;
};

std::string bin_dir() {
  const char* stage = std::getenv("UNICNI_STAGE");
  if (stage == nullptr) throw std::runtime_error("UNICNI_STAGE is not set (tools/test sets it)");
  return std::string(stage) + "/libexec/cni/";
}

Subject subject_of(const std::string& module) {
  const std::string folder = module == "unicni" ? "exec" : "modules/" + module;
  std::ifstream file(std::string(UNICNI_SOURCE_DIR) + '/' + folder + "/conformance.json");
  return {bin_dir() + module, profile_from(Json::parse(file))};
}

void register_tests() {
  std::istringstream modules(UNICNI_CONFORMING);
  for (std::string module; std::getline(modules, module, ',');) {
    const Subject subject = subject_of(module);
    std::string suite = module;
    std::replace(suite.begin(), suite.end(), '-', '_');
    for (const Check& check : all_checks()) {
      if (!applies(check, subject)) continue;
      ::testing::RegisterTest(suite.c_str(), name_of(check).c_str(), nullptr, nullptr, __FILE__,
                              __LINE__, [=] { return new CheckTest(subject, check); });
    }
  }
}

}  // namespace
}  // namespace unicni::conformance

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  unicni::conformance::register_tests();
  return RUN_ALL_TESTS();
}
