// The second kernel has what the tests go there for: those that take a kernel as it is would pass
// on any.
#include <gtest/gtest.h>

#include "support/process.h"
#include "support/sandbox.h"

namespace unicni::test::kernel_test {
namespace {

TEST(SecondKernel, HasTheLinkKindsThatOthersMayLack) {
  const Sandbox sandbox;
  tool({"ip", "link", "add", "parent", "type", "dummy"});
  tool({"ip", "link", "add", "bridge0", "type", "bridge", "vlan_filtering", "1"});
  tool({"ip", "link", "add", "vlan7", "link", "parent", "type", "vlan", "id", "7"});
  tool({"ip", "link", "add", "ipvlan0", "link", "parent", "type", "ipvlan", "mode", "l3s"});
  tool({"ip", "link", "add", "vrf9", "type", "vrf", "table", "9"});
  tool({"ip", "link", "add", "bond9", "type", "bond"});
}

}  // namespace
}  // namespace unicni::test::kernel_test
