// What the executable is made of, as each library and each page of it costs every call
// (core/ARCHITECTURE.md, "Build groups").
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/process.h"

namespace unicni::test::hot_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string executable() { return stage() + "/libexec/cni/unicni"; }

/// Namespaces of units that the executable hasn't got, and of libraries that only tools may link.
std::vector<std::string> foreign_namespaces() {
  std::vector<std::string> names{"YAML::", "CLI::"};
  std::istringstream units(OTHER_UNITS);
  for (std::string unit; units >> unit;) names.push_back("unicni::" + unit + "::");
  return names;
}

std::vector<std::string> symbols(const std::string& program, const char* kind) {
  return lines_of(tool({"nm", kind, "-C", program}).out);
}

/// The symbols that name one of those namespaces.
std::vector<std::string> symbols_of(const std::vector<std::string>& names,
                                    const std::vector<std::string>& symbols) {
  std::vector<std::string> found;
  for (const std::string& line : symbols) {
    for (const std::string& name : names) {
      if (line.find(name) != std::string::npos) found.push_back(line);
    }
  }
  return found;
}

TEST(HotExecutable, NeedsTheLibrariesOfCAlone) {
  std::vector<std::string> others;
  std::size_t needed = 0;
  for (const std::string& line : lines_of(tool({"readelf", "-dW", executable()}).out)) {
    if (line.find("(NEEDED)") == std::string::npos) continue;
    ++needed;
    bool known = false;
    // The loader and, but in a release, the mathematics are glibc's as well.
    for (const char* name : {"[libc.so.", "[libm.so.", "[ld-linux"}) {
      known = known || line.find(name) != std::string::npos;
    }
    if (!known) others.push_back(line);
  }
  EXPECT_THAT(others, IsEmpty());
  EXPECT_GE(needed, 1U);
}

TEST(HotExecutable, HasNothingOfTheApplicationAndOfTools) {
  EXPECT_THAT(symbols_of(foreign_namespaces(), symbols(executable(), "--defined-only")), IsEmpty());
  EXPECT_THAT(symbols_of(foreign_namespaces(), symbols(APPLICATION, "--defined-only")),
              Not(IsEmpty()))
      << "else nothing is looked at";
}

/// What no public header names is neither exported nor, if it isn't used, there at all.
TEST(HotExecutable, ExportsWhatModulesMayUseAndNoMore) {
  const std::vector<std::string> exported = symbols(executable(), "--dynamic");
  const std::vector<std::string> internal = {
      "unicni::chain::", "unicni::protocol::", "unicni::module::", "unicni::journal::"};
  EXPECT_THAT(symbols_of(internal, exported), IsEmpty());
  EXPECT_THAT(symbols_of(internal, symbols(executable(), "--defined-only")), Not(IsEmpty()))
      << "else nothing is looked at";
  for (const char* wanted :
       {"unicni::Error::", "unicni::net::", "unicni::ipam::", "unicni::sys::"}) {
    EXPECT_THAT(symbols_of({wanted}, exported), Not(IsEmpty())) << wanted;
  }
}

}  // namespace
}  // namespace unicni::test::hot_test
