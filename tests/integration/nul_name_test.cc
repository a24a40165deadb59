// A name with a NUL byte is no name: the kernel would read what comes before, and mean another
// link.
#include "integration/chained.h"

namespace unicni::test::nul_name_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Named {
  const char* key;     // what the error begins with
  const char* config;  // a plugin whose name begins with that of the link "bri0"
};

class NulName : public ChainedTest, public ::testing::WithParamInterface<Named> {
 protected:
  NulName() {
    tool({"ip", "link", "add", "bri0", "type", "bridge"});
    tool({"ip", "link", "set", "bri0", "up"});
  }
  static Json config() {
    Json config = Json::parse(GetParam().config);
    config["cniVersion"] = "1.0.0";
    config["name"] = "mynet";
    return config;
  }
};

TEST_P(NulName, IsRefusedBeforeAnythingIsDone) {
  const Attachment job = attachment(config());
  const Json error = expect_no_trace(job, 7);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr(GetParam().key));
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr("NUL byte"));
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

TEST_P(NulName, NamesNothingOnDel) {
  const Attachment job = attachment(config());
  const Snapshot before = snapshot();
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

INSTANTIATE_TEST_SUITE_P(
    Every, NulName,
    ::testing::Values(Named{"bridge", R"({"type": "bridge", "bridge": "bri0\u0000x",
                            "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}})"},
                      Named{"master", R"({"type": "macvlan", "master": "bri0\u0000x",
                            "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}})"},
                      Named{"device", R"({"type": "host-device", "device": "bri0\u0000x"})"},
                      Named{"bridge", R"({"type": "tap", "bridge": "bri0\u0000x",
                            "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}})"},
                      Named{"dataDir", R"({"type": "bridge", "ipam": {"type": "host-local",
                             "dataDir": "/tmp\u0000x", "subnet": "10.1.0.0/24"}})"}),
    [](const auto& tested) {
      std::string name = Json::parse(tested.param.config)["type"];
      std::erase(name, '-');
      return name + tested.param.key;
    });

class NulNameOfChained : public ChainedTest, public ::testing::WithParamInterface<Named> {};

TEST_P(NulNameOfChained, IsRefusedAndOnDelNamesNothing) {
  const Attachment first = bridged();
  const Json result = must_add(first);
  const Attachment next = after(first, result, Json::parse(GetParam().config));
  const Snapshot host = snapshot();
  const Snapshot inside = kernel_snapshot(netns(first));
  const Json error = expect_error(next.add(), 7);
  EXPECT_THAT(error["msg"].get<std::string>(), HasSubstr(GetParam().key));
  expect_silent_success(next.del());
  EXPECT_EQ(difference(host, snapshot()), "");
  EXPECT_EQ(difference(inside, kernel_snapshot(netns(first))), "");
}

INSTANTIATE_TEST_SUITE_P(
    Every, NulNameOfChained,
    ::testing::Values(Named{"vrfname", R"({"type": "vrf", "vrfname": "blue\u0000x"})"},
                      Named{"sysctl",
                            R"({"type": "tuning", "sysctl": {"net.core.somaxconn\u0000": "500"}})"},
                      Named{"iptablesAdminChainName", R"({"type": "firewall", "backend": "iptables",
                                            "iptablesAdminChainName": "CNI\u0000X"})"}),
    [](const auto& tested) { return std::string(tested.param.key); });

class NulNameOfPrevResult : public ChainedTest {};

TEST_F(NulNameOfPrevResult, IsRefusedAndIgnoredByDel) {
  const Attachment first = bridged();
  Json result = must_add(first);
  result["interfaces"][1]["name"] = result["interfaces"][1]["name"].get<std::string>() + '\0' + "x";
  const Attachment next = after(first, result, {{"type", "firewall"}});
  EXPECT_THAT(expect_error(next.add(), 6)["msg"].get<std::string>(),
              HasSubstr("interfaces[1].name"));
  EXPECT_TRUE(next.del().ok());
}

}  // namespace
}  // namespace unicni::test::nul_name_test
