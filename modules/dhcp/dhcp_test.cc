// What dhcp's configuration means on the wire, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_for_test.h"
#include "config.h"
#include "unicni/error.h"

namespace unicni::dhcp::dhcp_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DhcpOptionsTest : public testing::Test {
 protected:
  DhcpOptionsTest() {
    options_.socket_path = kDefaultSocket;
    call_.key = {"net", "c1", "eth0"};
    call_.parsed_options = &options_;
  }
  [[nodiscard]] std::string text_of(OptionCode code) const {
    const Options sent = provided(call_);
    const auto found = sent.find(static_cast<std::uint8_t>(code));
    return found == sent.end() ? "none" : std::string(found->second.begin(), found->second.end());
  }
  Error refusal() {
    return error_of([&] { require_valid(options_); });
  }

  DhcpOptions options_;
  Call call_;
};

TEST_F(DhcpOptionsTest, OptionsHaveTheReferencesNamesOrNumbers) {
  EXPECT_EQ(option_code("dhcp-client-identifier"), 61);
  EXPECT_EQ(option_code("subnet-mask"), 1);
  EXPECT_EQ(option_code("routers"), 3);
  EXPECT_EQ(option_code("host-name"), 12);
  EXPECT_EQ(option_code("user-class"), 77);
  EXPECT_EQ(option_code("vendor-class-identifier"), 60);
  EXPECT_EQ(option_code("254"), 254);
  for (const char* text : {"", "0", "255", "256", "-1", "1x", "0x1", " 1"}) {
    EXPECT_EQ(error_of([&] { option_code(text); }).msg(),
              "Can not parse option \"" + std::string(text) + "\"");
  }
}

TEST_F(DhcpOptionsTest, AnUnknownNameIsAnsweredWithTheNearest) {
  options_.request.push_back({false, "router"});
  EXPECT_TRUE(refusal().is(Code::invalid_config));
  EXPECT_EQ(refusal().details(), "did you mean routers?");
}

TEST_F(DhcpOptionsTest, ASocketHasAnAbsolutePath) {
  for (const std::string& path : {std::string("dhcp.sock"), std::string(), std::string("/run/"),
                                  "/" + std::string(107, 'a'), std::string("/a\0b", 4)}) {
    options_.socket_path = path;
    EXPECT_TRUE(refusal().is(Code::invalid_config)) << path;
    EXPECT_THAT(refusal().msg(), HasSubstr("daemonSocketPath"));
  }
}

TEST_F(DhcpOptionsTest, TheHostNameIsThePodsUnlessATemplateSaysMore) {
  EXPECT_EQ(text_of(OptionCode::host_name), "none");
  call_.args = {{"K8S_POD_NAME", "db-0"}, {"K8S_POD_NAMESPACE", "shop"}};
  EXPECT_EQ(text_of(OptionCode::host_name), "db-0");
  options_.hostname = "${K8S_POD_NAME}.${K8S_POD_NAMESPACE}";
  EXPECT_EQ(text_of(OptionCode::host_name), "db-0.shop");
  options_.hostname = "${MISSING}";
  EXPECT_THAT(error_of([&] { provided(call_); }).msg(), HasSubstr("CNI_ARGS has no MISSING"));
  options_.hostname = "${";
  EXPECT_TRUE(refusal().is(Code::invalid_config));
  options_.hostname = "";
  EXPECT_EQ(text_of(OptionCode::host_name), "none");
}

TEST_F(DhcpOptionsTest, AHostNameIsOneOfRfc1123) {
  for (const std::string& name : {std::string("a b"), std::string("a\nb"), std::string("a_b"),
                                  std::string("-a"), std::string("a..b"), std::string(64, 'a')}) {
    options_.hostname = name;
    EXPECT_TRUE(refusal().is(Code::invalid_config)) << name;
    EXPECT_THAT(refusal().msg(), HasSubstr("is no host name"));
  }
  call_.args = {{"NAME", "a\x01"}, {"K8S_POD_NAME", "db 0"}};
  options_.hostname = "x-${NAME}";
  EXPECT_THAT(error_of([&] { provided(call_); }).msg(), HasSubstr("is no host name"));
  options_.hostname.reset();
  EXPECT_EQ(text_of(OptionCode::host_name), "none");
  EXPECT_EQ(unfit_pod_name(call_), "db 0");
  call_.args = {{"K8S_POD_NAME", "db-0"}};
  EXPECT_EQ(unfit_pod_name(call_), std::nullopt);
}

TEST_F(DhcpOptionsTest, TheClientIdIsTheReferencesUnlessATemplateOrAnOptionSaysAnother) {
  const auto id = [&] {
    const Bytes bytes = client_id(call_);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(id(), std::string(1, '\0') + "c1/net/eth0");
  call_.args = {{"K8S_POD_NAME", "db-0"}};
  options_.client_id = "pod-${K8S_POD_NAME}";
  EXPECT_EQ(id(), std::string(1, '\0') + "pod-db-0");
  options_.provide.push_back({"dhcp-client-identifier", "raw", ""});
  EXPECT_EQ(id(), "raw");
}

TEST_F(DhcpOptionsTest, ALongClientIdEndsInAHashAndTellsInterfacesApart) {
  const auto long_id = [&](std::size_t size, const char* if_name) {
    call_.key.container_id = std::string(size, 'c');
    call_.key.if_name = if_name;
    return client_id(call_);
  };
  EXPECT_EQ(long_id(91, "eth0").size(), 101U);
  EXPECT_EQ(long_id(91, "eth0").back(), '0') << "as it is";
  for (const std::size_t size : {92U, 110U, 300U}) {
    EXPECT_EQ(long_id(size, "eth0").size(), 101U);
    EXPECT_NE(long_id(size, "eth0"), long_id(size, "eth1"));
    EXPECT_EQ(long_id(size, "eth0"), long_id(size, "eth0"));
  }
  options_.client_id = std::string(200, 'x');
  EXPECT_EQ(long_id(1, "eth0").size(), 101U);
  options_.provide.push_back({"dhcp-client-identifier", std::string(200, 'x'), ""});
  EXPECT_EQ(long_id(1, "eth0").size(), 200U) << "given bytes are not changed";
}

TEST_F(DhcpOptionsTest, ProvidedValuesComeFromTheConfigurationOrFromArguments) {
  options_.vendor_class = "unicni";
  options_.provide = {
      {"host-name", "fixed", ""}, {"user-class", "otherwise", "CLASS"}, {"43", "", "ABSENT"}};
  EXPECT_EQ(text_of(OptionCode::host_name), "fixed");
  EXPECT_EQ(text_of(OptionCode::user_class), "otherwise");
  EXPECT_EQ(text_of(OptionCode::vendor_class), "unicni");
  EXPECT_FALSE(provided(call_).contains(43));
  call_.args = {{"CLASS", "old"}, {"CLASS", "gold"}};
  EXPECT_EQ(text_of(OptionCode::user_class), "gold");
  options_.provide.push_back({"host-name", std::string(256, 'x'), ""});
  EXPECT_THAT(refusal().msg(), HasSubstr("value too long"));
}

TEST_F(DhcpOptionsTest, WhatTheProtocolSetsItselfCantBeProvided) {
  for (const char* code : {"50", "52", "53", "54", "55", "57"}) {
    options_.provide = {{code, "x", ""}};
    EXPECT_THAT(refusal().msg(), HasSubstr("set by the DHCP client itself")) << code;
  }
  options_.provide = {{"82", "x", ""}};
  EXPECT_EQ(refusal().msg(), "provide: option 82 is sent by relays alone");
  // As the reference; a lease's time is a wish.
  options_.provide = {{"subnet-mask", "xxxx", ""}, {"routers", "xxxx", ""}, {"51", "xxxx", ""}};
  EXPECT_NO_THROW(require_valid(options_));
}

TEST_F(DhcpOptionsTest, TheRequestListFollowsTheReference) {
  EXPECT_THAT(requested(options_), testing::IsSupersetOf({1, 3, 6, 15, 26, 33, 119, 121, 249}));
  options_.request = {{false, "121"}, {false, "routers"}};
  EXPECT_THAT(requested(options_), ElementsAre(121, 3, 1));
  options_.request.push_back({true, ""});
  EXPECT_THAT(requested(options_), ElementsAre(121, 3));
  options_.request = {{true, ""}};
  EXPECT_THAT(requested(options_), IsEmpty());
  EXPECT_EQ(error_of([&] {
              require_valid(options_);
              throw Error(Code::internal, "valid");
            }).msg(),
            "valid");
  options_.request = {{false, ""}};
  EXPECT_EQ(refusal().msg(), "request: an element names no option");
}

TEST_F(DhcpOptionsTest, WhatIsSentFitsAPacket) {
  for (int code = 200; code < 204; ++code) {
    options_.provide.push_back({std::to_string(code), std::string(223, 'x'), ""});
  }
  EXPECT_EQ(provided(call_).size(), 4U) << "900 bytes";
  options_.provide[0].value += 'x';
  const Error error = error_of([&] { provided(call_); });
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_EQ(error.msg(), "provide: the options to send have 901 bytes, at most 900 fit a packet");
}

}  // namespace
}  // namespace unicni::dhcp::dhcp_test
