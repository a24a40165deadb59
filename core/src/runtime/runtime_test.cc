// What a Runtime does around the plugins of an attachment.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/deadline_for_test.h"
#include "runtime/runtime_for_test.h"

namespace unicni::runtime::runtime_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

INSTANTIATE_TEST_SUITE_P(By, RuntimeTest,
                         ::testing::Values(Isolation::process, Isolation::in_process),
                         [](const auto& isolation) {
                           return isolation.param == Isolation::process ? "Programs" : "Chain";
                         });

#define REQUIRE_PROGRAMS() \
  if (is_in_process()) return

TEST_P(RuntimeTest, AddCallsInOrderAndHandsResultsOn) {
  const AttachResult result = runtime_->add(network(), conf_);
  const auto calls = plugins_.calls();
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD", "two ADD", "three ADD"));
  EXPECT_THAT(calls.at(0).request, Not(HasSubstr("prevResult")));
  EXPECT_THAT(calls.at(1).request, HasSubstr(R"("domain":"one")"));
  EXPECT_THAT(calls.at(2).request, HasSubstr(R"("domain":"two")"));
  EXPECT_EQ(result.cni_version, "1.1.0");
  EXPECT_EQ(result.result.dns.domain, "three");
  EXPECT_THAT(result.text, HasSubstr(R"("cniVersion": "1.1.0")"));
}

TEST_P(RuntimeTest, EachPluginGetsTheSameEnvironment) {
  RuntimeConf conf = conf_;
  conf.args = {{"IgnoreUnknown", "1"}, {"K8S_POD_NAME", "p"}};
  runtime_->add(network(), conf);
  for (const auto& call : plugins_.calls()) {
    EXPECT_EQ(call.container_id, "c1");
    EXPECT_EQ(call.netns, "/run/netns/none");
    EXPECT_EQ(call.if_name, "eth0");
    EXPECT_EQ(call.args, "IgnoreUnknown=1;K8S_POD_NAME=p");
    EXPECT_EQ(call.path, plugins_.folder());
  }
}

TEST_P(RuntimeTest, CapabilitiesDecideWhichArgumentsAPluginGets) {
  RuntimeConf conf = conf_;
  conf.capability_args = R"({"mac":"02:00:00:00:00:01","ips":["10.0.0.1"]})";
  runtime_->add(network("1.0.0", "", R"(,"capabilities":{"mac":true,"ips":false})"), conf);
  const auto calls = plugins_.calls();
  EXPECT_THAT(calls.at(0).request, Not(HasSubstr("runtimeConfig")));
  EXPECT_THAT(calls.at(1).request, AllOf(HasSubstr(R"("runtimeConfig":{"mac":)"),
                                         Not(HasSubstr("ips")), Not(HasSubstr("capabilities"))));
}

TEST_P(RuntimeTest, AddWritesTheCacheAndDelTakesItBackInReverseWithTheFinalResult) {
  RuntimeConf conf = conf_;
  conf.args = {{"A", "b"}};
  attach(network(), conf);
  const auto cached = runtime_->find_attachment({"net", "c1", "eth0"});
  ASSERT_TRUE(cached.has_value());
  EXPECT_EQ(cached->netns, conf.netns);
  EXPECT_EQ(cached->args, conf.args);
  EXPECT_EQ(cached->config, list("1.1.0"));
  EXPECT_THAT(cached->result, HasSubstr(R"("domain":"three")"));
  EXPECT_EQ(runtime_->find_result(network("1.0.0"), conf)->cni_version, "1.0.0");
  EXPECT_EQ(runtime_->attachments().size(), 1U);
  EXPECT_EQ(runtime_->attachments("c2").size(), 0U);

  runtime_->del(network(), conf);
  EXPECT_THAT(plugins_.verbs(), ElementsAre("three DEL", "two DEL", "one DEL"));
  for (const auto& call : plugins_.calls()) {
    EXPECT_THAT(call.request, HasSubstr(R"("domain":"three")"));
  }
  EXPECT_FALSE(fs::exists(entry()));
}

TEST_P(RuntimeTest, DelBefore040HasNoResult) {
  plugins_.answer("three", "ADD", R"(echo '{"cniVersion":"0.3.1","dns":{"domain":"x"}}'; exit 0)");
  plugins_.answer("two", "ADD", R"(echo '{"cniVersion":"0.3.1"}'; exit 0)");
  plugins_.answer("one", "ADD", R"(echo '{"cniVersion":"0.3.1"}'; exit 0)");
  attach(network("0.3.1"), conf_);
  EXPECT_TRUE(fs::exists(entry()));
  runtime_->del(network("0.3.1"), conf_);
  ASSERT_EQ(plugins_.calls().size(), 3U);
  for (const auto& call : plugins_.calls()) EXPECT_THAT(call.request, Not(HasSubstr("prevResult")));
  EXPECT_FALSE(fs::exists(entry()));
}

TEST_P(RuntimeTest, DelWithoutAnEntryOrWithABrokenOneGoesOnWithoutResult) {
  runtime_->del(network(), conf_);
  EXPECT_EQ(plugins_.calls().size(), 3U);
  plugins_.forget();
  write(entry(), "");
  plugins_.fail("three", "DEL", 100, "no");
  EXPECT_THROW(runtime_->del(network(), conf_), Error);
  EXPECT_FALSE(fs::exists(entry())) << "a broken entry goes before the plugins are called";
  EXPECT_THAT(plugins_.calls().at(0).request, Not(HasSubstr("prevResult")));
}

TEST_P(RuntimeTest, DelLeavesAnotherAttachmentsEntryOfTheSameFileName) {
  const RuntimeConf other{"b-c", "/run/netns/none", "eth0"};
  const auto a =
      Runtime::parse_network(R"({"cniVersion":"1.0.0","name":"a","plugins":[{"type":"one"}]})");
  const auto a_b =
      Runtime::parse_network(R"({"cniVersion":"1.0.0","name":"a-b","plugins":[{"type":"one"}]})");
  attach(a, other);
  runtime_->del(a_b, {"c", "", "eth0"});
  EXPECT_TRUE(fs::exists(entry("a-b-c-eth0")));
}

TEST_P(RuntimeTest, AFailedDelKeepsTheEntry) {
  attach(network(), conf_);
  plugins_.fail("two", "DEL", 123, "busy");
  try {
    runtime_->del(network(), conf_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 123U);
    EXPECT_THAT(error.msg(), HasSubstr("two"));
  }
  EXPECT_TRUE(fs::exists(entry()));
  REQUIRE_PROGRAMS();
  EXPECT_THAT(plugins_.verbs(), ElementsAre("three DEL", "two DEL"));
}

TEST_P(RuntimeTest, AFailedAddIsRolledBackAndCachesNothing) {
  plugins_.fail("two", "ADD", 111, "full");
  try {
    runtime_->add(network(), conf_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 111U);
    EXPECT_EQ(error.msg(), "two: full");
    EXPECT_EQ(error.details(), "");
  }
  EXPECT_FALSE(fs::exists(entry()));
  EXPECT_THAT(plugins_.verbs(),
              ::testing::IsSupersetOf({"one ADD", "two ADD", "two DEL", "one DEL"}));
  EXPECT_THAT(plugins_.verbs(), Not(::testing::Contains("three ADD")));
}

/// With the time of a DEL, as none of ADD's is left.
TEST_P(RuntimeTest, AMemberThatHangsIsRolledBackWithTheOthers) {
  plugins_.answer("two", "ADD", "exec sleep 60\n");
  try {
    runtime_->add(network(), conf_, {.time = std::chrono::milliseconds(2500 * kSlowness)});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("two"));
    EXPECT_EQ(error.details().find("roll-back"), std::string::npos) << error.details();
  }
  EXPECT_THAT(plugins_.verbs(),
              ::testing::IsSupersetOf({"one ADD", "two ADD", "two DEL", "one DEL"}));
}

TEST_P(RuntimeTest, WhatCouldNotBeRolledBackIsInTheError) {
  plugins_.fail("three", "ADD", 111, "full");
  plugins_.fail("one", "DEL", 7, "stuck");
  try {
    runtime_->add(network(), conf_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 111U);
    EXPECT_THAT(error.details(), HasSubstr("roll-back: one: stuck"));
  }
}

TEST_P(RuntimeTest, AnAttachmentThatLivesIsNotRolledBack) {
  REQUIRE_PROGRAMS();
  attach(network(), conf_);
  plugins_.fail("one", "ADD", 111, "there is one");
  try {
    runtime_->add(network(), conf_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.details(), HasSubstr("nothing is rolled back"));
  }
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD"));
  EXPECT_TRUE(fs::exists(entry()));
}

TEST_P(RuntimeTest, AnEntryThatCannotBeWrittenRollsBack) {
  write(state_ / "cni/results", "a file where the folder should be");
  EXPECT_THROW(runtime_->add(network(), conf_), Error);
  EXPECT_THAT(plugins_.verbs(),
              ElementsAre("one ADD", "two ADD", "three ADD", "three DEL", "two DEL", "one DEL"));
}

TEST_P(RuntimeTest, NamesAreRefusedBeforeAnyPlugin) {
  const auto code_of = [&](const RuntimeConf& conf) -> unsigned {
    try {
      runtime_->add(network(), conf);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code_of({"", "/n", "eth0"}), 3U);
  EXPECT_EQ(code_of({"_c", "/n", "eth0"}), 4U);
  EXPECT_EQ(code_of({"c1", "/n", "a/b"}), 4U);
  EXPECT_EQ(code_of({"c1", "/n", "sixteen-bytes-00"}), 4U);
  EXPECT_EQ(code_of({"c1", "/n", "eth0", {{"A", "b=c"}}}), 4U);
  EXPECT_THROW((void)Runtime::parse_network(R"({"name":"a/b","plugins":[{"type":"one"}]})"), Error);
  EXPECT_THROW(runtime_->add(network("9.9.9"), conf_), Error);
  EXPECT_THAT(plugins_.calls(), IsEmpty());
}

TEST_P(RuntimeTest, APluginThatIsNotThereChangesNothing) {
  fs::remove(plugins_.folder() + "/three");
  EXPECT_THROW(runtime_->add(network(), conf_), Error);
  EXPECT_THAT(plugins_.calls(), IsEmpty());
}

TEST_P(RuntimeTest, CheckGivesAllTheFinalResult) {
  attach(network(), conf_);
  runtime_->check(network(), conf_);
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one CHECK", "two CHECK", "three CHECK"));
  for (const auto& call : plugins_.calls()) {
    EXPECT_THAT(call.request, HasSubstr(R"("domain":"three")"));
  }
  plugins_.forget();
  plugins_.fail("two", "CHECK", 105, "gone");
  try {
    runtime_->check(network(), conf_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 105U);
  }
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one CHECK", "two CHECK"));
}

TEST_P(RuntimeTest, CheckNeedsAVersionAnAttachmentAndLeave) {
  const auto code_of = [&](const NetworkConfig& network) -> unsigned {
    try {
      runtime_->check(network, conf_);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code_of(network("0.3.1", R"("disableCheck":true,)")), 1U);
  EXPECT_EQ(code_of(network("1.0.0", R"("disableCheck":true,)")), 0U);
  EXPECT_EQ(code_of(network("1.0.0")), 3U);
  write(entry(), "{");
  EXPECT_EQ(code_of(network("1.0.0")), 3U);
  EXPECT_TRUE(fs::exists(entry())) << "CHECK changes nothing";
  EXPECT_THAT(plugins_.calls(), IsEmpty());
}

TEST_P(RuntimeTest, CheckWithoutAResultIsThePluginsMatterIfAskedFor) {
  VerbOptions as_libcni;
  as_libcni.check_without_result = true;
  REQUIRE_PROGRAMS();
  runtime_->check(network("1.0.0"), conf_, as_libcni);
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one CHECK", "two CHECK", "three CHECK"));
  EXPECT_THAT(plugins_.calls()[0].request, Not(HasSubstr("prevResult")));
  write(entry(), "{");
  EXPECT_THROW(runtime_->check(network("1.0.0"), conf_, as_libcni), Error) << "a broken entry";
}

TEST_P(RuntimeTest, DelAndGcGoOnWhereLocksCannotBeMade) {
  REQUIRE_PROGRAMS();  // the chain's journal needs the folder as well
  runtime_->add(network(), conf_);
  fs::remove_all(state_ / "run");
  write(state_ / "run", "no folder");
  EXPECT_THROW(runtime_->add(network(), {"c2", "", "eth0"}), Error);
  EXPECT_THROW(runtime_->check(network(), conf_), Error);
  EXPECT_EQ(log_.all, "");
  plugins_.forget();
  runtime_->gc(network(), {{"c1", "eth0"}});
  runtime_->del(network(), conf_);
  EXPECT_THAT(plugins_.verbs(),
              ElementsAre("one GC", "two GC", "three GC", "three DEL", "two DEL", "one DEL"));
  EXPECT_THAT(log_.all, HasSubstr("other processes are not kept out"));
}

TEST_P(RuntimeTest, APluginThatHangsIsEndedAtTheDeadline) {
  plugins_.answer("one", "ADD", "sleep 60; exit 0\n");
  const auto start = std::chrono::steady_clock::now();
  try {
    runtime_->add(network(), conf_, {.time = std::chrono::milliseconds(300)});
    ADD_FAILURE() << "attached";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again)) << error.code() << ' ' << error.msg();
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_P(RuntimeTest, TheTraceOfTheCallerReachesPlugins) {
  plugins_.answer("one", "STATUS", "echo $TRACEPARENT >&2; exit 0\n");
  const std::string parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  runtime_->status(network(), {.trace = {{"TRACEPARENT", parent}}});
  EXPECT_EQ(log_.all, parent + "\n");
}

TEST_P(RuntimeTest, AnObserverHearsOfEachProgram) {
  class Heard final : public Observer {
   public:
    void on_event(const Event& event) noexcept override {
      if (event.phase == Phase::program) {
        objects.push_back(std::to_string(event.place.value_or(9)) + ' ' +
                          std::string(event.member) + ": " + std::string(event.object));
      }
    }
    std::vector<std::string> objects;
  } heard;
  options_.observer = &heard;
  const Runtime runtime(options_);
  runtime.status(network());
  EXPECT_THAT(heard.objects, ElementsAre("0 one: STATUS " + plugins_.folder() + "/one",
                                         "1 two: STATUS " + plugins_.folder() + "/two",
                                         "2 three: STATUS " + plugins_.folder() + "/three"));
}

TEST_P(RuntimeTest, EntriesOfOthersAreUsed) {
  write(entry(), R"({"kind":"cniCacheV1","containerId":"c1","config":"","ifName":"eth0",)"
                 R"("networkName":"net","stranger":1,)"
                 R"("result":{"cniVersion":"0.4.0","dns":{"domain":"theirs"}}})");
  runtime_->check(network("1.0.0"), conf_);
  for (const auto& call : plugins_.calls()) {
    EXPECT_THAT(call.request, AllOf(HasSubstr(R"("prevResult":{"cniVersion":"1.0.0")"),
                                    HasSubstr(R"("domain":"theirs")")));
  }
  EXPECT_THAT(content(entry()), HasSubstr(R"("stranger":1)"));
}

TEST_P(RuntimeTest, WhatPluginsSayOnStderrIsInTheLog) {
  plugins_.answer("one", "STATUS", "echo hello >&2; exit 0\n");
  runtime_->status(network());
  EXPECT_EQ(log_.all, "hello\n");
}

}  // namespace
}  // namespace unicni::runtime::runtime_test
