// dummy on a kernel that may lack it; what it makes is tested on the second kernel.
#include "integration/host_test.h"

namespace unicni::test::dummy_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(HostTest, DummyOnAKernelWithoutItIsToldByItsModule) {
  const Attachment job = attachment(Json::parse(R"({
    "cniVersion": "1.1.0", "name": "net", "type": "dummy",
    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}
  })"));
  const bool known = succeeds({"ip", "link", "add", "probe0", "type", "dummy"});
  if (known) {
    must_add(job);
    expect_silent_success(job.del());
  } else {
    const Json error = expect_error(job.add());
    EXPECT_THAT(error["msg"], HasSubstr("create dummy eth0"));
    EXPECT_THAT(error["details"], HasSubstr("modprobe dummy"));
  }
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::dummy_test
