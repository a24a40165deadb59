// GC removes what no valid attachment owns, of this network only; STATUS tells whether ADD could
// work.
#include <algorithm>

#include "integration/host_test.h"

namespace unicni::test::gc_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json network(const std::string& name, const std::string& bridge, const std::string& subnet) {
  Json config = with_version(mynet(), "1.1.0");
  config["name"] = name;
  config["bridge"] = bridge;
  config["ipam"]["subnet"] = subnet;
  return config;
}

class Gc : public HostTest {
 protected:
  void SetUp() override {
    const Json config = network("mynet", "cni0", "10.22.0.0/16");
    for (const char* name : {"c1", "c2", "c3"}) {
      jobs_.push_back(attachment(config, name));
      results_.push_back(must_add(jobs_.back()));
    }
    neighbour_ = attachment(network("other", "cni1", "10.33.0.0/16"), "n1");
    neighbour_result_ = must_add(neighbour_);
  }
  /// As libcni calls it: no container.
  [[nodiscard]] Attachment collector() const {
    return {.config = jobs_[0].config, .netns = "", .container_id = "", .if_name = ""};
  }
  Output collect(const Json& lists) {
    Json request = collector().config;
    for (const auto& [key, value] : lists.items()) request[key] = value;
    return collector().call("GC", request);
  }
  void expect_only(const std::vector<std::size_t>& alive) {
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      SCOPED_TRACE(jobs_[i].container_id);
      const bool lives = std::find(alive.begin(), alive.end(), i) != alive.end();
      const int netns = container_of(jobs_[i]).fd();
      if (lives) {
        expect_silent_success(jobs_[i].check(results_[i]));
      } else {
        EXPECT_THAT(link_names(netns), IsEmpty());
      }
    }
    EXPECT_EQ(reservations("mynet").size(), alive.size());
    EXPECT_EQ(masqueraded(4).size(), alive.size() + 1);
    EXPECT_EQ(files_in(kJournals).size(), alive.size() + 1);
    EXPECT_EQ(link_names().size(), 2 + alive.size() + 1);
    expect_silent_success(neighbour_.check(neighbour_result_));
  }
  std::vector<Attachment> jobs_;
  std::vector<Json> results_;
  Attachment neighbour_;
  Json neighbour_result_;
};

TEST_F(Gc, KeepsWhatIsListedUnderBothKeys) {
  expect_silent_success(collector().gc(Json::array({valid_entry(jobs_[1])})));
  expect_only({1});
}

TEST_F(Gc, FirstKeyAlone) {
  expect_silent_success(collect({{"cni.dev/valid-attachments",
                                  Json::array({valid_entry(jobs_[0]), valid_entry(jobs_[2])})}}));
  expect_only({0, 2});
}

TEST_F(Gc, SecondKeyAlone) {
  expect_silent_success(collect({{"cni.dev/attachments", Json::array({valid_entry(jobs_[2])})}}));
  expect_only({2});
}

TEST_F(Gc, EmptyListMeansThatNoneIsValid) {
  expect_silent_success(collect({{"cni.dev/valid-attachments", Json::array()}}));
  expect_only({});
}

TEST_F(Gc, NullMeansThatNoneIsValid) {
  expect_silent_success(
      collect({{"cni.dev/valid-attachments", nullptr}, {"cni.dev/attachments", nullptr}}));
  expect_only({});
}

TEST_F(Gc, WithoutAListNothingIsRemoved) {
  expect_error(collect(Json::object()), 7);
  expect_only({0, 1, 2});
}

TEST_F(Gc, MalformedListRemovesNothing) {
  for (const char* list :
       {R"("x")", "[1]", R"([{"containerID": 1, "ifname": "eth0"}])", R"([{}])"}) {
    SCOPED_TRACE(list);
    expect_error(collect({{"cni.dev/valid-attachments", Json::parse(list)}}));
  }
  expect_only({0, 1, 2});
}

TEST_F(Gc, BeforeItsVersionIsRefused) {
  Attachment old = collector();
  old.config = with_version(old.config, "1.0.0");
  expect_error(old.gc(Json::array()), 1);
  expect_only({0, 1, 2});
}

TEST_F(Gc, AnotherInterfaceOfTheSameContainerIsAnotherAttachment) {
  Attachment second = jobs_[0];
  second.if_name = "eth1";
  second.config["ipam"]["routes"] = Json::array();
  must_add(second);
  expect_silent_success(collector().gc(Json::array({valid_entry(jobs_[0])})));
  EXPECT_THAT(link_names(container_of(jobs_[0]).fd()), ElementsAre("eth0"));
  expect_only({0});
}

TEST_F(Gc, ContainersMayBeGone) {
  for (const Attachment& job : jobs_) container_of(job).remove();
  expect_silent_success(collector().gc(Json::array()));
  EXPECT_THAT(reservations("mynet"), IsEmpty());
  EXPECT_EQ(masqueraded(4).size(), 1U);
  EXPECT_THAT(files_in(kJournals), ElementsAre("other:n1:eth0"));
}

TEST_F(Gc, DelAfterGcIsFine) {
  expect_silent_success(collector().gc(Json::array()));
  for (std::size_t i = 0; i < jobs_.size(); ++i) expect_silent_success(jobs_[i].del(results_[i]));
  expect_only({});
}

class Status : public HostTest {
 protected:
  static Attachment status_of(Json config) {
    return {.config = std::move(config), .netns = "", .container_id = "", .if_name = ""};
  }
};

TEST_F(Status, ReadyIsSilent) {
  const Snapshot before = snapshot();
  expect_silent_success(status_of(network("mynet", "cni0", "10.22.0.0/16")).status());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Status, ExhaustedPoolIsNotAvailable) {
  Json config = network("mynet", "cni0", "10.22.0.0/30");
  const Attachment job = attachment(config);
  must_add(job);
  EXPECT_THAT(expect_error(status_of(config).status(), 50)["msg"], HasSubstr("10.22.0."));
  expect_silent_success(job.del());
  expect_silent_success(status_of(config).status());
}

TEST_F(Status, BeforeItsVersionIsRefused) {
  expect_error(status_of(with_version(network("mynet", "cni0", "10.22.0.0/16"), "1.0.0")).status(),
               1);
}

TEST_F(Status, BadConfigurationIsAnError) {
  Json config = network("mynet", "cni0", "10.22.0.0/16");
  config["bridge"] = 5;
  expect_error(status_of(config).status(), 7);
}

}  // namespace
}  // namespace unicni::test::gc_test
