// DEL of an attachment of the reference, without journal: which interface is it that has its name?
#include "integration/host_test.h"

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

}  // namespace
}  // namespace unicni::test::foreign_link_test
