// What a Runtime does around plugins, shown by plugins that remember how they were called.
#include "unicni/runtime.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "runtime/plugins_for_test.h"
#include "unicni/sys/fd.h"

namespace unicni::runtime::runtime_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Lines : public LogSink {
 public:
  void log(LogLevel, std::string_view, std::string_view text) noexcept override {
    all.append(text).append("\n");
  }
  void pass_on(std::string_view bytes) noexcept override { all.append(bytes); }
  std::string all;
};

class RuntimeTest : public ::testing::TestWithParam<Isolation> {
 protected:
  RuntimeTest() {
    for (const char* type : {"one", "two", "three"}) plugins_.install(type);
    options_.plugin_folders = {plugins_.folder()};
    options_.network_folder = state_ / "net.d";
    options_.folders.run = state_ / "run";
    options_.folders.cni_state = state_ / "cni";
    options_.isolation = GetParam();
    options_.log = &log_;
    options_.environment = {{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "CNI_IFNAME=inherited"}};
    runtime_.emplace(options_);
  }
  static std::string list(const std::string& version, const std::string& more = "",
                          const std::string& of_two = "") {
    return R"({"cniVersion":")" + version + R"(","name":"net",)" + more +
           R"("plugins":[{"type":"one"},{"type":"two")" + of_two + R"(},{"type":"three"}]})";
  }
  static NetworkConfig network(const std::string& version = "1.1.0", const std::string& more = "",
                               const std::string& of_two = "") {
    return Runtime::parse_network(list(version, more, of_two));
  }
  [[nodiscard]] std::string entry(const std::string& name = "net-c1-eth0") const {
    return state_ / ("cni/results/" + name);
  }
  [[nodiscard]] std::string content(const std::string& path) const {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
  }
  /// The list by another hand than the runtime's: what the plugins saw before doesn't count.
  void attach(const NetworkConfig& network, const RuntimeConf& conf) {
    runtime_->add(network, conf);
    plugins_.forget();
  }
  [[nodiscard]] bool is_in_process() const { return GetParam() == Isolation::in_process; }

  TempFolder state_;
  Plugins plugins_;
  Lines log_;
  RuntimeOptions options_;
  std::optional<Runtime> runtime_;
  const RuntimeConf conf_{"c1", "/run/netns/none", "eth0"};
};

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
  EXPECT_THROW(Runtime::parse_network(R"({"name":"a/b","plugins":[{"type":"one"}]})"), Error);
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

/// A namespace that stands for as long as this.
class LivingNetns {
 public:
  LivingNetns() {
    std::thread([&] {
      if (::unshare(CLONE_NEWNET) == 0) {
        fd_ = sys::Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
      }
    }).join();
  }
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
  }

 private:
  sys::Fd fd_;
};

TEST_P(RuntimeTest, GcDeletesStaleAttachmentsThenCollects) {
  const LivingNetns netns;
  RuntimeConf stale{"c2", "/run/netns/other", "eth1", {{"K", "v"}}};
  attach(network(), {"c1", netns.path(), "eth0"});
  attach(network(), stale);
  runtime_->gc(network(), {{"c1", "eth0"}});
  EXPECT_THAT(plugins_.verbs(),
              ElementsAre("three DEL", "two DEL", "one DEL", "one GC", "two GC", "three GC"));
  const auto calls = plugins_.calls();
  EXPECT_EQ(calls.at(0).container_id, "c2");
  EXPECT_EQ(calls.at(0).netns, "/run/netns/other");
  EXPECT_EQ(calls.at(0).args, "K=v");
  EXPECT_EQ(calls.at(3).container_id, "");
  const std::string valid = R"([{"containerID":"c1","ifname":"eth0"}])";
  EXPECT_THAT(calls.at(3).request, AllOf(HasSubstr(R"("cni.dev/valid-attachments":)" + valid),
                                         HasSubstr(R"("cni.dev/attachments":)" + valid)));
  EXPECT_EQ(runtime_->attachments().size(), 1U);
}

TEST_P(RuntimeTest, GcWithNothingValidSendsAnEmptyList) {
  runtime_->gc(network(), {});
  EXPECT_THAT(plugins_.calls().at(0).request, HasSubstr(R"("cni.dev/valid-attachments":[])"));
}

TEST_P(RuntimeTest, GcGoesOnPastErrorsAndTellsThemAll) {
  attach(network(), conf_);
  plugins_.fail("three", "DEL", 101, "no del");
  plugins_.fail("one", "GC", 102, "no gc");
  try {
    runtime_->gc(network(), {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 101U);
    EXPECT_THAT(error.msg(), HasSubstr("delete stale attachment c1 eth0"));
    EXPECT_THAT(error.details(), HasSubstr("no gc"));
  }
  EXPECT_THAT(plugins_.verbs(), ::testing::IsSupersetOf({"one GC", "two GC", "three GC"}));
}

TEST_P(RuntimeTest, GcBefore110OnlyDeletesAndWithDisableGcDoesNothing) {
  attach(network("1.0.0"), conf_);
  runtime_->gc(network("1.0.0", R"("disableGC":true,)"), {});
  EXPECT_THAT(plugins_.calls(), IsEmpty());
  runtime_->gc(network("1.0.0"), {});
  EXPECT_THAT(plugins_.verbs(), ElementsAre("three DEL", "two DEL", "one DEL"));
}

TEST_P(RuntimeTest, GcRemovesBrokenEntriesOfItsNetworkAndLeavesOthers) {
  write(entry("net-c9-eth0"), "");
  write(entry("other-c9-eth0"), "");
  runtime_->gc(network(), {});
  EXPECT_FALSE(fs::exists(entry("net-c9-eth0")));
  EXPECT_TRUE(fs::exists(entry("other-c9-eth0")));
}

TEST_P(RuntimeTest, StatusStopsAtTheFirstErrorAndKeepsItsCode) {
  runtime_->status(network());
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one STATUS", "two STATUS", "three STATUS"));
  plugins_.forget();
  plugins_.fail("two", "STATUS", 50, "full");
  try {
    runtime_->status(network());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), 50U);
  }
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one STATUS", "two STATUS"));
  plugins_.forget();
  runtime_->status(network("1.0.0"));
  EXPECT_THAT(plugins_.calls(), IsEmpty());
}

TEST_P(RuntimeTest, ValidateTellsAllThatIsWrong) {
  plugins_.answer("one", "VERSION",
                  R"(echo '{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0"]}'; exit 0)");
  plugins_.answer("two", "VERSION",
                  R"(echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'; exit 0)");
  fs::remove(plugins_.folder() + "/three");
  EXPECT_THAT(runtime_->supported_versions("one"), ElementsAre("1.0.0", "1.1.0"));
  try {
    runtime_->validate(network());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg() + error.details(),
                AllOf(HasSubstr("two: it doesn't support version 1.1.0"), HasSubstr("three")));
  }
  const auto good = Runtime::parse_network(
      R"({"name":"n","cniVersion":"1.0.0","plugins":[{"type":"one","capabilities":{"mac":true}},)"
      R"({"type":"two","capabilities":{"ips":true,"dns":false}}]})");
  EXPECT_THAT(runtime_->validate(good), ElementsAre("ips", "mac"));
}

TEST_P(RuntimeTest, NetworksComeFromTheFolderFilesAndBytes) {
  write(state_ / "net.d/10-a.conflist", list("1.0.0"));
  write(state_ / "net.d/20-b.conf", R"({"name":"single","type":"one"})");
  write(state_ / "net.d/30-c.conflist", "{");
  EXPECT_THAT(runtime_->get_network("net").types(), ElementsAre("one", "two", "three"));
  EXPECT_EQ(runtime_->list_networks().size(), 3U);
  EXPECT_TRUE(runtime_->list_networks().at(1).problem.has_value());
  fs::remove(state_ / "net.d/30-c.conflist");
  EXPECT_EQ(runtime_->get_network("single").source(), state_ / "net.d/20-b.conf");
  EXPECT_EQ(Runtime::get_network_file(state_ / "net.d/20-b.conf").name(), "single");
  EXPECT_THROW((void)runtime_->get_network("none"), Error);
}

TEST_P(RuntimeTest, APluginThatHangsIsEndedAtTheDeadline) {
  plugins_.answer("one", "ADD", "sleep 60; exit 0\n");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(runtime_->add(network(), conf_, {.time = std::chrono::milliseconds(300)}), Error);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_P(RuntimeTest, OneContainerHasOneVerbAndItsNetworkNoGcMeanwhile) {
  // Fails if another one is at work.
  const std::string alone =
      "mkdir \"${0%/*}/busy\" || exit 9; sleep 0.05; rmdir \"${0%/*}/busy\"\n";
  for (const char* verb : {"ADD", "DEL", "GC"}) plugins_.answer("one", verb, alone);
  const LivingNetns netns;
  std::vector<std::thread> threads;
  for (const char* if_name : {"eth0", "eth1", "eth2"}) {
    threads.emplace_back([&, if_name] {
      const RuntimeConf conf{"c1", netns.path(), if_name};
      EXPECT_NO_THROW(runtime_->add(network(), conf)) << if_name;
      EXPECT_NO_THROW(runtime_->del(network(), conf)) << if_name;
    });
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_NO_THROW(runtime_->gc(network(), {{"c1", "eth0"}, {"c1", "eth1"}, {"c1", "eth2"}}));
  }
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(fs::is_empty(options_.folders.run + "/locks"));
}

TEST_P(RuntimeTest, WhoWaitsInVainIsToldTheHolder) {
  plugins_.answer("one", "ADD", "sleep 1\n");
  std::thread holder([&] { runtime_->add(network(), conf_); });
  while (plugins_.calls().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  try {
    runtime_->del(network(), conf_, {.time = std::chrono::milliseconds(100)});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again));
    EXPECT_THAT(error.details(), HasSubstr("ADD of net/c1/eth0"));
  }
  holder.join();
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
        objects.push_back(std::string(event.member) + ": " + std::string(event.object));
      }
    }
    std::vector<std::string> objects;
  } heard;
  options_.observer = &heard;
  const Runtime runtime(options_);
  runtime.status(network());
  EXPECT_THAT(heard.objects, ElementsAre("one: STATUS " + plugins_.folder() + "/one",
                                         "two: STATUS " + plugins_.folder() + "/two",
                                         "three: STATUS " + plugins_.folder() + "/three"));
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
