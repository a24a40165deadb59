// GC of a large network, and a large network in general.
#include <sys/stat.h>

#include <chrono>
#include <fstream>

#include "integration/host_local.h"

namespace unicni::test::host_local_gc_test {
namespace {

using ::testing::HasSubstr;

class HostLocalLarge : public HostLocalHost {
 protected:
  static std::string address(int i) {
    return "10.22." + std::to_string((i + 2) / 256) + "." + std::to_string((i + 2) % 256);
  }
  static std::string id(int i) {
    std::string number = std::to_string(i);
    return std::string(64 - number.size(), 'f') + number;  // as long as those of runtimes
  }
  static void fill(int count) {
    ::mkdir("/var/lib/cni", 0755);
    ::mkdir("/var/lib/cni/networks", 0755);
    ::mkdir(kNetworkFolder, 0755);
    for (int i = 0; i < count; ++i)
      std::ofstream(kNetworkFolder + address(i), std::ios::binary) << id(i) << "\r\neth0";
  }
};

TEST_F(HostLocalLarge, GcRemovesExactlyTheInvalidOnes) {
  constexpr int kCount = 20'000;
  fill(kCount);
  Json valid = Json::array();
  for (int i = 0; i < kCount; ++i) {
    if (i % 4 == 0) continue;
    // The same container with another interface is another attachment.
    valid.push_back({{"containerID", id(i)}, {"ifname", i % 4 == 1 ? "eth1" : "eth0"}});
    if (i % 4 == 1) valid.push_back({{"containerID", "unknown"}, {"ifname", "eth0"}});
  }
  const Output output = job("", "10.22.0.0/16").gc(valid);
  expect_silent_success(output);
  EXPECT_LT(output.ms, 30'000);
  const auto left = reservations("mynet");
  EXPECT_EQ(left.size(), static_cast<std::size_t>(kCount) / 2);
  for (int i = 0; i < kCount; i += 997) EXPECT_EQ(exists(kNetworkFolder + address(i)), i % 4 >= 2);
  RecordProperty("milliseconds", static_cast<int>(output.ms));
}

TEST_F(HostLocalLarge, LongRunsAreNoHindrance) {
  fill(9'000);
  EXPECT_EQ(must_give(job("first", "10.22.0.0/16")), address(9'000) + "/16");
  write_file(std::string(kNetworkFolder) + "last_reserved_ip.0", "10.22.0.3");
  EXPECT_EQ(must_give(job("second", "10.22.0.0/16")), address(9'001) + "/16");
  Attachment full = job("third", "10.22.0.0/16");
  full.config["ipam"]["rangeEnd"] = "10.22.15.255";
  EXPECT_THAT(expect_error(full.add())["msg"].get<std::string>(), HasSubstr("(4094 of 4094 used)"));
  expect_error(full.status(), 50);
  expect_silent_success(job(id(77), "10.22.0.0/16").del());
  EXPECT_EQ(must_give(full), address(77) + "/16");
}

}  // namespace
}  // namespace unicni::test::host_local_gc_test
