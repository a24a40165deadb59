// What a Runtime makes of its plugins' answers.
#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "base/error_for_test.h"
#include "runtime/runtime_for_test.h"

namespace unicni::runtime::runtime_answers_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(RuntimeTest, AnAnswerToAddThatIsNoResultIsAFailedAdd) {  // ERR-07
  for (const char* text : {"garbage", "[1]", "7", ""}) {
    plugins_.forget();
    plugins_.answer("two", "ADD", std::string("echo \"") + text + "\"; exit 0\n");
    const Error error = error_of([&] { runtime_->add(network(), conf_); });
    EXPECT_THAT(error.msg(), HasSubstr("printed no result")) << text;
    EXPECT_FALSE(std::filesystem::exists(entry())) << text;
    const auto verbs = plugins_.verbs();
    EXPECT_EQ(verbs.at(1), "two ADD");
    EXPECT_EQ(verbs.back(), "one DEL") << "it is rolled back";
  }
}

TEST_P(RuntimeTest, APluginThatDiesBySignalIsAFailedAddAndSaysWhy) {  // EXEC-17, ERR-04
  plugins_.answer("two", "ADD", "echo 'last words' >&2; kill -SEGV $$\n");
  const Error error = error_of([&] { runtime_->add(network(), conf_); });
  EXPECT_THAT(error.msg(),
              AllOf(HasSubstr("two"), HasSubstr("signal 11"), HasSubstr("last words")));
  EXPECT_EQ(plugins_.verbs().back(), "one DEL");
  EXPECT_FALSE(std::filesystem::exists(entry()));
}

TEST_P(RuntimeTest, AnEmptyObjectIsAnEmptyResult) {  // ERR-07
  for (const char* text : {"{}", "null"}) {
    plugins_.answer("three", "ADD", std::string("echo '") + text + "'; exit 0\n");
    EXPECT_EQ(runtime_->add(network(), conf_).result.dns.domain, "") << text;
    runtime_->del(network(), conf_);
  }
}

TEST_P(RuntimeTest, WhatOtherVerbsPrintIsIgnored) {  // OUT-02
  for (const char* verb : {"CHECK", "DEL", "GC", "STATUS"}) {
    for (const char* type : {"one", "two", "three"}) {
      plugins_.answer(type, verb, "echo '{\"garbage'; exit 0\n");
    }
  }
  runtime_->status(network());
  runtime_->add(network(), conf_);
  runtime_->check(network(), conf_);
  runtime_->gc(network(), {{"c1", "eth0"}});
  runtime_->del(network(), conf_);
  EXPECT_FALSE(std::filesystem::exists(entry()));
}

TEST_P(RuntimeTest, CheckStopsAtTheFirstErrorAndKeepsItsCode) {  // CHK-06, ERR-02
  attach(network(), conf_);
  plugins_.fail("two", "CHECK", 123, "out of order");
  const Error error = error_of([&] { runtime_->check(network(), conf_); });
  EXPECT_EQ(error.code(), 123U);
  EXPECT_THAT(error.msg(), HasSubstr("out of order"));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one CHECK", "two CHECK"));
}

TEST_P(RuntimeTest, AnEntryThatStaysIsNoReasonToFailDel) {  // DEL-13
  std::filesystem::create_directories(entry() + "/not-empty");
  runtime_->del(network(), conf_);
  EXPECT_THAT(log_.all, HasSubstr("remove the cached result"));
}

TEST_P(RuntimeTest, AContainersInterfacesAreAttachmentsOfTheirOwn) {  // LIFE-06, DEL-15
  RuntimeConf second = conf_;
  second.if_name = "eth1";
  second.args = {{"A", "b"}};
  runtime_->add(network(), conf_);
  runtime_->add(network(), second);
  ASSERT_EQ(runtime_->attachments("c1").size(), 2U);
  runtime_->del(network(), conf_);
  const auto left = runtime_->attachments("c1");
  ASSERT_EQ(left.size(), 1U);
  EXPECT_EQ(left[0].key.if_name, "eth1");
  EXPECT_EQ(left[0].args, second.args);
  EXPECT_EQ(left[0].config, network().text());
  EXPECT_THAT(runtime_->attachments("c2"), IsEmpty());
}

TEST_P(RuntimeTest, TheFirstFolderThatHasThePluginDecides) {  // EXEC-01
  const Plugins others;
  others.install("one");
  others.install("two");
  RuntimeOptions options = options_;
  options.plugin_folders = {others.folder(), plugins_.folder()};
  const Runtime runtime(options);
  runtime.status(network());
  EXPECT_THAT(others.verbs(), ElementsAre("one STATUS", "two STATUS"));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("three STATUS"));
}

}  // namespace
}  // namespace unicni::runtime::runtime_answers_test
