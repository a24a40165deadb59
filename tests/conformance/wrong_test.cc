// The suite finds what is wrong with a plugin, by the requirement that it violates and no other.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "conformance/private_host.h"
#include "conformance/suite.h"
#include "probe/process.h"
#include "support/sample.h"

namespace unicni::conformance::wrong_test {
namespace {

namespace fs = std::filesystem;

/// A folder with a wrong plugin and the stage's real ones.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/unicni-wrong.XXXXXX";
    path_ = ::mkdtemp(name);
    const char* stage = std::getenv("UNICNI_STAGE");
    if (stage == nullptr) throw std::runtime_error("UNICNI_STAGE is not set (tools/test sets it)");
    fs::create_directory_symlink(std::string(stage) + "/libexec/cni", path_ / "real");
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Subject wrong(const std::string& plugin, const std::string& flaw) const {
    const std::string path = path_ / (plugin + '+' + flaw);
    fs::copy_file(UNICNI_WRONG_PLUGIN, path);
    std::ifstream profile(UNICNI_SOURCE_DIR "/modules/" + plugin + "/conformance.json");
    return {path, profile_from(Json::parse(profile))};
  }

 private:
  fs::path path_;
};

struct Case {
  std::string plugin;
  std::string id;
};

const std::vector<Case> kCases = {
    {"static", "VERN-02"}, {"static", "VERN-03"},   {"static", "VERN-07"},
    {"static", "CONF-03"}, {"static", "EXEC-07"},   {"static", "EXEC-08"},
    {"static", "EXEC-09"}, {"static", "EXEC-13"},   {"static", "EXEC-17"},
    {"static", "OUT-01"},  {"static", "OUT-02"},    {"tuning", "OUT-03"},
    {"static", "ERR-01"},  {"static", "ARGS-07"},   {"static", "REQ-04"},
    {"tuning", "ADD-04"},  {"static", "DEL-02"},    {"static", "DEL-04"},
    {"static", "DEL-05"},  {"static", "CHK-01"},    {"host-local", "CHK-03"},
    {"static", "CHK-10"},  {"static", "STAT-03"},   {"static", "STAT-04"},
    {"static", "EXEC-21"}, {"host-local", "GC-02"}, {"host-local", "GC-03"},
    {"static", "GC-05"},   {"host-local", "GC-10"}, {"static", "IPAM-01"},
    {"loopback", "RES-11"}};

/// The whole suite takes ten seconds a plugin and more. Outside tools/test --full only every eighth
/// one meets other checks than its own requirement's.
std::vector<std::string> checks_for(const Case& wrong) {
  const auto at = std::ranges::find(kCases, wrong.id, &Case::id) - kCases.begin();
  const bool is_whole = at % test::every(8) == 0;
  return is_whole ? std::vector<std::string>() : std::vector<std::string>{wrong.id};
}

class WrongTest : public ::testing::TestWithParam<Case> {};

TEST_P(WrongTest, IsFoundByItsRequirementAlone) {
  const Folder folder;
  const Subject subject = folder.wrong(GetParam().plugin, GetParam().id);
  Limits limits;
  limits.call = std::chrono::seconds(2);
  limits.all = std::chrono::minutes(5);
  std::set<std::string> found;
  for (const Verdict& verdict :
       run_suite(subject, checks_for(GetParam()), limits, nullptr).verdicts) {
    for (const Finding& finding : verdict.findings) {
      found.insert(finding.id);
      if (finding.id != GetParam().id) ADD_FAILURE() << finding.id << ": " << finding.text;
    }
  }
  EXPECT_EQ(found, std::set<std::string>{GetParam().id});
}

std::string name_of_case(const ::testing::TestParamInfo<Case>& each) {
  std::string name = each.param.id;
  name[name.find('-')] = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Plugins, WrongTest, ::testing::ValuesIn(kCases), name_of_case);

TEST(WrongPluginTest, ADaemonDoesNotOutliveItsCheck) {
  const Folder folder;
  const Subject subject = folder.wrong("static", "daemon");
  const auto verdicts = run_suite(subject, {"OUT-01", "DEL-01"}, {}, nullptr).verdicts;
  ASSERT_EQ(verdicts.size(), 2U);
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.outcome, Outcome::passed);
  EXPECT_FALSE(probe::succeeds({"pgrep", "-f", "unicni-left-behind"}));
}

}  // namespace
}  // namespace unicni::conformance::wrong_test
