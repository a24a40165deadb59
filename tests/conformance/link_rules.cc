// Rules for plugins that work on interfaces: ADD, CHK, RES of the kernel's state.
#include <algorithm>
#include <set>

#include "conformance/suite.h"

namespace unicni::conformance {
namespace {

using test::expect_error;
using test::expect_silent_success;
using test::must_add;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(LinkRules, ADD_12_ItsOwnNamespaceIsRefusedBeforeActing) {
  Attachment job = attachment();
  job.netns = "/proc/self/ns/net";
  const Snapshot before = test::snapshot();
  expect_error(job.add(), 8);
  EXPECT_EQ(test::difference(before, test::snapshot()), "");
}

TEST_P(LinkRules, ADD_12_MissingNamespaceIsRefusedBeforeActing) {
  Attachment job = attachment();
  job.netns = "/run/netns/never-there";
  const Snapshot before = test::snapshot();
  expect_error(job.add());
  EXPECT_EQ(test::difference(before, test::snapshot()), "");
}

TEST_P(LinkRules, RES_11_SandboxIsCniNetns) {
  for (const std::string version : {"0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    const Attachment job = attachment("v" + version, version);
    const Json result = must_add(job);
    const Json& interfaces = result["interfaces"];
    EXPECT_EQ(std::count_if(interfaces.begin(), interfaces.end(),
                            [&](const Json& each) {
                              return each["name"] == job.if_name &&
                                     each.value("sandbox", "") == job.netns;
                            }),
              1)
        << result;
  }
}

TEST_P(LinkRules, IPAM_02_AddressesPointToTheInterfaceInTheContainer) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  for (const Json& ip : result.value("ips", Json::array())) {
    ASSERT_TRUE(ip.contains("interface")) << ip;
    const Json& interface = result["interfaces"][ip["interface"].get<std::size_t>()];
    EXPECT_EQ(interface["name"], job.if_name);
    EXPECT_EQ(interface["sandbox"], job.netns);
  }
}

TEST_P(PassThroughRules, ADD_04_PrevResultIsHandedOn) {
  const Json rich = Json::parse(R"({
    "cniVersion": "1.1.0",
    "dns": {"nameservers": ["192.0.2.53"], "search": ["example.net"]},
    "interfaces": [{"mac": "02:00:00:00:00:01", "mtu": 1400, "name": "eth0", "sandbox": "/run/netns/c1"}],
    "ips": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1", "interface": 0}],
    "routes": [{"dst": "10.9.0.0/16", "gw": "10.1.2.1", "priority": 7, "table": 0}]
  })");
  Attachment job = attachment();
  job.config["prevResult"] = rich;
  EXPECT_EQ(must_add(job), rich);
}

TEST_P(CreatingRules, ADD_01_MakesTheInterface) {
  Attachment job = attachment("c1");
  must_add(job);
  EXPECT_THAT(test::link_names(container_of(job).fd()), ElementsAre(job.if_name));
  job = attachment("c2");
  job.if_name = "fifteen-bytes.x";
  const Json result = must_add(job);
  EXPECT_THAT(test::link_names(container_of(job).fd()), ElementsAre("fifteen-bytes.x"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(test::link_names(container_of(job).fd()), IsEmpty());
}

TEST_P(CreatingRules, ADD_02_ExistingInterfaceIsRefusedAndUntouched) {
  const Attachment job = attachment("c1");
  const Json result = must_add(job);
  Attachment other = job;
  other.container_id = "c2";
  const Snapshot before = state_of(job);
  EXPECT_THAT(expect_error(other.add())["msg"], HasSubstr(job.if_name));
  EXPECT_EQ(test::difference(before, state_of(job)), "");
  expect_error(job.add());
  EXPECT_EQ(test::difference(before, state_of(job)), "");
  expect_silent_success(job.check(result));
}

TEST_P(CreatingRules, ADD_11_StateIsKeyedByNetworkContainerAndInterface) {
  const Attachment first = attachment("c1");
  Attachment second = attachment("c2");
  second.netns = first.netns;  // same id, other interface
  second.container_id = first.container_id;
  second.if_name = "eth1";
  second.config.erase("isDefaultGateway");
  Attachment third = attachment("c3");  // same interface, other id
  const Json first_result = must_add(first);
  const Json second_result = must_add(second);
  const Json third_result = must_add(third);
  EXPECT_THAT(test::link_names(container_of(first).fd()), ElementsAre("eth0", "eth1"));
  expect_silent_success(second.del(second_result));
  EXPECT_THAT(test::link_names(container_of(first).fd()), ElementsAre("eth0"));
  expect_silent_success(first.check(first_result));
  expect_silent_success(third.del(third_result));
  expect_silent_success(first.check(first_result));
}

TEST_P(CreatingRules, ADD_13_ConcurrentAddsOfDifferentContainers) {
  std::vector<Attachment> jobs;
  for (int i = 0; i < 12; ++i) jobs.push_back(attachment("c" + std::to_string(i)));
  std::vector<test::Running> running;
  running.reserve(jobs.size());
  for (const Attachment& job : jobs) running.emplace_back(job.spawn("ADD", job.config));
  std::set<std::string> addresses;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Output output = running[i].wait();
    ASSERT_TRUE(output.ok()) << output.str();
    for (const std::string& address : addresses_in(output.json())) {
      EXPECT_TRUE(addresses.insert(address).second) << address << " was given twice";
    }
  }
}

TEST_P(CreatingRules, ADD_FailureLeavesNothing) {
  const Attachment job = attachment();
  container_of(job).run({"ip", "link", "add", job.if_name, "type", "bridge"});
  const Snapshot before = state_of(job);
  expect_error(job.add());
  EXPECT_EQ(test::difference(before, state_of(job)), "");
}

TEST_P(CreatingRules, DEL_InterfaceGoneAlready) {
  const Attachment job = attachment();
  const Snapshot host = host_state();
  const Json result = must_add(job);
  container_of(job).run({"ip", "link", "del", job.if_name});
  expect_silent_success(job.del(result));
  EXPECT_EQ(test::difference(host, host_state()), "");
}

TEST_P(CreatingRules, CHK_03_MissingInterface) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  container_of(job).run({"ip", "link", "del", job.if_name});
  expect_error(job.check(result));
}

TEST_P(CreatingRules, CHK_03_MissingAddress) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  for (const std::string& address : addresses_in(result)) {
    container_of(job).run({"ip", "addr", "del", address, "dev", job.if_name});
  }
  expect_error(job.check(result));
}

TEST_P(CreatingRules, CHK_03_MissingRoute) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  ASSERT_THAT(result["routes"], ::testing::Not(IsEmpty()));
  container_of(job).run({"ip", "route", "del", "default"});
  expect_error(job.check(result));
}

TEST_P(CreatingRules, CHK_04_PrevResultDecides) {
  const Attachment job = attachment();
  Json result = must_add(job);
  container_of(job).run({"ip", "link", "set", job.if_name, "address", "02:00:00:00:00:77"});
  expect_error(job.check(result));
  for (Json& each : result["interfaces"]) {
    if (each["name"] == job.if_name) each["mac"] = "02:00:00:00:00:77";
  }
  expect_silent_success(job.check(result));
}

TEST_P(CreatingRules, CHK_07_WithoutPrevResultIsAnError) {
  const Attachment job = attachment();
  must_add(job);
  expect_error(job.call("CHECK", job.config));
}

TEST_P(CreatingRules, GC_07_GC_13_StaleAttachmentsGoAlsoWithoutTheirNamespace) {
  const Snapshot host = host_state();
  const Attachment first = attachment("c1");
  const Attachment second = attachment("c2");
  must_add(first);
  must_add(second);
  container_of(first).remove();
  expect_silent_success(nobody().gc(Json::array()));
  EXPECT_EQ(test::difference(host, host_state()), "");
  EXPECT_THAT(taken(), IsEmpty());
}

TEST_P(CreatingRules, STAT_06_AddAndDelDoNotNeedIt) {
  Attachment job = attachment();
  job.config = test::with_version(GetParam().small_pool, "1.1.0");
  Attachment status = nobody();
  status.config = job.config;
  const Json result = must_add(job);
  expect_error(status.status(), 50);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(status.status());
}

}  // namespace
}  // namespace unicni::conformance
