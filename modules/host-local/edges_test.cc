// The edges of subnets and ranges, and hosts that have two of everything.
#include <fmt/core.h>

#include <map>
#include <set>

#include "fixture_for_test.h"

namespace unicni::host_local::edges_test {
namespace {

using std::string;

class Edges : public HostLocalTest {
 protected:
  void range(const char* net, const char* start = "", const char* end = "",
             const char* gateway = "") {
    options.subnet = IpNet::parse(net).value();
    options.range_start = IpAddress::parse(start);
    options.range_end = IpAddress::parse(end);
    options.gateway = IpAddress::parse(gateway);
  }
  /// What ADDs of new containers get until one fails: "10.1.2.2/24 via 10.1.2.1, …", and why.
  string all() {
    string text;
    for (int i = 0; i < 10; ++i) {
      try {
        const IpConfig ip = add("c" + std::to_string(next_++)).ips.at(0);
        text += ip.address.str() + (ip.gateway ? " via " + ip.gateway->str() : "") + ", ";
      } catch (const Error& error) {
        return text + (error.is(Code::invalid_config) ? "invalid" : "full");
      }
    }
    return text + "…";
  }
  Error refused() {
    return error_of([this] { add("refused"); });
  }

 private:
  int next_ = 0;
};

TEST_F(Edges, NetworkAndBroadcastAddressAreNeverGiven) {  // plugins#1295
  range("10.1.2.0/29", "10.1.2.0", "10.1.2.7");
  EXPECT_EQ(all(),
            "10.1.2.2/29 via 10.1.2.1, 10.1.2.3/29 via 10.1.2.1, 10.1.2.4/29 via 10.1.2.1, "
            "10.1.2.5/29 via 10.1.2.1, 10.1.2.6/29 via 10.1.2.1, full");
  range("10.1.3.0/24", "10.1.3.254", "10.1.3.255");
  EXPECT_EQ(all(), "10.1.3.254/24 via 10.1.3.1, full");
  range("10.1.4.0/24", "10.1.4.255", "10.1.4.255");
  EXPECT_EQ(all(), "invalid");
  EXPECT_EQ(refused().msg(),
            "invalid range set 0: range 10.1.4.255-10.1.4.255 of 10.1.4.0/24 has no address for a "
            "container");
}

TEST_F(Edges, NetworkAndBroadcastAddressAreNotGivenByNameEither) {
  range("10.1.2.0/24", "10.1.2.0", "10.1.2.255");
  for (const auto& [address, name] :
       std::map<string, string>{{"10.1.2.0", "network"}, {"10.1.2.255/24", "broadcast"}}) {
    options.args_ips = {address};
    const Error error = refused();
    EXPECT_TRUE(error.is(Code::invalid_config));
    EXPECT_EQ(error.msg(), fmt::format("requested ip {} is the {} address of 10.1.2.0/24",
                                       address.substr(0, address.find('/')), name));
  }
  options.args_ips = {"10.1.2.254"};
  EXPECT_EQ(try_add(), "10.1.2.254/24");
}

TEST_F(Edges, OneThatTheReferenceGaveIsKeptAndReleased) {
  put("10.1.2.255", "old\r\neth0");
  range("10.1.2.0/24", "10.1.2.250", "10.1.2.255");
  call.key.container_id = "old";
  check();
  del("old");
  EXPECT_EQ(get("10.1.2.255"), "(absent)");
}

TEST_F(Edges, PairsAndSingleAddresses) {  // RFC 3021, RFC 6164
  const struct {
    const char* net;
    const char* gateway;
    const char* given;
  } cases[] = {
      {"10.1.2.0/30", "", "10.1.2.2/30 via 10.1.2.1, full"},
      {"10.1.3.0/31", "", "10.1.3.0/31 via 10.1.3.1, full"},
      {"10.1.4.0/31", "10.1.4.0", "10.1.4.1/31 via 10.1.4.0, full"},
      {"10.1.5.0/31", "169.254.1.1",
       "10.1.5.0/31 via 169.254.1.1, 10.1.5.1/31 via 169.254.1.1, full"},
      {"10.1.6.5/32", "", "10.1.6.5/32, full"},
      {"10.1.7.5/32", "169.254.1.1", "10.1.7.5/32 via 169.254.1.1, full"},
      {"10.1.8.5/32", "10.1.8.5", "invalid"},
      {"fd00::/126", "", "fd00::2/126 via fd00::1, fd00::3/126 via fd00::1, full"},
      {"fd01::/127", "", "fd01::/127 via fd01::1, full"},
      {"fd02::2/127", "fd02::2", "fd02::3/127 via fd02::2, full"},
      {"fd03::5/128", "", "fd03::5/128, full"},
      {"fd04::5/128", "fe80::1", "fd04::5/128 via fe80::1, full"},
      {"10.1.9.0/24", "fd00::1", "invalid"},
      {"fd05::/64", "10.1.9.1", "invalid"},
  };
  for (const auto& each : cases) {
    range(each.net, "", "", each.gateway);
    EXPECT_EQ(all(), each.given) << each.net;
  }
}

TEST_F(Edges, RangeOfOneAddress) {
  range("10.1.2.0/24", "10.1.2.9", "10.1.2.9");
  EXPECT_EQ(all(), "10.1.2.9/24 via 10.1.2.1, full");
  range("10.1.4.4/31", "10.1.4.5", "10.1.4.5");
  EXPECT_EQ(all(), "10.1.4.5/31 via 10.1.4.4, full");
}

TEST_F(Edges, SetThatCanGiveNothingIsRefusedBeforeAnythingIsReserved) {
  options.ranges = {{subnet("10.1.2.0/24")}, {subnet("10.1.3.0/24")}};
  options.ranges[1][0].range_start = options.ranges[1][0].range_end = ip("10.1.3.1");
  const Error gateway = refused();
  EXPECT_TRUE(gateway.is(Code::invalid_config));
  EXPECT_EQ(gateway.msg(), "range set 1: 10.1.3.1-10.1.3.1 has no address to give");
  EXPECT_TRUE(error_of([this] { status(); }).is(Code::invalid_config));
  EXPECT_FALSE(sys::read_file(path("10.1.2.2")));

  options.ranges[1].push_back(subnet("10.1.4.0/24"));
  EXPECT_EQ(try_add(), "10.1.2.2/24 10.1.4.2/24") << "another range of the set has some";

  options.exclude = {"10.1.4.0/24"};
  EXPECT_TRUE(refused().is(Code::invalid_config));
}

TEST_F(Edges, AllButTheExcludedAreGiven) {
  range("10.1.2.0/24", "10.1.2.10", "10.1.2.15");
  options.exclude = {"10.1.2.11-10.1.2.12", "10.1.2.15"};
  EXPECT_EQ(all(),
            "10.1.2.10/24 via 10.1.2.1, 10.1.2.13/24 via 10.1.2.1, 10.1.2.14/24 via 10.1.2.1, "
            "full");
  del("c1");
  EXPECT_EQ(all(), "10.1.2.13/24 via 10.1.2.1, full");
}

/// Two containers with two interfaces each on two sets of two ranges.
class TwoOfEach : public HostLocalTest {
 protected:
  static constexpr unsigned kOwners = 4;
  static Attachment owner(unsigned i) { return {i < 2 ? "a" : "b", i % 2 == 0 ? "eth0" : "äth1"}; }
  TwoOfEach() {
    options.ranges = {{subnet("10.1.2.0/31"), subnet("10.1.3.0/29")},
                      {subnet("fd00::/127"), subnet("fd01::/125")}};
  }
  void add_all() {
    for (unsigned i = 0; i < kOwners; ++i) {
      const Result result = add(owner(i).container_id, owner(i).if_name);
      ASSERT_EQ(result.ips.size(), 2U);
      for (std::size_t set = 0; set < 2; ++set) held_[i][set] = result.ips[set].address.address();
    }
  }
  void expect(const std::vector<bool>& there) {
    for (unsigned i = 0; i < kOwners; ++i) {
      for (const IpAddress& address : held_[i]) {
        const string content = owner(i).container_id + "\r\n" + owner(i).if_name;
        EXPECT_EQ(get(address.str()), there[i] ? content : "(absent)") << i;
      }
    }
  }
  IpAddress held_[kOwners][2];
};

TEST_F(TwoOfEach, ShareNoAddress) {
  add_all();
  std::set<string> addresses;
  for (const auto& each : held_) addresses.insert({each[0].str(), each[1].str()});
  EXPECT_EQ(addresses, (std::set<string>{"10.1.2.0", "10.1.3.2", "10.1.3.3", "10.1.3.4",
                                         "fd00::", "fd01::2", "fd01::3", "fd01::4"}));
  EXPECT_NE(try_add("a", "äth1").find("duplicate"), string::npos);
}

TEST_F(TwoOfEach, EachIsReleasedAlone) {
  for (unsigned gone = 0; gone < kOwners; ++gone) {
    add_all();
    del(owner(gone).container_id, owner(gone).if_name);
    std::vector<bool> there(kOwners, true);
    there[gone] = false;
    expect(there);
    for (unsigned i = 0; i < kOwners; ++i) del(owner(i).container_id, owner(i).if_name);
  }
}

TEST_F(TwoOfEach, EverySubsetSurvivesItsGc) {
  for (unsigned subset = 0; subset < 1U << kOwners; ++subset) {
    SCOPED_TRACE(subset);
    add_all();
    std::vector<Attachment> valid = {{"a", "eth7"}, {"c", "eth0"}};
    std::vector<bool> there;
    for (unsigned i = 0; i < kOwners; ++i) {
      there.push_back((subset >> i & 1U) != 0);
      if (there[i]) valid.push_back(owner(i));
    }
    call.valid_attachments = ValidAttachments(valid);
    gc();
    expect(there);
    for (unsigned i = 0; i < kOwners; ++i) del(owner(i).container_id, owner(i).if_name);
  }
}

TEST_F(TwoOfEach, WantedAddressesOfTwoSets) {
  options.runtime_ips = {"fd01::5", "10.1.3.5"};
  EXPECT_EQ(try_add("a", "eth0"), "10.1.3.5/29 fd01::5/125");
  EXPECT_NE(try_add("b", "eth0").find("10.1.3.5 is not available"), string::npos);
  options.runtime_ips = {"fd01::6"};
  EXPECT_EQ(try_add("b", "eth0"), "10.1.3.6/29 fd01::6/125") << "only what is asked for by name";
}

}  // namespace
}  // namespace unicni::host_local::edges_test
