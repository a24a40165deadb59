// Members of a list: two of one type, lists that were edited before DEL, programs among them.
#include <algorithm>

#include "integration/chained.h"
#include "support/recorder.h"

namespace unicni::test::members_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::string arp(const std::string& key) { return "net/ipv4/conf/eth0/arp_" + key; }

Json tuning(const std::string& key, const std::string& value) {
  return {{"type", "tuning"}, {"sysctl", {{"net.ipv4.conf.eth0.arp_" + key, value}}}};
}

Json portmap(unsigned host_port) {
  return {{"type", "portmap"},
          {"capabilities", {{"portMappings", true}}},
          {"runtimeConfig",
           {{"portMappings",
             {{{"hostPort", host_port}, {"containerPort", 80}, {"protocol", "tcp"}}}}}}};
}

class Members : public ChainedTest {
 protected:
  static Json list(std::vector<Json> plugins, const std::string& version = "1.1.0") {
    plugins.insert(plugins.begin(), bridge());
    return {{"cniVersion", version}, {"name", "mynet"}, {"type", "unicni"}, {"plugins", plugins}};
  }
  /// A list whose runtime publishes a port.
  static Json publishing(std::vector<Json> plugins, unsigned host_port = 8080) {
    Json config = list(std::move(plugins));
    config["runtimeConfig"] = portmap(host_port)["runtimeConfig"];
    return config;
  }
  static Json without_runtime(Json plugin) {
    plugin.erase("runtimeConfig");
    return plugin;
  }
  /// ADD of bridge and `plugins`, a process each; the attachments in that order.
  std::vector<Attachment> add_each(const std::vector<Json>& plugins, Json& result) {
    std::vector<Attachment> each = {bridged("c1", "1.1.0")};
    result = must_add(each.front());
    for (const Json& plugin : plugins) {
      each.push_back(after(each.front(), result, plugin));
      result = must_add(each.back());
    }
    return each;
  }
  [[nodiscard]] std::string arp_of(const Attachment& job, const std::string& key) {
    return sysctl(arp(key), netns(job));
  }
};

TEST_F(Members, TwoOfATypeHoldAndEachIsUndoneByItself) {
  Json result;
  const auto each = add_each({tuning("ignore", "2"), tuning("filter", "1")}, result);
  EXPECT_EQ(arp_of(each[0], "ignore") + arp_of(each[0], "filter"), "21");
  for (std::size_t i = 1; i < each.size(); ++i) expect_silent_success(each[i].check(result));
  expect_silent_success(each[2].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore") + arp_of(each[0], "filter"), "20");
  expect_silent_success(each[1].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore") + arp_of(each[0], "filter"), "00");
  expect_silent_success(each[0].del(result));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Members, TwoOfATypeWithTheSameKeyAreUndoneInReverse) {
  Json result;
  const auto each = add_each({tuning("ignore", "1"), tuning("ignore", "2")}, result);
  expect_silent_success(each[2].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore"), "1");
  expect_silent_success(each[1].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore"), "0");
}

TEST_F(Members, TwoOfATypeInOneProcess) {
  const Attachment job = attachment(list({tuning("ignore", "2"), tuning("filter", "1")}));
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_EQ(arp_of(job, "ignore") + arp_of(job, "filter"), "21");
  expect_silent_success(job.check(result));
  tool({"sysctl", "-qw", "net.ipv4.conf.eth0.arp_ignore=0"}, netns(job));
  expect_error(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
}

TEST_F(Members, AnEqualMemberTwiceIsOneAndKeepsTheFirstsOriginals) {
  Json result;
  const auto each = add_each({tuning("ignore", "2"), tuning("ignore", "2")}, result);
  EXPECT_EQ(arp_of(each[0], "ignore"), "2");
  expect_silent_success(each[2].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore"), "0");
  expect_silent_success(each[1].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore"), "0");
}

TEST_F(Members, WhatTheRuntimeAddsAndTheOrderOfKeysMakeNoOtherMember) {
  Json result;
  auto each = add_each({tuning("ignore", "2"), tuning("filter", "1")}, result);
  // As another runtime would send it: other version and keys, prevResult of a later plugin.
  Attachment& first = each[1];
  first.config["cniVersion"] = "1.0.0";
  first.config["prevResult"] = result;
  first.config["cni.dev/attachments"] = Json::array();
  first.config["runtimeConfig"] = {{"mac", "02:00:00:00:00:01"}};
  first.config["capabilities"] = {{"mac", true}};
  expect_silent_success(first.del());
  EXPECT_EQ(arp_of(first, "ignore") + arp_of(first, "filter"), "01");
}

TEST_F(Members, AnEditedMemberTakesTheLastOfItsType) {
  Json result;
  auto each = add_each({tuning("ignore", "2"), tuning("filter", "1")}, result);
  each[2].config["sysctl"] = {{"net.ipv4.conf.eth0.arp_filter", "0"}};
  expect_silent_success(each[2].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore") + arp_of(each[0], "filter"), "20");
  each[1].config["sysctl"] = Json::object();
  expect_silent_success(each[1].del(result));
  EXPECT_EQ(arp_of(each[0], "ignore") + arp_of(each[0], "filter"), "00");
}

TEST_F(Members, TheInterfacesDelTakesWhatHasLeftTheList) {
  const Snapshot before = snapshot();
  Json result;
  const auto each = add_each({portmap(8080), tuning("ignore", "2")}, result);
  EXPECT_THAT(owners(), Contains("mynet/c1/eth0"));
  expect_silent_success(each[0].del(result));
  EXPECT_THAT(owners(), Not(Contains("mynet/c1/eth0")));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_EQ(left_on_host(before), "");
}

TEST_F(Members, TheInterfacesDelTakesItWithoutTheModuleThatMadeIt) {
  Json result;
  const auto each = add_each({portmap(8080)}, result);
  Attachment job = each[0];
  tool({"cp", "-a", stage(), "/run/stage"});
  tool({"rm", "/run/stage/lib/unicni/modules/portmap.so"});
  job.folder = "/run/stage/libexec/cni";
  const Output del = job.del(result);
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_THAT(owners(), Not(Contains("mynet/c1/eth0")));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

constexpr const char* kHow[] = {
    "untouched",      "first chained plugin gone",
    "last gone",      "all chained gone",
    "swapped",        "another before",
    "another behind", "options changed",
    "type changed",
};

class EditedList : public Members, public ::testing::WithParamInterface<const char*> {
 protected:
  /// The list of ADD, changed in the way of the parameter.
  [[nodiscard]] static Json edited(Json config) {
    Json& plugins = config["plugins"];
    const std::string how = GetParam();
    if (how == "first chained plugin gone") plugins.erase(1);
    if (how == "last gone") plugins.erase(2);
    if (how == "all chained gone") plugins.erase(plugins.begin() + 1, plugins.end());
    if (how == "swapped") std::swap(plugins[1], plugins[2]);
    if (how == "another before") plugins.insert(plugins.begin() + 1, tuning("announce", "1"));
    if (how == "another behind") plugins.push_back(Json{{"type", "firewall"}});
    if (how == "options changed") plugins[2]["sysctl"] = Json::object();
    if (how == "type changed") plugins[1] = Json{{"type", "firewall"}};
    return config;
  }
  [[nodiscard]] static Json of_add() {
    return publishing({without_runtime(portmap(8080)), tuning("ignore", "2")});
  }
};

TEST_P(EditedList, DelTakesDownWhatAddMade) {
  Attachment job = attachment(of_add());
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  job.config = edited(job.config);
  job.config.erase("runtimeConfig");
  const Output del = job.del(result);
  EXPECT_TRUE(del.ok()) << del.str();
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_THAT(owners(), Not(Contains("mynet/c1/eth0")));
}

TEST_P(EditedList, GcTakesDownWhatAddMade) {
  const Attachment job = attachment(of_add());
  const Snapshot before = snapshot();
  must_add(job);
  Attachment collector = {
      .config = edited(job.config), .netns = "", .container_id = "", .if_name = ""};
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(owners(), Not(Contains("mynet/c1/eth0")));
}

TEST_P(EditedList, NothingDeadComesBackAfterAFlush) {
  Attachment job = attachment(of_add());
  must_add(job);
  container_of(job).remove();
  tool({"nft", "flush", "ruleset"});
  const Attachment other = attachment(
      edited(publishing({without_runtime(portmap(8080)), tuning("ignore", "2")}, 8081)), "c2");
  const Json result = must_add(other);
  EXPECT_THAT(owners(), Not(Contains("mynet/c1/eth0")));
  const Output del = other.del(result);
  EXPECT_TRUE(del.ok()) << del.str();
}

INSTANTIATE_TEST_SUITE_P(How, EditedList, ::testing::ValuesIn(kHow), [](const auto& how) {
  std::string name = how.param;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
});

TEST_F(Members, CheckAsksAlsoForAMemberThatHasLeftTheList) {
  Attachment job = attachment(list({tuning("filter", "1"), tuning("ignore", "2")}));
  const Json result = must_add(job);
  job.config["plugins"].erase(2);
  expect_silent_success(job.check(result));
  tool({"sysctl", "-qw", "net.ipv4.conf.eth0.arp_ignore=0"}, netns(job));
  expect_error(job.check(result));
  expect_silent_success(job.del(result));
}

class ForeignMember : public Members {
 protected:
  Attachment job_of(const Json& config) {
    Attachment job = attachment(config);
    job.cni_path = bin_dir() + ':' + recorder_.folder();
    return job;
  }
  Recorder recorder_{"recorder"};
};

TEST_F(ForeignMember, ThatHasLeftTheListGetsItsDel) {
  Attachment job = job_of(list({Json{{"type", "recorder"}, {"own", 1}}}));
  const Json result = must_add(job);
  job.config["plugins"].erase(1);
  expect_silent_success(job.del(result));
  ASSERT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(Json::parse(recorder_.calls()[1]["stdin"].get<std::string>())["own"], 1);
  EXPECT_EQ(recorder_.calls()[1]["env"]["CNI_CONTAINERID"], "c1");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(ForeignMember, TwoOfAProgramGetTheConfigurationsOfTheirAdds) {
  Attachment job = job_of(
      list({Json{{"type", "recorder"}, {"own", 1}}, Json{{"type", "recorder"}, {"own", 2}}}));
  const Json result = must_add(job);
  job.config["plugins"][1]["own"] = 3;
  expect_silent_success(job.del(result));
  ASSERT_THAT(recorder_.commands(), ElementsAre("ADD", "ADD", "DEL", "DEL"));
  EXPECT_EQ(Json::parse(recorder_.calls()[2]["stdin"].get<std::string>())["own"], 2);
  EXPECT_EQ(Json::parse(recorder_.calls()[3]["stdin"].get<std::string>())["own"], 1);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(ForeignMember, WhoseDelFailedIsToldAgain) {
  Attachment job = job_of(list({Json{{"type", "recorder"}}}));
  const Json result = must_add(job);
  recorder_.answer("DEL", R"({"code": 11, "msg": "later"})", 1);
  expect_error(job.del(result), 11);
  EXPECT_THAT(files_in(kJournals), SizeIs(1));
  recorder_.answer("DEL", "");
  expect_silent_success(job.del(result));
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL", "DEL"));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(ForeignMember, WhoseAttachmentIsCollectedGetsItsDel) {
  const Attachment job = job_of(list({Json{{"type", "recorder"}}}));
  must_add(job);
  Attachment collector = job;
  collector.container_id = collector.netns = collector.if_name = "";
  collector.config["plugins"].erase(1);
  expect_silent_success(collector.gc(Json::array()));
  ASSERT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(recorder_.calls()[1]["env"]["CNI_CONTAINERID"], "c1");
  EXPECT_EQ(recorder_.calls()[1]["env"]["CNI_NETNS"], job.netns);
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::members_test
