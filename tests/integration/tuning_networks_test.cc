// A sysctl of the namespace as a whole that tunings on several networks of one container set: the
// value is the latest living one's, and in the end what it was before the first.
#include <algorithm>
#include <functional>
#include <map>

#include "integration/host_test.h"

namespace unicni::test::tuning_networks_test {
namespace {

constexpr const char* kKey = "net/ipv4/conf/all/arp_ignore";

class TuningOfNetworks : public HostTest {
 protected:
  struct Network {
    Attachment job;
    std::string value;
  };
  void SetUp() override {
    inside_ = container().fd();
    original_ = sysctl(kKey, inside_);
    ASSERT_EQ(original_, "0");
  }
  /// A network on which a tuning sets the sysctl. Bridges have no addresses.
  Network network(int number, const std::string& value) {
    const std::string digit = std::to_string(number);
    Json config = {{"cniVersion", "1.1.0"},
                   {"name", "net" + digit},
                   {"type", "unicni"},
                   {"plugins",
                    {{{"type", "bridge"}, {"bridge", "br" + digit}},
                     {{"type", "tuning"}, {"sysctl", {{kKey, value}}}}}}};
    return {{.config = config, .netns = containers_.front().path(), .if_name = "eth" + digit},
            value};
  }
  void add(const Network& network) {
    SCOPED_TRACE("ADD " + network.job.if_name);
    results_[network.job.if_name] = must_add(network.job);
    living_.push_back(network);
    expect_the_latest();
  }
  /// However it ends: `end` is a DEL or a GC.
  void end(const Network& network, const std::function<Output(const Attachment&)>& end) {
    SCOPED_TRACE("end of " + network.job.if_name);
    const Output output = end(network.job);
    EXPECT_EQ(output.status, 0) << output.str();
    std::erase_if(living_,
                  [&](const auto& each) { return each.job.if_name == network.job.if_name; });
    expect_the_latest();
  }
  void del(const Network& network) {
    end(network, [](const Attachment& job) { return job.del(); });
  }
  void expect_the_latest() {
    EXPECT_EQ(sysctl(kKey, inside_), living_.empty() ? original_ : living_.back().value);
    for (const Network& each : living_) {
      const Output output = each.job.check(results_[each.job.if_name]);
      EXPECT_EQ(output.ok(), each.value == living_.back().value) << output.str();
    }
  }
  int inside_ = -1;
  std::string original_;
  std::vector<Network> living_;
  std::map<std::string, Json> results_;
};

TEST_F(TuningOfNetworks, TheLatestLivingOneHasTheSysctlInAnyOrderOfDels) {
  for (const std::vector<std::string>& values : {std::vector<std::string>{"1", "2", "3"},
                                                 {"1", "1", "2"},
                                                 {"2", "1", "1"},
                                                 {"0", "1", "0"},
                                                 {"1", "0", "1"}}) {
    std::vector<Network> networks;
    for (int i = 0; i < 3; ++i) networks.push_back(network(i, values[static_cast<std::size_t>(i)]));
    std::vector<std::size_t> order = {0, 1, 2};
    do {
      SCOPED_TRACE(Json(values).dump() + Json(order).dump());
      for (const Network& each : networks) add(each);
      for (const std::size_t each : order) del(networks[each]);
      ASSERT_FALSE(HasFailure());
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST_F(TuningOfNetworks, OneThatComesAgainLiesOnTop) {
  const Network one = network(1, "1");
  const Network two = network(2, "2");
  for (int i = 0; i < 2; ++i) {
    add(one);
    add(two);
    del(one);
    add(one);
    del(two);
    add(two);
    del(one);
    del(two);
  }
}

TEST_F(TuningOfNetworks, AFailedAddGivesTheSysctlBackToTheOther) {
  const Network one = network(1, "1");
  Network two = network(2, "2");
  add(one);
  two.job.config["plugins"].push_back(
      {{"type", "tuning"}, {"sysctl", {{"net.core.no_such", "1"}}}});
  expect_error(two.job.add());
  expect_the_latest();
  del(one);
}

TEST_F(TuningOfNetworks, GcAndDelWithoutNetnsKeepTheSysctlOfTheOther) {
  const auto without_netns = [](const Attachment& job) {
    Attachment lost = job;
    lost.netns.clear();
    return lost.del();
  };
  const auto collect = [](const Attachment& job) {
    Attachment nobody = job;
    nobody.netns = nobody.container_id = nobody.if_name = "";
    return nobody.gc(Json::array());
  };
  const Network one = network(1, "1");
  const Network two = network(2, "2");
  add(one);
  add(two);
  end(one, without_netns);
  add(one);
  end(one, collect);
  end(two, collect);
}

TEST_F(TuningOfNetworks, AnotherContainersSysctlIsItsOwn) {
  const Network one = network(1, "1");
  add(one);
  Attachment other = network(2, "2").job;
  Container& theirs = container("c2");
  other.netns = theirs.path();
  must_add(other);
  expect_the_latest();
  expect_silent_success(other.del());
  EXPECT_EQ(sysctl(kKey, theirs.fd()), original_);
  expect_the_latest();
  del(one);
}

}  // namespace
}  // namespace unicni::test::tuning_networks_test
