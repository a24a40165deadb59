#include <gmock/gmock.h>

#include "base/error_for_test.h"
#include "config.h"
#include "render.h"
#include "subnet_env.h"
#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni::flannel::flannel_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kPath = "/run/flannel/subnet.env";
constexpr const char* kBoth =
    "FLANNEL_NETWORK=10.1.0.0/16,10.2.0.0/16,10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\n"
    "FLANNEL_IPV6_NETWORK=fd00:1::/48\nFLANNEL_IPV6_SUBNET=fd00:1:0:17::1/64\nFLANNEL_MTU=1472\n"
    "FLANNEL_IPMASQ=true\n";

std::string unreadable(const std::string& text) {
  return refusal_of([&] { static_cast<void>(parse_subnet_env(text, kPath)); }, Code::try_again);
}

std::vector<std::string> texts(const std::vector<IpNet>& nets) {
  std::vector<std::string> texts;
  for (const IpNet& net : nets) texts.push_back(net.str());
  return texts;
}

TEST(SubnetEnv, BothFamilies) {
  const SubnetEnv env = parse_subnet_env(kBoth, kPath);
  EXPECT_THAT(texts(env.networks), ElementsAre("10.1.0.0/16", "10.2.0.0/16")) << "each once";
  EXPECT_EQ(env.subnet->str(), "10.1.17.0/24") << "flanneld writes the gateway's address";
  EXPECT_THAT(texts(env.ipv6_networks), ElementsAre("fd00:1::/48"));
  EXPECT_EQ(env.ipv6_subnet->str(), "fd00:1:0:17::/64");
  EXPECT_EQ(env.mtu, 1472U);
  EXPECT_EQ(env.ipmasq, true);
}

TEST(SubnetEnv, OtherKeysAndLineEndsAreFine) {
  const SubnetEnv env = parse_subnet_env(
      "# by "
      "hand\n\nOTHER\nOTHER=1=2\nFLANNEL_NETWORK=10.1.0.0/16\r\nFLANNEL_SUBNET=10.1.17.1/24\r\n"
      "FLANNEL_MTU=1472\r\nFLANNEL_IPMASQ=True",
      kPath);
  EXPECT_EQ(env.mtu, 1472U);
  EXPECT_EQ(env.ipmasq, false) << "only \"true\" is";
}

TEST(SubnetEnv, WhatIsMissingIsNamedAtOnce) {
  EXPECT_THAT(unreadable(""), HasSubstr("/run/flannel/subnet.env is missing FLANNEL_NETWORK, "
                                        "FLANNEL_IPV6_NETWORK, FLANNEL_SUBNET, "
                                        "FLANNEL_IPV6_SUBNET, FLANNEL_MTU, FLANNEL_IPMASQ. Check "
                                        "the flannel pod log for this node."));
  EXPECT_THAT(unreadable("FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_IPV6_SUBNET=fd00::1/64\n"
                         "FLANNEL_IPMASQ=true\n"),
              HasSubstr("is missing FLANNEL_MTU. "));
}

TEST(SubnetEnv, WhatIsWrongIsNamedByLineAndKey) {
  EXPECT_THAT(unreadable("FLANNEL_SUBNET"), HasSubstr("subnet.env line 1: FLANNEL_SUBNET has no ="))
      << "the reference crashes";
  const std::pair<const char*, const char*> kWrong[] = {
      {"FLANNEL_NETWORK=10.1.0.0", "line 2: FLANNEL_NETWORK must be"},
      {"FLANNEL_NETWORK=10.1.0.0/16,", "line 2: FLANNEL_NETWORK must be"},
      {"FLANNEL_NETWORK=", "line 2: FLANNEL_NETWORK must be"},
      {"FLANNEL_SUBNET=\"10.1.0.0/24\"", "line 2: FLANNEL_SUBNET must be"},
      {"FLANNEL_IPV6_SUBNET=x", "line 2: FLANNEL_IPV6_SUBNET must be"},
      {"FLANNEL_MTU=-1", "line 2: FLANNEL_MTU must be a number"},
      {"FLANNEL_MTU=", "line 2: FLANNEL_MTU must be a number"},
      {"FLANNEL_MTU=4294967296", "line 2: FLANNEL_MTU must be a number"}};
  for (const auto& [line, said] : kWrong) {
    EXPECT_THAT(unreadable(std::string("\n") + line + "\n" + kBoth), HasSubstr(said)) << line;
  }
}

TEST(SubnetEnv, AMissingFileIsForLater) {
  EXPECT_THAT(
      refusal_of([] { static_cast<void>(load_subnet_env("/nonexistent/env")); }, Code::try_again),
      HasSubstr("/nonexistent/env"));
}

Call call_of(const char* request, const char* version) {
  Call call;
  call.key.network = "mynet";
  call.spec_version = version;
  call.request = request;
  return call;
}

JsonObject object(const char* text) { return *JsonObject::parse(text); }

const SubnetEnv kExample = parse_subnet_env(
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1472\n"
    "FLANNEL_IPMASQ=true\n",
    kPath);

TEST(Render, TheExampleOfTheReference) {
  const Call call = call_of(R"({"name":"mynet","type":"flannel","cniVersion":"0.3.1"})", "0.3.1");
  EXPECT_EQ(render(call, {}, kExample),
            R"({"name":"mynet","type":"bridge","ipMasq":false,"mtu":1472,"isGateway":true,)"
            R"("cniVersion":"0.3.1","ipam":{"type":"host-local",)"
            R"("ranges":[[{"subnet":"10.1.17.0/24"}]],"routes":[{"dst":"10.1.0.0/16"}]}})");
}

TEST(Render, AVersionThatNobodyGaveIsNotSaid) {
  const Call call = call_of(R"({"name":"mynet","type":"flannel"})", "0.1.0");
  EXPECT_EQ(object(render(call, {}, kExample).c_str()).find("cniVersion"), nullptr);
}

TEST(Render, BothFamiliesAndTheOwnersWishes) {
  FlannelOptions options;
  options.delegate =
      object(R"({"bridge":"br7","mtu":1400,"ipMasq":true,"isGateway":false,"x":[1]})");
  options.ipam = object(
      R"({"type":"other","dataDir":"/run/d","ranges":[1],"routes":[{"dst":"10.9.0.0/16","gw":"10.1.17.9"}]})");
  options.runtime_config = object(R"({"mac":"02:00:00:00:00:01"})");
  const Call call = call_of(R"({"cniVersion":"1.0.0"})", "1.0.0");
  EXPECT_EQ(render(call, options, parse_subnet_env(kBoth, kPath)),
            R"({"bridge":"br7","mtu":1400,"ipMasq":true,"isGateway":false,"x":[1],"name":"mynet",)"
            R"("type":"bridge","cniVersion":"1.0.0","runtimeConfig":{"mac":"02:00:00:00:00:01"},)"
            R"("ipam":{"type":"other","dataDir":"/run/d",)"
            R"("ranges":[[{"subnet":"10.1.17.0/24"}],[{"subnet":"fd00:1:0:17::/64"}]],)"
            R"("routes":[{"dst":"10.9.0.0/16","gw":"10.1.17.9"},{"dst":"10.1.0.0/16"},)"
            R"({"dst":"10.2.0.0/16"},{"dst":"fd00:1::/48"}]}})");
}

TEST(Render, OnlyABridgeIsAGateway) {
  FlannelOptions options;
  options.delegate = object(R"({"type":"ptp"})");
  SubnetEnv env = kExample;
  env.ipmasq = false;
  const JsonObject config = object(render(call_of("{}", "1.0.0"), options, env).c_str());
  EXPECT_EQ(config.find("isGateway"), nullptr);
  EXPECT_EQ(*config.find("ipMasq"), "true") << "flanneld doesn't do it";
}

TEST(Render, WithoutSubnetsItIsEnoughForADel) {
  const JsonObject config = object(render(call_of("{}", "1.0.0"), {}, std::nullopt).c_str());
  EXPECT_EQ(*config.find("ipam"), R"({"type":"host-local"})");
  EXPECT_EQ(*config.find("ipMasq"), "true") << "there may be one to take away";
}

FlannelOptions with_defaults() {
  FlannelOptions options;
  options.subnet_file = kPath;
  options.data_dir = "/var/lib/cni/flannel";
  return options;
}

std::string refused(const FlannelOptions& options) {
  return refusal_of([&] { require_valid(options); });
}

TEST(Options, PathsOfOthersAreRefused) {
  EXPECT_EQ(refused(with_defaults()), "");
  for (const char* path : {"", "run/x", "/run/../etc/shadow", "/run/.."}) {
    FlannelOptions options = with_defaults();
    options.data_dir = path;
    EXPECT_THAT(refused(options), HasSubstr("dataDir")) << path;
    options = with_defaults();
    options.subnet_file = path;
    EXPECT_THAT(refused(options), HasSubstr("subnetFile")) << path;
  }
}

TEST(Options, WhatFlannelSetsIsRefusedInTheDelegate) {
  const std::pair<const char*, const char*> kWrong[] = {
      {R"({"name":"x"})", "must not have 'name'"},
      {R"({"ipam":{}})", "must not have 'ipam'"},
      {R"({"type":5})", "(string) 'type' field"},
      {R"({"type":null})", "(string) 'type' field"},
      {R"({"type":"flannel"})", "to itself"}};
  for (const auto& [delegate, said] : kWrong) {
    FlannelOptions options = with_defaults();
    options.delegate = object(delegate);
    EXPECT_THAT(refused(options), HasSubstr(said)) << delegate;
  }
}

TEST(Options, IpamsTypeAndRoutesHaveTheirKinds) {
  FlannelOptions options = with_defaults();
  options.ipam = object(R"({"type":[]})");
  EXPECT_THAT(refused(options), HasSubstr("ipam.type"));
  options.ipam = object(R"({"routes":{}})");
  EXPECT_THAT(refused(options), HasSubstr("ipam.routes"));
}

}  // namespace
}  // namespace unicni::flannel::flannel_test
