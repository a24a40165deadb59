// Rules between a plugin and its IPAM: DLG, IPAM, and those of ADD, DEL, CHK, STAT and GC that name
// a delegate.
#include <filesystem>

#include "conformance/suite.h"

namespace unicni::conformance {
namespace {

using test::expect_error;
using test::expect_silent_success;
using test::must_add;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kError =
    R"({"cniVersion": "1.1.0", "code": 120, "msg": "no luck", "details": "at all"})";

TEST_P(DelegatingRules, DLG_01_MissingDelegateIsAnError) {
  Attachment job = attachment();
  job.config["ipam"] = {{"type", "nobody-has-this"}};
  const Snapshot before = state_of(job);
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("nobody-has-this"));
  EXPECT_EQ(test::difference(before, state_of(job)), "");
}

TEST_P(DelegatingRules, DLG_02_DLG_03_SameEnvironmentAndSameConfiguration) {
  Attachment job = delegating();
  job.env["CNI_ARGS"] = "IgnoreUnknown=1";
  job.env["FOO"] = "bar";
  job.config["nested"] = Json::parse(R"({"Case": [1, 1.50, 12345678901234567890, "ä"]})");
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  Json with_prev = job.config;
  with_prev["prevResult"] = result;
  const std::vector<std::pair<std::string, Json>> verbs = {
      {"ADD", job.config}, {"CHECK", with_prev}, {"DEL", with_prev}};
  ASSERT_THAT(ipam_.commands(), ElementsAre("ADD", "CHECK", "DEL"));
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    SCOPED_TRACE(verbs[i].first);
    const auto spawn = job.spawn(verbs[i].first, verbs[i].second);
    const Json call = ipam_.calls()[i];
    const Json read = Json::parse(call["stdin"].get<std::string>());
    if (GetParam().rewrites) {
      EXPECT_EQ(read["ipam"]["type"], "fake-ipam");
      EXPECT_EQ(read["name"], job.config["name"]);
    } else {
      EXPECT_EQ(read, verbs[i].second);
    }
    for (const std::string& variable : spawn.env) {
      const std::string key = variable.substr(0, variable.find('='));
      EXPECT_EQ(key + '=' + call["env"].value(key, "<absent>"), variable);
    }
  }
}

TEST_P(DelegatingRules, DLG_04_StderrStreamsThrough) {
  ipam_.answer("ADD", kError, 1, "what the delegate logs\n");
  EXPECT_THAT(delegating().add().err, HasSubstr("what the delegate logs"));
}

TEST_P(DelegatingRules, DLG_05_AnswerWithoutVersionIsInTheConfigurations) {
  for (const std::string version : {"0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    const Attachment job = delegating("v" + version, version);
    const Json result = must_add(job);
    EXPECT_THAT(addresses_in(result), ElementsAre("10.1.2.77/24"));
    expect_silent_success(job.del());
  }
}

TEST_P(DelegatingRules, DLG_05_RES_02_AnswerInAnotherVersionIsConverted) {
  ipam_.answer("ADD",
               R"({"cniVersion": "0.2.0", "ip4": {"ip": "10.1.2.78/24", "gateway": "10.1.2.1"}})");
  const Attachment job = delegating();
  const Json result = must_add(job);
  expect_layout(result, "1.1.0");
  EXPECT_THAT(addresses_in(result), ElementsAre("10.1.2.78/24"));
}

TEST_P(DelegatingRules, ADD_10_FailingDelegateIsReleasedAndItsErrorPassedOn) {
  ipam_.answer("ADD", kError, 1);
  const Attachment job = delegating();
  const Snapshot before = state_of(job);
  const Json error = expect_error(job.add(), 120);
  EXPECT_THAT(error["msg"], HasSubstr("no luck"));
  EXPECT_EQ(error["details"], "at all");
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(test::difference(before, state_of(job)), "");
}

TEST_P(DelegatingRules, ADD_10_DelegateIsReleasedWhenALaterStepFails) {
  ipam_.answer(
      "ADD",
      R"({"ips": [{"address": "10.1.2.77/24"}], "routes": [{"dst": "10.9.0.0/16", "gw": "192.168.9.9"}]})");
  const Attachment job = delegating();
  const Snapshot before = state_of(job);
  expect_error(job.add());
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(test::difference(before, state_of(job)), "");
}

TEST_P(DelegatingRules, IPAM_03_NoAddressIsAnErrorAndReleased) {
  ipam_.answer("ADD", R"({"ips": []})");
  expect_error(delegating().add());
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
}

TEST_P(DelegatingRules, IPAM_04_RoutesWithoutGatewayTakeTheAddresses) {
  ipam_.answer(
      "ADD",
      R"({"ips": [{"address": "10.1.2.77/24", "gateway": "10.1.2.1"}], "routes": [{"dst": "10.9.0.0/16"}]})");
  const Attachment job = delegating();
  must_add(job);
  EXPECT_THAT(test::routes_of(container_of(job).fd()),
              ::testing::Contains("10.9.0.0/16 via 10.1.2.1"));
}

TEST_P(DelegatingRules, IPAM_05_ExistingDefaultRouteIsNoObstacle) {
  Attachment second = attachment();
  Container& inside = container_of(second);
  inside.run({"ip", "link", "add", "other0", "type", "veth", "peer", "name", "other1"});
  inside.run({"ip", "addr", "add", "192.0.2.1/24", "dev", "other0"});
  inside.run({"ip", "link", "set", "other0", "up"});
  inside.run({"ip", "link", "set", "other1", "up"});
  inside.run({"ip", "route", "add", "default", "via", "192.0.2.9"});
  expect_silent_success(second.check(must_add(second)));
}

TEST_P(DelegatingRules, DEL_06_DelegateIsCalledAndItsErrorReturned) {
  const Attachment job = delegating();
  must_add(job);
  ipam_.answer("DEL", kError, 1);
  expect_error(job.del(), 120);
  EXPECT_EQ(ipam_.commands().back(), "DEL");
}

TEST_P(DelegatingRules, CHK_08_DelegateIsCalledAndItsErrorReturned) {
  const Attachment job = delegating();
  const Json result = must_add(job);
  ipam_.answer("CHECK", kError, 1);
  expect_error(job.check(result), 120);
  EXPECT_EQ(ipam_.commands().back(), "CHECK");
}

TEST_P(DelegatingRules, STAT_05_DelegateIsCalledAndItsErrorReturned) {
  Attachment job = delegating();
  expect_silent_success(job.status());
  ipam_.answer("STATUS", kError, 1);
  expect_error(job.status(), 120);
  EXPECT_THAT(ipam_.commands(), ElementsAre("STATUS", "STATUS"));
}

TEST_P(DelegatingRules, GC_07_GC_04_DelegateIsCalledAndItsErrorReturnedAtTheEnd) {
  Attachment job = delegating();
  must_add(job);
  ipam_.answer("GC", kError, 1);
  expect_error(job.gc(Json::array()), 120);
  EXPECT_EQ(ipam_.commands().back(), "GC");
  EXPECT_THAT(test::link_names(container_of(job).fd()), IsEmpty());
}

TEST_P(IpamRules, IPAM_01_ResultHasAddressesAndNoInterfaces) {
  for (const std::string version : {"0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    const Attachment job = attachment("v" + version, version);
    const Json result = must_add(job);
    EXPECT_FALSE(result.contains("interfaces"));
    ASSERT_THAT(result["ips"], ::testing::Not(IsEmpty()));
    for (const Json& ip : result["ips"]) EXPECT_FALSE(ip.contains("interface")) << ip;
  }
}

TEST_P(IpamRules, IPAM_NeedsNoNamespace) {
  Attachment job = attachment();
  job.netns = "/run/netns/never-there";
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_P(ReservingRules, IPAM_AddressesAreUniqueAndReleased) {
  const Attachment first = attachment("c1");
  const Attachment second = attachment("c2");
  const auto ones = addresses_in(must_add(first));
  const auto twos = addresses_in(must_add(second));
  for (const std::string& address : ones)
    EXPECT_THAT(twos, ::testing::Not(::testing::Contains(address)));
  EXPECT_THAT(taken(), SizeIs(ones.size() + twos.size()));
  expect_silent_success(first.del());
  EXPECT_THAT(taken(), SizeIs(twos.size()));
  expect_silent_success(second.del());
  EXPECT_THAT(taken(), IsEmpty());
}

TEST_P(ReservingRules, CHK_03_MissingReservation) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  for (const std::string& name : taken()) test::tool({"rm", GetParam().reservations + '/' + name});
  expect_error(job.check(result));
}

TEST_P(ReservingRules, STAT_02_ExhaustedPoolIs50) {
  Attachment job = attachment();
  job.config = test::with_version(GetParam().small_pool, "1.1.0");
  expect_silent_success(job.status());
  must_add(job);
  expect_error(job.status(), 50);
}

TEST_P(ReservingRules, ADD_ExhaustedPoolLeavesNothing) {
  Attachment first = attachment("c1");
  Attachment second = attachment("c2");
  first.config = second.config = test::with_version(GetParam().small_pool, "1.1.0");
  must_add(first);
  const Snapshot before = state_of(second);
  expect_error(second.add());
  EXPECT_EQ(test::difference(before, state_of(second)), "");
}

TEST_P(ReservingRules, GC_01_GC_02_StaleReservationsGoUnderEitherKey) {
  for (const char* key : {"cni.dev/valid-attachments", "cni.dev/attachments"}) {
    SCOPED_TRACE(key);
    std::vector<Attachment> jobs;
    for (const char* name : {"a", "b", "c"})
      jobs.push_back(attachment(name + std::to_string(containers_.size())));
    for (const Attachment& job : jobs) must_add(job);
    const std::size_t each = taken().size() / 3;
    Json request = nobody().config;
    request[key] = Json::array({test::valid_entry(jobs[1])});
    expect_silent_success(nobody().call("GC", request));
    EXPECT_THAT(taken(), SizeIs(each));
    expect_silent_success(jobs[1].del());
    EXPECT_THAT(taken(), IsEmpty());
    expect_silent_success(jobs[0].del());
    expect_silent_success(jobs[2].del());
  }
}

TEST_P(ReservingRules, GC_10_NullAndEmptyMeanThatNoneIsValid) {
  for (const Json& list : {Json(nullptr), Json::array()}) {
    const Attachment job = attachment("c" + std::to_string(containers_.size()));
    must_add(job);
    expect_silent_success(nobody().gc(list));
    EXPECT_THAT(taken(), IsEmpty());
    expect_silent_success(job.del());
  }
}

TEST_P(ReservingRules, GC_03_OtherNetworksAreUntouched) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  Attachment other = nobody();
  other.config["name"] = "conf2";
  expect_silent_success(other.gc(Json::array()));
  EXPECT_THAT(taken(), ::testing::Not(IsEmpty()));
  expect_silent_success(job.check(result));
}

TEST_P(ReservingRules, GC_04_ContinuesPastWhatCannotBeRemoved) {
  const Attachment job = attachment();
  must_add(job);
  const std::string stuck = GetParam().reservations + "/10.1.2.1";
  std::filesystem::create_directories(stuck + "/below");
  const Output output = nobody().gc(Json::array());
  if (!output.ok()) expect_error(output);
  EXPECT_THAT(taken(), ElementsAre("10.1.2.1"));
}

}  // namespace
}  // namespace unicni::conformance
