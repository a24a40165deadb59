// Debian's reference plugins, held to the same rules: their deviations are the table of README.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "conformance/suite.h"
#include "support/sample.h"

namespace unicni::conformance::reference_test {
namespace {

/// The requirements that the table says a plugin violates, or violates sometimes.
std::set<std::string> deviations(const std::string& plugin, bool sometimes) {
  static const std::regex row(
      R"(\| ([A-Z]+-[0-9]{2}) \| (?:must|should|may) \| ([a-z, -]+) \| (.*))");
  std::set<std::string> ids;
  std::ifstream file(UNICNI_SOURCE_DIR "/tests/conformance/README.md");
  for (std::string line; std::getline(file, line);) {
    std::smatch part;
    if (!std::regex_match(line, part, row)) continue;
    if (part[3].str().starts_with("sometimes") != sometimes) continue;
    const std::string who = ", " + part[2].str() + ',';
    if (who == ", all," || who.find(", " + plugin + ',') != who.npos) ids.insert(part[1]);
  }
  return ids;
}

/// The whole suite takes up to two minutes a plugin. Outside tools/test --full one of each kind
/// meets all of it, the others the checks of what they violate.
std::vector<std::string> checks_for(const std::string& plugin) {
  const std::set<std::string> whole = {"macvlan", "static", "sbr"};
  if (test::is_full() || whole.contains(plugin)) return {};
  const auto own = deviations(plugin, false);
  return {own.begin(), own.end()};
}

class ReferenceTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ReferenceTest, DeviatesAsTheTableSays) {
  const std::string plugin = GetParam();
  std::ifstream profile(UNICNI_SOURCE_DIR "/modules/" + plugin + "/conformance.json");
  Subject subject("/usr/lib/cni/" + plugin, profile_from(Json::parse(profile)));
  subject.ask_versions();
  ASSERT_EQ(subject.newest(), "1.0.0") << "Debian's containernetworking-plugins 1.1.1";
  Limits limits;
  limits.all = std::chrono::minutes(5);
  std::set<std::string> found;
  std::string seen;
  for (const Verdict& verdict : run_suite(subject, checks_for(plugin), limits, nullptr).verdicts) {
    for (const Finding& finding : verdict.findings) {
      found.insert(finding.id);
      seen += finding.id + ": " + finding.text.substr(0, 400) + '\n';
    }
    if (verdict.outcome == Outcome::blocked) {
      seen += std::string(verdict.check.ids) + " blocked: " + verdict.why.substr(0, 400) + '\n';
    }
  }
  for (const std::string& id : deviations(plugin, true)) found.erase(id);
  EXPECT_EQ(found, deviations(plugin, false)) << seen;
}

std::string name_of_plugin(const ::testing::TestParamInfo<const char*>& each) {
  std::string name = each.param;
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Plugins, ReferenceTest,
                         ::testing::Values("bridge", "ptp", "macvlan", "loopback", "host-device",
                                           "host-local", "static", "tuning", "portmap", "firewall",
                                           "bandwidth", "sbr"),
                         name_of_plugin);

}  // namespace
}  // namespace unicni::conformance::reference_test
