// A chain as runtimes in Go reach it: Debian's libcni drives the list of one plugin that names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test::libcni_chain_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kFile = "/run/10-mynet.conflist";
constexpr const char* kChain = "/etc/unicni/chains/mynet.yaml";
constexpr const char* kPorts =
    R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})";
constexpr const char* kText =
    "cniVersion: 1.0.0\nplugins:\n"
    "  - type: bridge\n    bridge: cni0\n    isGateway: yes\n"
    "    ipam: {type: host-local, subnet: 10.22.0.0/16}\n"
    "  - {type: portmap, capabilities: {portMappings: yes}}\n"
    "  - {type: tuning, sysctl: {net.core.somaxconn: 517}}\n";

class ChainByLibcni : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(LIBCNI_CLIENT))
      GTEST_SKIP() << "no Go, or no libcni for it: sudo tools/setup --full";
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/chains"});
    write_file(kChain, kText);
    write_file(kFile, tool({stage() + "/bin/unictl", "render", "--wrapper", "mynet"}).out);
  }

  [[nodiscard]] Output go(const std::string& verb, const std::string& id = "c1") const {
    return test::run({.argv = {LIBCNI_CLIENT, verb, kFile, id, container_.path(), "eth0", kPorts},
                      .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_PATH=" + bin_dir()}});
  }
  Json must_go(const std::string& verb, const std::string& id = "c1") const {
    const Output output = go(verb, id);
    EXPECT_TRUE(output.ok()) << verb << output.str();
    return Json::parse(output.out, nullptr, false);
  }
  void expect_nothing_left() const {
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(owners(), IsEmpty());
    EXPECT_THAT(ports(), ::testing::Not(HasSubstr("8080")));
    EXPECT_FALSE(container_.succeeds({"ip", "link", "show", "eth0"}));
  }
  static std::string ports() { return tool({"nft", "list", "ruleset"}).out; }

  Sandbox sandbox_;
  Container container_{"c1"};
};

TEST_F(ChainByLibcni, IsAddedCheckedAndRemoved) {
  const Json result = must_go("add");
  EXPECT_EQ(result["cniVersion"], "1.0.0");
  EXPECT_EQ(result["ips"][0]["address"], "10.22.0.2/16");
  EXPECT_EQ(container_.run({"cat", "/proc/sys/net/core/somaxconn"}).out, "517\n");
  EXPECT_THAT(ports(), HasSubstr("8080")) << "runtimeConfig comes by the wrapper's capabilities";
  EXPECT_EQ(must_go("cached"), result);
  must_go("check");
  must_go("del");
  must_go("del");
  EXPECT_EQ(must_go("cached"), Json());
  expect_nothing_left();
}

TEST_F(ChainByLibcni, WhatTheWrapperDoesNotDeclareIsNotSent) {
  Json wrapper = Json::parse(read_file(kFile));
  wrapper["plugins"][0].erase("capabilities");
  write_file(kFile, wrapper.dump());
  must_go("add");
  EXPECT_THAT(ports(), ::testing::Not(HasSubstr("8080")));
  const Output lint = run({.argv = {stage() + "/bin/unictl", "lint", kFile}});
  EXPECT_THAT(lint.out, HasSubstr("chain mynet uses the capability portMappings"));
  must_go("del");
  expect_nothing_left();
}

TEST_F(ChainByLibcni, ThatIsGoneIsCheckedAndRemovedAllTheSame) {
  must_go("add");
  tool({"rm", "-r", "/etc/unicni", "/run/unicni/compiled"});
  EXPECT_TRUE(go("check").ok());
  must_go("del");
  expect_nothing_left();
  EXPECT_THAT(go("add").err, HasSubstr("no chain \"mynet\" in /etc/unicni/chains"));
}

TEST_F(ChainByLibcni, GcKeepsWhatIsValidAndNothingElse) {
  must_go("add");
  must_go("gc");
  EXPECT_TRUE(go("check").ok()) << "the valid one stays";
  must_go("gc", "another");
  expect_nothing_left();
}

}  // namespace
}  // namespace unicni::test::libcni_chain_test
