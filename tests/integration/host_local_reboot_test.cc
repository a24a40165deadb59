// Reservations of an earlier boot: they cost nothing, and those of this boot are sacred.
#include <utime.h>

#include <ctime>
#include <set>

#include "integration/host_local.h"

namespace unicni::test::host_local_reboot_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostLocalReboot : public HostLocalHost {
 protected:
  /// As if it had been made before this kernel started.
  static void age(const std::string& address) {
    const utimbuf times{1'000'000, 1'000'000};
    ASSERT_EQ(::utime((kNetworkFolder + address).c_str(), &times), 0);
  }
  static void cache(const Attachment& job, const std::string& netns) {
    write_file("/var/lib/cni/results/mynet-" + job.container_id + "-eth0",
               Json{{"kind", "cniCacheV1"},
                    {"containerId", job.container_id},
                    {"ifName", "eth0"},
                    {"networkName", "mynet"},
                    {"netns", netns}}
                   .dump());
  }
};

TEST_F(HostLocalReboot, TheSameAttachmentGetsItsOldAddress) {
  const Attachment a = job("a");
  const Attachment b = job("b");
  const std::string of_a = must_give(a);
  const std::string of_b = must_give(b);
  expect_error(b.add());  // twice in one boot
  start_again();
  EXPECT_EQ(must_give(job("c")), "10.22.0.4/24") << "others are free";
  EXPECT_EQ(must_give(b), of_b);
  EXPECT_THAT(expect_error(b.add())["msg"].get<std::string>(), HasSubstr("duplicate"));
  start_again();
  EXPECT_EQ(must_give(a), of_a);
  EXPECT_EQ(must_give(b), of_b);
}

TEST_F(HostLocalReboot, FullPoolServesAtOnceAndNeverTouchesThisBoot) {
  constexpr int kPool = 29;  // of a /27
  for (int boot = 0; boot < 4; ++boot) {
    SCOPED_TRACE(boot);
    std::set<std::string> given;
    for (int i = 0; i < kPool; ++i) {
      const std::string name = "b" + std::to_string(boot) + "c" + std::to_string(i);
      given.insert(must_give(job(name, "10.22.0.0/27")));
    }
    EXPECT_EQ(given.size(), static_cast<std::size_t>(kPool));
    for (const std::string& address : reservations("mynet"))
      EXPECT_THAT(owner_of(address), ::testing::StartsWith("b" + std::to_string(boot) + "c"));
    EXPECT_THAT(expect_error(job("one-more", "10.22.0.0/27").add())["msg"].get<std::string>(),
                HasSubstr("(29 of 29 used)"));
    expect_error(job("", "10.22.0.0/27").status(), 50);
    start_again();
    expect_silent_success(job("", "10.22.0.0/27").status());
  }
}

TEST_F(HostLocalReboot, DelAndGcKnowThemToo) {
  const Attachment a = job("a");
  const Attachment b = job("b");
  must_give(a);
  must_give(b);
  start_again();
  expect_error(
      a.check(Json::parse(R"({"cniVersion": "1.1.0", "ips": [{"address": "10.22.0.2/24"}]})")));
  expect_silent_success(a.del());
  EXPECT_EQ(owner_of("10.22.0.2"), "(absent)");
  expect_silent_success(job("").gc(Json::array({valid_entry(b)})));
  EXPECT_EQ(owner_of("10.22.0.3"), "b\r\neth0");
  expect_silent_success(job("").gc(Json::array()));
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

// A late DEL of the container that had the address before the machine was started again.
TEST_F(HostLocalReboot, LateDelLeavesTheNextOwner) {
  for (int i = 0; i < 5; ++i) must_give(job("old" + std::to_string(i), "10.22.0.0/29"));
  start_again();
  for (int i = 0; i < 5; ++i) must_give(job("new" + std::to_string(i), "10.22.0.0/29"));
  for (int i = 0; i < 5; ++i)
    expect_silent_success(job("old" + std::to_string(i), "10.22.0.0/29").del());
  EXPECT_EQ(reservations("mynet").size(), 5U);
}

// Nobody wrote down in which boot the reference reserved something.
TEST_F(HostLocalReboot, TheReferencesReservationNeedsAgeAndANamespaceThatIsGone) {
  const Attachment a = reference(job("a", "10.22.0.0/30"));
  const Attachment b = job("b", "10.22.0.0/30");
  ASSERT_TRUE(a.add().ok());
  expect_error(b.add());
  age("10.22.0.2");
  expect_error(b.add());  // by its time alone: never
  cache(a, "/run/netns/gone");
  write_file("/var/lib/cni/networks/mynet/.unicni-index", "");  // asked once only
  EXPECT_EQ(must_give(b), "10.22.0.2/30");
  expect_silent_success(b.del());

  ASSERT_TRUE(a.add().ok());
  age("10.22.0.2");
  const Container& alive = container("alive");
  cache(a, alive.path());
  expect_error(b.add());
  EXPECT_EQ(owner_of("10.22.0.2"), "a\r\neth0");
}

TEST_F(HostLocalReboot, ReferencesReservationsSeenInAnEarlierBootAreStale) {
  const Attachment a = reference(job("a", "10.22.0.0/29"));
  ASSERT_TRUE(a.add().ok());
  must_give(job("b", "10.22.0.0/29"));  // sees it
  start_again();
  std::set<std::string> given;
  for (int i = 0; i < 5; ++i) given.insert(must_give(job("c" + std::to_string(i), "10.22.0.0/29")));
  EXPECT_EQ(given.size(), 5U);
}

TEST_F(HostLocalReboot, IndexCutByThePowerFailure) {
  for (int i = 0; i < 20; ++i) must_give(job("a" + std::to_string(i)));
  start_again();
  const std::string index = read_file("/var/lib/cni/networks/mynet/.unicni-index");
  for (const std::size_t kept :
       {std::size_t{0}, std::size_t{100}, std::size_t{4096}, index.size() - 1}) {
    write_file("/var/lib/cni/networks/mynet/.unicni-index", index.substr(0, kept));
    expect_silent_success(job("").status());
    EXPECT_EQ(reservations("mynet").size(), 20U);
    expect_error(job("a3").add());  // by its time it is of this boot: duplicates are refused
  }
  expect_silent_success(job("a3").del());
  EXPECT_EQ(reservations("mynet").size(), 19U);
}

}  // namespace
}  // namespace unicni::test::host_local_reboot_test
