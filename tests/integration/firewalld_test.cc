// firewall on a host where the real firewalld runs.
#include "support/firewalld.h"

#include "integration/host_test.h"

namespace unicni::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(FirewalldFixture, RunsItsTableIsThereAndReloadForgetsSources) {
  const Sandbox sandbox;
  {
    Firewalld firewalld;
    EXPECT_THAT(tool({"nft", "list", "tables"}).out, HasSubstr("inet firewalld"));
    firewalld.add_source("trusted", "10.1.0.2/32");
    firewalld.add_source("trusted", "10.1.0.10/32");
    EXPECT_THAT(firewalld.list_sources("trusted"), ElementsAre("10.1.0.10/32", "10.1.0.2/32"));
    firewalld.remove_source("trusted", "10.1.0.10/32");
    EXPECT_THAT(firewalld.list_sources("trusted"), ElementsAre("10.1.0.2/32"));
    firewalld.reload();
    EXPECT_THAT(firewalld.list_sources("trusted"), IsEmpty());
    firewalld.stop();
    EXPECT_THAT(tool({"nft", "list", "tables"}).out, Not(HasSubstr("firewalld")));
    firewalld.start();
    EXPECT_THAT(firewalld.list_sources("trusted"), IsEmpty());
  }
  EXPECT_EQ(tool({"nft", "list", "tables"}).out, "");
}

}  // namespace
}  // namespace unicni::test
