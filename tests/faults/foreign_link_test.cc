// DEL of an attachment of the reference, without journal: which interface is it that has its name?
#include "integration/host_test.h"
#include "support/tracer.h"

namespace unicni::test::foreign_link_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ForeignLink : public HostTest {
 protected:
  static Json network(const std::string& name, const std::string& bridge, const Json& ipam) {
    Json config = {{"cniVersion", "1.0.0"}, {"name", name}, {"type", "bridge"}, {"bridge", bridge}};
    if (!ipam.is_null()) config["ipam"] = ipam;
    return config;
  }
  static Json fixed_address() {
    return Json::parse(R"({"type": "static", "addresses": [{"address": "10.1.2.9/24"}]})");
  }
  Attachment by_reference(const Json& config, const std::string& name) {
    Attachment job = attachment(config, name);
    job.folder = job.cni_path = kReferenceDir;
    return job;
  }
  static void expect_left_alone(Attachment job, const std::string& netns, const Json* result) {
    job.folder = job.cni_path = bin_dir();
    job.netns = netns;
    expect_silent_success(result == nullptr ? job.del() : job.del(*result));
  }
  static void expect_deleted(Attachment job, const Json* result) {
    expect_left_alone(job, job.netns, result);
  }
};

TEST_F(ForeignLink, OfALayer2NetworkWhatIsOnItsBridgeGoes) {
  const Attachment job = by_reference(network("one", "br1", nullptr), "c1");
  const Attachment other = by_reference(network("two", "br2", nullptr), "c2");
  must_add(job);
  must_add(other);
  expect_left_alone(job, other.netns, nullptr);
  EXPECT_THAT(link_names(container_of(other).fd()), ElementsAre("eth0"));
  expect_deleted(job, nullptr);
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
}

TEST_F(ForeignLink, TheMacOfPrevResultDecides) {
  const Attachment job = by_reference(network("one", "br1", fixed_address()), "c1");
  const Attachment other = by_reference(network("two", "br1", fixed_address()), "c2");
  const Json result = must_add(job);
  must_add(other);
  expect_left_alone(job, other.netns, &result);
  EXPECT_THAT(link_names(container_of(other).fd()), ElementsAre("eth0"));
  expect_deleted(job, &result);
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
}

TEST_F(ForeignLink, WithoutAMacTheAddressesOfPrevResultDecide) {
  Json elsewhere = fixed_address();
  elsewhere["addresses"][0]["address"] = "10.1.2.10/24";
  const Attachment job = by_reference(network("one", "br1", fixed_address()), "c1");
  const Attachment other = by_reference(network("two", "br1", elsewhere), "c2");
  must_add(job);
  must_add(other);
  const Json result =
      Json::parse(R"({"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.9/24"}]})");
  expect_left_alone(job, other.netns, &result);
  EXPECT_THAT(link_names(container_of(other).fd()), ElementsAre("eth0"));
  expect_deleted(job, &result);
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
}

TEST_F(ForeignLink, AVethThatEndsElsewhereIsNoAttachmentOfThisHost) {
  const Container& one = container("one");
  container("two");
  tool({"ip", "-n", "one", "link", "add", "eth0", "type", "veth", "peer", "name", "far", "netns",
        "two"});
  Attachment job = attachment(network("one", "br1", nullptr), "c1");
  expect_left_alone(job, one.path(), nullptr);
  EXPECT_THAT(link_names(one.fd()), ElementsAre("eth0"));
}

// Its bridge makes the veth pair before it asks its IPAM, so that no reservation names the link.
TEST_F(ForeignLink, WhatAKilledAddOfTheReferenceLeftGoes) {
  Json of_bridge = network("one", "br1", nullptr);
  of_bridge["ipam"] = {{"type", "host-local"}, {"subnet", "10.1.2.0/24"}};
  const Json of_macvlan = {{"cniVersion", "1.0.0"},
                           {"name", "one"},
                           {"type", "macvlan"},
                           {"master", "parent"},
                           {"ipam", of_bridge["ipam"]}};
  tool({"ip", "link", "add", "parent", "type", "bridge"});
  tool({"ip", "link", "set", "parent", "up"});
  for (const Json& config : {of_bridge, of_macvlan}) {
    const std::string type = config["type"];
    const Attachment job = by_reference(config, type);
    const int inside = container_of(job).fd();
    int links = 0;
    for (int k = 1;; ++k) {
      ASSERT_LT(k, 200);
      const Stop stop = kill_at(job.spawn("ADD", job.config), k);
      SCOPED_TRACE(type + " killed before step " + stop.step);
      if (find_link("eth0", inside)) ++links;
      expect_deleted(job, nullptr);
      // Before its macvlan gets that name, nothing says whose it is.
      EXPECT_FALSE(find_link("eth0", inside));
      EXPECT_THAT(reservations("one"), IsEmpty());
      if (!stop.reached || HasFailure()) break;
      for (const std::string& name : link_names(inside)) {
        container_of(job).run({"ip", "link", "del", name});
      }
    }
    EXPECT_GT(links, 1) << "of which some had no address";
  }
}

// Neither of these is an ADD's that was killed before it was done.
TEST_F(ForeignLink, AnInterfaceWithoutAddressesThatIsInUseStays) {
  Json config = network("one", "br1", nullptr);
  config["ipam"] = {{"type", "host-local"}, {"subnet", "10.1.2.0/24"}};
  tool({"ip", "link", "add", "br2", "type", "bridge"});
  const struct {
    const char* what;
    std::vector<std::vector<std::string>> commands;
  } uses[] = {
      {"up", {{"ip", "-n", "one", "link", "set", "eth0", "up"}}},
      {"port", {{"ip", "link", "set", "far", "master", "br2"}}},
      {"alias", {{"ip", "link", "set", "far", "alias", "somebodys"}}},
      {"router", {{"ip", "addr", "add", "10.9.9.1/24", "dev", "far"}}},
  };
  const Container& one = container("one");
  for (const auto& use : uses) {
    SCOPED_TRACE(use.what);
    tool({"ip", "link", "add", "far", "type", "veth", "peer", "name", "eth0", "netns", "one"});
    for (const auto& command : use.commands) tool(command);
    Attachment job = attachment(config, std::string("c-") + use.what);
    job.folder = job.cni_path = bin_dir();
    job.netns = one.path();
    const Output del = job.del();
    EXPECT_TRUE(del.ok()) << del.str();
    EXPECT_THAT(del.err, ::testing::HasSubstr("left alone"));
    EXPECT_THAT(link_names(one.fd()), ElementsAre("eth0"));
    tool({"ip", "link", "del", "far"});
  }
}

}  // namespace
}  // namespace unicni::test::foreign_link_test
