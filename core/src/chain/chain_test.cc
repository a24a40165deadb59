#include "chain/chain.h"

#include <gtest/gtest.h>

#include "unicni/error.h"

namespace unicni::chain::chain_test {
namespace {

class Nobody : public Caller {
  void on_member(std::string_view) override {}
  void on_result(const std::string&) override {}
};

/// Code of the refusal, 0 if there is none.
unsigned refusal(Command command, const std::string& netconf, const std::string& invoked_as,
                 std::vector<std::string> environment = {}) {
  protocol::Environment env;
  env.netns = "/nonexistent";
  env.container_id = "c";
  env.if_name = "eth0";
  const Services services;
  module::Cache modules;
  const Request request{command,
                        env,
                        protocol::Netconf::parse(netconf),
                        invoked_as,
                        {"/nonexistent/unicni", {"/nonexistent/modules"}, {}},
                        std::move(environment),
                        std::chrono::steady_clock::now() + std::chrono::seconds(5),
                        services,
                        modules};
  try {
    require_network_name(request.netconf, invoked_as);
    Nobody nobody;
    run(request, nobody);
    return 0;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Chain, OnlyLoopbackBelow040MayLackAName) {
  const auto code = [](const char* netconf, const char* as) {
    try {
      require_network_name(protocol::Netconf::parse(netconf), as);
      return 0U;
    } catch (const Error& error) {
      return error.code();
    }
  };
  EXPECT_EQ(code(R"({"cniVersion":"0.2.0"})", "loopback"), 0U);
  EXPECT_EQ(code(R"({"cniVersion":"0.3.1"})", "loopback"), 0U);
  EXPECT_EQ(code(R"({"cniVersion":"0.4.0"})", "loopback"), 7U);
  EXPECT_EQ(code(R"({"cniVersion":"0.2.0"})", "bridge"), 7U);
  EXPECT_EQ(code(R"({"cniVersion":"0.2.0","name":"a/b"})", "bridge"), 7U);
  EXPECT_EQ(code(R"({"cniVersion":"0.2.0","name":"a.b-c_1"})", "bridge"), 0U);
}

TEST(Chain, VerbsThatTheVersionDoesNotHaveAreRefused) {
  EXPECT_EQ(refusal(Command::check, R"({"cniVersion":"0.3.1","name":"n","type":"x"})", "x"), 1U);
  EXPECT_EQ(refusal(Command::gc, R"({"cniVersion":"1.0.0","name":"n","type":"x"})", "x"), 1U);
  EXPECT_EQ(refusal(Command::status, R"({"cniVersion":"1.0.0","name":"n","type":"x"})", "x"), 1U);
  EXPECT_EQ(refusal(Command::check, R"({"cniVersion":"abc","name":"n","type":"x"})", "x"), 6U);
}

TEST(Chain, AMissingModuleIsAnErrorButNotForDel) {
  EXPECT_EQ(refusal(Command::add, R"({"cniVersion":"1.0.0","name":"n","type":"x"})", "x"), 7U);
}

TEST(Chain, ListsNeedMembersWithLegalTypesAndDoNotNest) {
  const auto add = [](const std::string& plugins) {
    return refusal(Command::add,
                   R"({"cniVersion":"1.0.0","name":"n","type":"unicni","plugins":)" + plugins + "}",
                   "unicni");
  };
  EXPECT_EQ(add("[]"), 7U);
  EXPECT_EQ(add("[1]"), 7U);
  EXPECT_EQ(add(R"([{"type":"../x"}])"), 7U);
  EXPECT_EQ(add(R"([{"type":"unicni"}])"), 7U);
}

TEST(Chain, CallsDoNotNestForEver) {
  EXPECT_EQ(refusal(Command::add, R"({"cniVersion":"1.0.0","name":"n","type":"x"})", "x",
                    {"UNICNI_DEPTH=8"}),
            999U);
}

}  // namespace
}  // namespace unicni::chain::chain_test
