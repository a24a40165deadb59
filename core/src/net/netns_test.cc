#include "unicni/net/netns.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "base/error_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/netlink.h"

namespace unicni::net::netns_test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
class NetnsTest : public PrivateNetnsTest {};

TEST_F(NetnsTest, AbsentPathsAreNoNamespace) {
  EXPECT_FALSE(Netns::open(""));
  EXPECT_FALSE(Netns::open("/nonexistent/netns"));
  EXPECT_FALSE(Netns::open("/proc/self/status/netns"));  // ENOTDIR
}

TEST_F(NetnsTest, OtherFilesAreRefusedByName) {
  for (const std::string path : {"/proc/self/ns/uts", "/proc/self/status", "/proc", "/dev/null"}) {
    try {
      (void)Netns::open(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_netns)) << error.code();
      EXPECT_THAT(error.msg(), HasSubstr(path));
    }
  }
}

TEST_F(NetnsTest, WantOfDescriptorsSaysNothingOfANamespace) {
  const NewNetns other;
  const std::string path = other.open().path();
  // A sanitizer's first look at a type takes a descriptor.
  static_cast<void>(error_of([] { (void)Netns::open("/proc/self/status"); }));
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{0, before.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  const Error error = error_of([&] { (void)Netns::open(path); });
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(error.is(Code::try_again)) << error.code();
  EXPECT_THAT(error.msg(), HasSubstr("EMFILE"));
}

TEST_F(NetnsTest, RunsInsideAndReturns) {
  const NewNetns other;
  const Netns inside = other.open();
  const Netns here = Netns::current();
  EXPECT_FALSE(inside.same_as(here));
  bool was_inside = false;
  inside.run([&] { was_inside = Netns::current().same_as(inside); });
  EXPECT_TRUE(was_inside);
  EXPECT_TRUE(Netns::current().same_as(here));
}

TEST_F(NetnsTest, ReturnsWhenWorkThrows) {
  const NewNetns other;
  const Netns here = Netns::current();
  EXPECT_THROW(other.open().run([] { throw Error(Code::internal, "x"); }), Error);
  EXPECT_TRUE(Netns::current().same_as(here));
}

TEST_F(NetnsTest, AShutWayBackIsAnErrorAndTheThreadKnowsThatItIsElsewhere) {
  const NewNetns other;
  const Netns inside = other.open();
  const auto work = [&] {
    const Netns here = Netns::current();
    EXPECT_TRUE(here.is_current());
    try {
      inside.run([] { ::close_range(3, ~0U, 0); }, here);
    } catch (const Error& error) {
      std::fputs(error.msg().c_str(), stderr);
    }
    ::_exit(here.is_current() ? 1 : 0);
  };
  EXPECT_EXIT(work(), testing::ExitedWithCode(0), "^return to network namespace /proc/.*EBADF");
}

TEST_F(NetnsTest, RunsAtOnceInTheCurrentOne) {
  int runs = 0;
  const Netns here = Netns::current();
  here.run([&] { ++runs; });
  EXPECT_EQ(1, runs);
}

TEST_F(NetnsTest, IdentityNamesTheNamespaceNotTheSocket) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink here;
  Netlink there(inside);
  Netlink there_again(inside);
  EXPECT_THAT(here.identity(), StartsWith("cookie:"));
  EXPECT_NE(here.identity(), there.identity());
  EXPECT_EQ(there.identity(), there_again.identity());
  EXPECT_EQ(there.identity(), netns_identity(there.fd(), inside));
}

}  // namespace
}  // namespace unicni::net::netns_test
