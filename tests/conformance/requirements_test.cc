// The requirements, the checks and the list of what has no check tell the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>

#include "conformance/check.h"

namespace unicni::conformance::requirements_test {
namespace {

using ::testing::IsEmpty;

std::ifstream open(const char* name) {
  std::ifstream file(std::string(UNICNI_SOURCE_DIR "/tests/conformance/") + name);
  EXPECT_TRUE(file.is_open()) << name;
  return file;
}

struct Requirement {
  std::string level;
  std::string binds;
};

std::map<std::string, Requirement> requirements() {
  static const std::regex row(
      R"(\| ([A-Z]+-[0-9]{2}) \| (must|should|may) \| [^|]+ \| (plugin|runtime|both) \| .*[.*] \|)");
  std::map<std::string, Requirement> all;
  std::ifstream file = open("REQUIREMENTS.md");
  for (std::string line; std::getline(file, line);) {
    if (!std::regex_search(line, std::regex("^\\| [A-Z]+-"))) continue;
    std::smatch part;
    EXPECT_TRUE(std::regex_match(line, part, row)) << line;
    EXPECT_TRUE(all.emplace(part[1], Requirement{part[2], part[3]}).second) << line;
  }
  return all;
}

std::map<std::string, std::string> unchecked() {
  std::map<std::string, std::string> all;
  std::ifstream file = open("unchecked.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    const std::size_t blank = line.find(' ');
    EXPECT_NE(blank, line.npos) << line << " has no reason";
    if (blank == line.npos) continue;
    EXPECT_TRUE(all.emplace(line.substr(0, blank), line.substr(blank + 1)).second) << line;
  }
  return all;
}

std::set<std::string> checked() {
  std::set<std::string> ids;
  for (const Check& check : all_checks()) {
    for (const std::string& id : ids_of(check)) ids.insert(id);
  }
  return ids;
}

TEST(RequirementsTest, EachHasACheckOrAReason) {
  const auto reasons = unchecked();
  const auto checks = checked();
  std::vector<std::string> neither;
  std::vector<std::string> both;
  for (const auto& [id, requirement] : requirements()) {
    if (checks.contains(id) == reasons.contains(id)) {
      (checks.contains(id) ? both : neither).push_back(id);
    }
  }
  EXPECT_THAT(neither, IsEmpty());
  EXPECT_THAT(both, IsEmpty());
}

TEST(RequirementsTest, ChecksAndReasonsAreOfKnownOnes) {
  const auto known = requirements();
  EXPECT_GT(known.size(), 190U);
  for (const std::string& id : checked()) EXPECT_TRUE(known.contains(id)) << id;
  for (const auto& [id, reason] : unchecked()) EXPECT_TRUE(known.contains(id)) << id;
}

TEST(RequirementsTest, WhatBindsRuntimesAloneHasNoCheck) {
  const auto checks = checked();
  const auto reasons = unchecked();
  for (const auto& [id, requirement] : requirements()) {
    if (requirement.binds != "runtime") continue;
    EXPECT_FALSE(checks.contains(id)) << id;
    EXPECT_TRUE(reasons.at(id).starts_with("binds runtimes")) << id;
  }
}

/// A check may be milder than a requirement where it tries a part of it that is this project's own.
TEST(RequirementsTest, NoCheckIsStricterThanWhatItChecks) {
  const auto known = requirements();
  const std::map<std::string, Level> levels = {
      {"must", Level::must}, {"should", Level::should}, {"may", Level::may}};
  for (const Check& check : all_checks()) {
    for (const std::string& id : ids_of(check)) {
      EXPECT_GE(check.level, levels.at(known.at(id).level)) << id << ": " << check.what;
    }
  }
}

TEST(RequirementsTest, NamesOfChecksAreTheirOwn) {
  std::set<std::string> names;
  for (const Check& check : all_checks()) {
    EXPECT_TRUE(names.insert(name_of(check)).second) << name_of(check);
  }
}

}  // namespace
}  // namespace unicni::conformance::requirements_test
