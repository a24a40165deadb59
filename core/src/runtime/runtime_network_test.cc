// Verbs of a whole network, its locks, and where networks come from.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "runtime/netns_for_test.h"
#include "runtime/runtime_for_test.h"

namespace unicni::runtime::runtime_network_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

}  // namespace
}  // namespace unicni::runtime::runtime_network_test
