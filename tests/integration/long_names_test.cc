// Attachments whose names are longer together than an alias or a comment can hold stay apart.
#include "integration/host_test.h"

namespace unicni::test::long_names_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::string kNetwork(230, 'n');
const std::string kId(62, 'c');

class LongNames : public HostTest {
 protected:
  static Json list(const std::string& name, int number = 1) {
    Json config = Json::parse(R"({
      "cniVersion": "1.1.0", "type": "unicni", "plugins": [
        {"type": "bridge", "bridge": "br1", "isGateway": true, "ipMasq": true,
         "ipam": {"type": "host-local", "subnet": "10.1.0.0/24"}},
        {"type": "bandwidth", "ingressRate": 8000000, "ingressBurst": 8000000,
         "egressRate": 8000000, "egressBurst": 8000000},
        {"type": "firewall"}]})");
    config["name"] = name;
    config["plugins"][0]["bridge"] = "br" + std::to_string(number);
    config["plugins"][0]["ipam"]["subnet"] = "10." + std::to_string(number) + ".0.0/24";
    return config;
  }
  Attachment added(const std::string& id, const std::string& network = kNetwork, int number = 1) {
    Attachment job = attachment(list(network, number), "x" + std::to_string(results_.size()));
    job.container_id = id;
    results_[id] = must_add(job);
    return job;
  }
  [[nodiscard]] Json result_of(const Attachment& job) const {
    return results_.at(job.container_id);
  }
  static std::string alias_of(const std::string& link) {
    return find_link(link).value_or(Json::object()).value("ifalias", "");
  }
  static void forget_journals() { tool({"rm", "-rf", "/run/unicni"}); }

  std::map<std::string, Json> results_;
};

TEST_F(LongNames, DelOfOneLeavesTheOtherWithAndWithoutJournals) {
  for (const bool journals : {true, false}) {
    SCOPED_TRACE(journals ? "with journals" : "without");
    const Attachment one = added(kId + "01");
    const Attachment two = added(kId + "02");
    EXPECT_NE(alias_of(host_end(result_of(one))), alias_of(host_end(result_of(two))));
    if (!journals) forget_journals();
    expect_silent_success(one.del(result_of(one)));
    expect_silent_success(two.check(result_of(two)));
    EXPECT_FALSE(find_link(host_end(result_of(one))));
    EXPECT_TRUE(find_link(host_end(result_of(two))));
    EXPECT_THAT(masqueraded(4), SizeIs(1));
    EXPECT_THAT(nft_elements("att4"), SizeIs(1));
    // Without prevResult either, which would name the host's end.
    if (!journals) forget_journals();
    container_of(two).remove();
    expect_silent_success(two.del());
    EXPECT_THAT(masqueraded(4), IsEmpty());
    EXPECT_EQ(link_names(), std::vector<std::string>{"br1"});
    results_.clear();
    containers_.clear();
  }
}

TEST_F(LongNames, GcKeepsTheValidOneAndOtherNetworks) {
  const Attachment one = added(kId + "01");
  const Attachment two = added(kId + "02");
  const Attachment other = added(kId + "03", kNetwork.substr(1) + 'm', 2);
  forget_journals();
  for (const char* type : {"bridge", "bandwidth"}) {
    Attachment collector = one;
    collector.config = list(kNetwork)["plugins"][std::string(type) == "bridge" ? 0 : 1];
    collector.config["cniVersion"] = "1.1.0";
    collector.config["name"] = kNetwork;
    collector.netns = collector.container_id = collector.if_name = "";
    expect_silent_success(collector.gc(Json::array({valid_entry(two)})));
  }
  EXPECT_FALSE(find_link(host_end(result_of(one))));
  EXPECT_TRUE(find_link(host_end(result_of(two))));
  EXPECT_TRUE(find_link(host_end(result_of(other))));
}

/// 0.1.0 cut aliases at 255 bytes, so that one may be the valid attachment's.
TEST_F(LongNames, AnAliasThatWasCutIsNobodysForSure) {
  const Attachment one = added(kId + "01");
  const Attachment two = added(kId + "02");
  const std::string cut = (kNetwork + '/' + kId + "01/eth0").substr(0, 255);
  for (const Attachment* job : {&one, &two}) {
    tool({"ip", "link", "set", "dev", host_end(result_of(*job)), "alias", cut});
  }
  forget_journals();
  Attachment collector = one;
  collector.config = list(kNetwork)["plugins"][0];
  collector.config["cniVersion"] = "1.1.0";
  collector.config["name"] = kNetwork;
  collector.netns = collector.container_id = collector.if_name = "";
  expect_silent_success(collector.gc(Json::array({valid_entry(two)})));
  EXPECT_TRUE(find_link(host_end(result_of(two)))) << "it may be this one's";
  // prevResult tells whose the host's end is.
  container_of(one).remove();
  expect_silent_success(one.del(result_of(one)));
  EXPECT_FALSE(find_link(host_end(result_of(one))));
  EXPECT_TRUE(find_link(host_end(result_of(two))));
  expect_silent_success(two.del(result_of(two)));
  EXPECT_FALSE(find_link(host_end(result_of(two))));
}

/// A former owner of the address that only a hash names is known by its journal.
TEST_F(LongNames, WhoIsGoneMakesRoom) {
  const Attachment one = added(kId + "01");
  const Json result = result_of(one);
  const std::string address = result["ips"][0]["address"];
  // As a program of others ends it: the address is free, our rules stay.
  tool({"ip", "link", "del", host_end(result)});
  tool({"rm", "-f",
        "/var/lib/cni/networks/" + kNetwork + '/' + address.substr(0, address.find('/'))});
  container_of(one).remove();
  Json config = list(kNetwork);
  config["plugins"][0]["ipam"]["rangeStart"] = address.substr(0, address.find('/'));
  config["plugins"][0]["ipam"]["rangeEnd"] = address.substr(0, address.find('/'));
  Attachment two = attachment(config, "y");
  two.container_id = kId + "02";
  EXPECT_EQ(must_add(two)["ips"][0]["address"], address);
}

}  // namespace
}  // namespace unicni::test::long_names_test
