// dummy: addresses in the container on a link that leads nowhere.
#include <filesystem>
#include <fstream>

#include "integration/del_states.h"

namespace unicni::test::dummy_link_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DummyLink : public DelStates {
 protected:
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(R"({
      "cniVersion": "1.1.0", "name": "net", "type": "dummy",
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]],
               "routes": [{"dst": "192.168.0.0/16"}, {"dst": "fd07::/16"}]}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
};

TEST_F(DummyLink, ResultIsTheKernelsAndCheckSeesWhatDrifts) {
  const Attachment job = attachment(config());
  const Container& inside = container_of(job);
  const Json result = must_add(job);
  const auto link = find_link("eth0", netns(job));
  ASSERT_TRUE(link);
  EXPECT_EQ(link->at("linkinfo").at("info_kind"), "dummy");
  EXPECT_THAT(link->at("flags").dump(), HasSubstr("\"UP\""));
  EXPECT_EQ(result["interfaces"], Json::array({{{"mac", link->at("address")},
                                                {"mtu", 1500},
                                                {"name", "eth0"},
                                                {"sandbox", job.netns}}}));
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("10.1.2.0/24", "192.168.0.0/16 via 10.1.2.1",
                                                 "fd00:1:2::/64", "fd07::/16 via fd00:1:2::1"));
  expect_silent_success(job.check(result));
  const auto expect_found = [&](const std::string& what) {
    EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr(what));
  };
  inside.run({"ip", "route", "del", "192.168.0.0/16"});
  expect_found("192.168.0.0/16");
  inside.run({"ip", "route", "add", "192.168.0.0/16", "via", "10.1.2.1"});
  inside.run({"ip", "link", "set", "eth0", "mtu", "1400"});
  expect_found("MTU 1400");
  inside.run({"ip", "link", "set", "eth0", "mtu", "1500"});
  inside.run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:09"});
  expect_found("02:00:00:00:00:09");
  inside.run({"ip", "link", "set", "eth0", "address", link->at("address")});
  inside.run({"ip", "addr", "del", "fd00:1:2::2/64", "dev", "eth0"});
  expect_found("fd00:1:2::2/64");
  inside.run({"ip", "link", "set", "eth0", "down"});
  expect_found("down");
  inside.run({"ip", "link", "del", "eth0"});
  inside.run({"ip", "link", "add", "eth0", "type", "bridge"});
  expect_found("is a bridge link");
}

TEST_F(DummyLink, NameThatTheHostHasAsWell) {
  tool({"ip", "link", "add", "eth0", "type", "dummy"});
  const Attachment job = attachment(config());
  must_add(job);
  expect_silent_success(job.del());
  EXPECT_THAT(link_names(), ElementsAre("eth0"));
}

TEST_F(DummyLink, Ipv6OnlyAndDnsOfBoth) {
  write_file("/run/resolv.conf", "nameserver 192.0.2.53\n");
  Json v6 = config(R"({"ipam": {"ranges": [[{"subnet": "fd00:1:2::/64"}]], "routes": null,
                                "resolvConf": "/run/resolv.conf"}})");
  const Attachment job = attachment(with_version(v6, "0.2.0"), "c1");
  EXPECT_EQ(must_add(job)["dns"], Json::parse(R"({"nameservers": ["192.0.2.53"]})"));
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("fd00:1:2::2/64"));
  v6["dns"] = {{"nameservers", {"10.0.0.53"}}};
  EXPECT_EQ(must_add(attachment(v6, "c2"))["dns"], v6["dns"]);
}

TEST_F(DummyLink, RouteThatTheKernelRefusesLeavesNothing) {
  const Attachment warm = attachment(config(), "warm");
  must_add(warm);
  expect_silent_success(warm.del());
  const Json error = expect_no_trace(attachment(
      config(R"({"ipam": {"routes": [{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}]}})")));
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("192.168.77.1"), HasSubstr("10.99.0.0/16")));
}

TEST_F(DummyLink, GcAndStatus) {
  const Attachment kept = attachment(config(), "kept");
  const Json result = must_add(kept);
  const Attachment stale = attachment(config(), "stale");
  must_add(stale);
  const Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  expect_silent_success(nobody.gc(Json::array({valid_entry(kept)})));
  EXPECT_THAT(link_names(netns(stale)), IsEmpty());
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.2", "fd00:1:2::2"));
  expect_silent_success(kept.check(result));
  expect_silent_success(nobody.status());
  Attachment full = nobody;
  full.config["ipam"] = {{"type", "host-local"},
                         {"rangeStart", "10.1.2.2"},
                         {"rangeEnd", "10.1.2.2"},
                         {"subnet", "10.1.2.0/24"}};
  expect_error(full.status(), 50);
}

TEST_F(DummyLink, DelInTheStatesThatTheKindMattersFor) {
  expect_del_in_every_state(config(), false,
                            {"journal lost", "path leads into the neighbour's namespace"});
}

TEST_F(DummyLink, ExampleWorks) {
  std::ifstream file(std::filesystem::path(UNICNI_SOURCE_DIR) / "modules/dummy/example.conflist");
  Json list = Json::parse(file);
  list["type"] = "unicni";
  const Attachment job = attachment(list);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::dummy_link_test
