// What a plugin tells about itself, as other programs read it.
#include <gtest/gtest.h>

#include <regex>

#include "support/attachment.h"

namespace unicni::test::about_test {
namespace {

TEST(AboutTest, ProgramsReadTheVersionOfTheReference) {
  for (const std::string type : {"bridge", "host-local", "loopback", "portmap"}) {
    SCOPED_TRACE(type);
    const Output output = run({.argv = {bin_dir() + '/' + type}});
    EXPECT_TRUE(output.err.starts_with("CNI " + type + " plugin v1.9.1\n"))
        << "nerdctl takes what follows \"plugin \": " << output.err;
    std::smatch version;
    ASSERT_TRUE(std::regex_search(output.err, version, std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
    EXPECT_EQ(version.str(), "1.9.1") << "Nomad takes the first and needs 0.4.0";
    const Output asked = run({.argv = {bin_dir() + '/' + type, "--version"}});
    EXPECT_TRUE(asked.ok());
    EXPECT_EQ(asked.out, output.err) << "as Nomad before 1.8 asks";
  }
}

}  // namespace
}  // namespace unicni::test::about_test
