// vrf on a kernel without VRFs: says so, and leaves nothing. tests/second-kernel has the rest.
#include "integration/chained.h"

namespace unicni::test::vrf_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Vrf : public ChainedTest {
 protected:
  static bool kernel_has_it() {
    const bool made = succeeds({"ip", "link", "add", "probe", "type", "vrf", "table", "9"});
    if (made) tool({"ip", "link", "del", "probe"});
    return made;
  }
};

TEST_F(Vrf, OrdinaryLinksAreNoVrfs) {
  const Attachment first = bridged();
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  container_of(first).run({"ip", "link", "add", "blue", "type", "ifb"});
  const Snapshot before = kernel_snapshot(inside);
  const Attachment job = after(first, bridge, {{"type", "vrf"}, {"vrfname", "blue"}});
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("blue is not a VRF, it is a ifb link"));
  expect_error(job.check(bridge), 7);
  expect_silent_success(job.del());
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, kernel_snapshot(inside)), "");
}

TEST_F(Vrf, AMissingKernelModuleIsNamed) {
  const Attachment first = bridged("c1", "1.1.0");
  const Json bridge = must_add(first);
  const int inside = container_of(first).fd();
  const Snapshot before = kernel_snapshot(inside);
  const Attachment job = after(first, bridge, {{"type", "vrf"}, {"vrfname", "blue"}});
  if (kernel_has_it()) {
    expect_silent_success(job.status());
    return;
  }
  const Json error = expect_error(job.add());
  EXPECT_THAT(error["msg"], HasSubstr("create vrf blue"));
  EXPECT_THAT(error["msg"], HasSubstr("EOPNOTSUPP"));
  EXPECT_EQ(error["details"], "install the kernel module vrf and load it with modprobe");
  EXPECT_EQ(difference(before, kernel_snapshot(inside)), "");
  EXPECT_EQ(expect_error(job.status(), 50)["details"],
            "install the kernel module vrf and load it with modprobe");
  expect_silent_success(job.del());
}

}  // namespace
}  // namespace unicni::test::vrf_test
