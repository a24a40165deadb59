// The reference's host-local and ours by turns on one live network.
#include <unistd.h>

#include <map>
#include <random>

#include "integration/host_local.h"

namespace unicni::test::host_local_exchange_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HostLocalExchange : public HostLocalHost {
 protected:
  void SetUp() override {
    if (::access((std::string(kReferenceDir) + "/host-local").c_str(), X_OK) != 0)
      GTEST_SKIP() << "Debian package containernetworking-plugins is not installed";
  }
};

TEST_F(HostLocalExchange, RandomTurns) {
  std::mt19937 random(3);
  std::map<std::string, std::string> held;  // container → address
  for (int turn = 0; turn < 150; ++turn) {
    SCOPED_TRACE(turn);
    const std::string name = "c" + std::to_string(random() % 12);
    const bool ours = random() % 2 == 0;
    const Attachment call = ours ? job(name, "10.22.0.0/28") : reference(job(name, "10.22.0.0/28"));
    switch (random() % 5) {
      case 0:
      case 1: {
        const Output output = call.add();
        EXPECT_EQ(output.ok(), !held.contains(name)) << output.str();
        if (!output.ok()) break;
        std::string address = output.json()["ips"][0]["address"];
        address.resize(address.find('/'));
        for (const auto& [owner, other] : held) EXPECT_NE(other, address) << owner;
        held[name] = address;
        break;
      }
      case 2:
      case 3:
        EXPECT_TRUE(call.del().ok());
        held.erase(name);
        break;
      default:
        EXPECT_EQ(
            call.check(Json{{"cniVersion", call.config["cniVersion"]}, {"ips", Json::array()}})
                .ok(),
            held.contains(name));
    }
    EXPECT_EQ(reservations("mynet").size(), held.size());
    for (const auto& [owner, address] : held) EXPECT_EQ(owner_of(address), owner + "\r\neth0");
    if (HasFailure()) return;
  }
}

TEST_F(HostLocalExchange, LeftoversOfAPowerCutBlockNobody) {
  ASSERT_TRUE(reference(job("ref", "10.22.0.0/29")).add().ok());
  write_file(std::string(kNetworkFolder) + "10.22.0.3", "");
  write_file(std::string(kNetworkFolder) + "10.22.0.4", std::string(12, '\0'));
  write_file(std::string(kNetworkFolder) + "10.22.0.5", "\r\n");
  write_file(std::string(kNetworkFolder) + "notes", "a\r\neth0");
  for (int i = 3; i <= 6; ++i)
    EXPECT_EQ(must_give(job("c" + std::to_string(i), "10.22.0.0/29")),
              "10.22.0." + std::to_string(i) + "/29");
  EXPECT_THAT(expect_error(job("more", "10.22.0.0/29").add())["msg"].get<std::string>(),
              HasSubstr("10.22.0.1-10.22.0.6 (5 of 5 used)"));
  for (int i = 3; i <= 6; ++i)
    EXPECT_TRUE(reference(job("c" + std::to_string(i), "10.22.0.0/29")).del().ok());
  expect_silent_success(job("ref", "10.22.0.0/29").del());
  EXPECT_THAT(reservations("mynet"), ::testing::ElementsAre("notes"));
}

TEST_F(HostLocalExchange, ReferenceWalksPastTheIndex) {
  for (int i = 0; i < 100; ++i) must_give(job("c" + std::to_string(i)));
  ASSERT_TRUE(exists(std::string(kNetworkFolder) + ".unicni-index"));
  const Attachment late = reference(job("c50"));
  EXPECT_FALSE(late.add().ok()) << "finds it in all the files";
  EXPECT_TRUE(late.del().ok());
  EXPECT_FALSE(late.check(Json{{"cniVersion", "1.0.0"}, {"ips", Json::array()}}).ok());
  EXPECT_EQ(reservations("mynet").size(), 99U);
  expect_error(job("c50").check(Json{{"cniVersion", "1.1.0"}, {"ips", Json::array()}}));
}

}  // namespace
}  // namespace unicni::test::host_local_exchange_test
