// What host-local adds to the reference: exclude, quarantine, sticky.
#include "take.h"

#include <filesystem>
#include <thread>

#include "fixture_for_test.h"

namespace unicni::host_local::take_test {
namespace {

using std::string;

class Take : public HostLocalTest {
 protected:
  Take() { options.subnet = IpNet::parse("10.1.2.0/29").value(); }  // .2 to .6
  void pod(const string& name) {
    call.args = {{"IgnoreUnknown", "1"}, {"K8S_POD_NAMESPACE", "shop"}, {"K8S_POD_NAME", name}};
  }
};

TEST_F(Take, ExcludedAddressesAreNeverGiven) {
  options.exclude = {"10.1.2.2-10.1.2.3", "10.1.2.6", "192.0.2.0/24", "2001:db8::1"};
  EXPECT_EQ(try_add("a"), "10.1.2.4/29");
  EXPECT_EQ(try_add("b"), "10.1.2.5/29");
  EXPECT_EQ(try_add("c"),
            "failed to allocate for range 0: no IP addresses available in range set: "
            "10.1.2.1-10.1.2.6 (2 of 2 used)");
  EXPECT_TRUE(error_of([&] { status(); }).is(Code::not_available));
  options.runtime_ips = {"10.1.2.3"};
  const Error wanted = error_of([&] { add("c"); });
  EXPECT_TRUE(wanted.is(Code::invalid_config));
  EXPECT_EQ(wanted.msg(), "failed to allocate for range 0: requested ip 10.1.2.3 is excluded");
  options.runtime_ips.clear();
  options.exclude = {"10.1.2.2-10.1.2"};
  const Error bad = error_of([&] { add("c"); });
  EXPECT_TRUE(bad.is(Code::invalid_config));
  EXPECT_EQ(bad.msg(), "invalid entry '10.1.2.2-10.1.2' in \"exclude\"");
  del("a");  // whatever the configuration says today
  EXPECT_EQ(get("10.1.2.4"), "(absent)");
}

TEST_F(Take, ExcludedLaterIsOnlyNotGivenAgain) {
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  options.exclude = {"10.1.2.2/31"};
  call.prev_result.reset();
  call.key.container_id = "a";
  check();
  EXPECT_NE(try_add("a").find("duplicate"), string::npos);
  del("a");
  EXPECT_EQ(try_add("a"), "10.1.2.4/29");
}

TEST_F(Take, ReleasedAddressRests) {
  options.quarantine = 3600;
  for (const char* name : {"a", "b", "c", "d", "e"}) add(name);
  del("a");
  del("b");
  const Error full = error_of([&] { add("f"); });
  EXPECT_NE(full.msg().find("(3 of 5 used, 2 resting, the first for 3"), string::npos)
      << full.msg();
  EXPECT_NE(full.details().find("\"quarantine\" (3600 s)"), string::npos) << full.details();
  const Error unavailable = error_of([&] { status(); });
  EXPECT_TRUE(unavailable.is(Code::not_available));
  EXPECT_NE(unavailable.details().find("3/5 used, 2 resting"), string::npos);
  options.runtime_ips = {"10.1.2.3"};  // whoever names it gets it
  EXPECT_EQ(try_add("f"), "10.1.2.3/29");
  options.runtime_ips.clear();
  options.quarantine = 0;
  EXPECT_EQ(try_add("g"), "10.1.2.2/29");
}

TEST_F(Take, RestEndsByItself) {
  options.quarantine = 1;
  for (const char* name : {"a", "b", "c", "d", "e"}) add(name);
  del("c");
  EXPECT_NE(try_add("f").find("1 resting"), string::npos);
  string got;
  for (int i = 0; i < 300 && !got.starts_with("10."); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    got = try_add("f");
  }
  EXPECT_EQ(got, "10.1.2.4/29");
}

TEST_F(Take, FailedAddAndGc) {
  options.quarantine = 3600;
  options.subnet.reset();
  options.ranges = {{subnet("10.1.2.0/30")}, {subnet("10.1.3.0/30")}};
  put("10.1.3.2", "other\r\neth0");
  EXPECT_NE(try_add("a").find("range 1"), string::npos);
  EXPECT_NE(try_add("a").find("range 1"), string::npos) << "nothing rests that was not in use";
  call.valid_attachments = ValidAttachments{{"nobody", "eth0"}};
  gc();
  EXPECT_EQ(get("10.1.3.2"), "(absent)");
  EXPECT_NE(try_add("a").find("1 resting"), string::npos);
}

TEST_F(Take, SameKeyGetsTheSameAddress) {
  options.sticky = "${K8S_POD_NAMESPACE}/${K8S_POD_NAME}";
  pod("db-0");
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  pod("web");
  EXPECT_EQ(try_add("b"), "10.1.2.3/29");
  del("a");
  del("b");
  pod("other");
  EXPECT_EQ(try_add("c"), "10.1.2.4/29");
  pod("db-0");
  EXPECT_EQ(try_add("d"), "10.1.2.2/29") << "another container of the same pod";
  pod("web");
  EXPECT_EQ(try_add("e"), "10.1.2.3/29");
  EXPECT_EQ(try_add("f"), "10.1.2.5/29") << "while it is in use: another one";
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.5");
}

TEST_F(Take, OthersGetAKeptAddressOnlyIfNothingElseIsFree) {
  options.sticky = "${K8S_POD_NAME}";
  pod("db-0");
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  del("a");
  put("last_reserved_ip.0", "10.1.2.6");
  for (int i = 3; i <= 6; ++i) {
    pod("p" + std::to_string(i));
    EXPECT_EQ(try_add("x" + std::to_string(i)), "10.1.2." + std::to_string(i) + "/29");
  }
  status();
  pod("last");
  EXPECT_EQ(try_add("y"), "10.1.2.2/29");
  pod("db-0");
  EXPECT_NE(try_add("a").find("5 of 5 used"), string::npos);
}

TEST_F(Take, KeysOutliveTheIndexBeingMadeAgain) {
  options.sticky = "${K8S_POD_NAME}";
  pod("db-0");
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  del("a");
  put("10.1.2.5", "ref\r\neth0");  // the reference was here
  put("last_reserved_ip.0", "10.1.2.5");
  EXPECT_EQ(try_add("b"), "10.1.2.2/29");
}

TEST_F(Take, RestIsForOthers) {
  options.sticky = "${K8S_POD_NAME}";
  options.quarantine = 3600;
  pod("db-0");
  EXPECT_EQ(try_add("a"), "10.1.2.2/29");
  del("a");
  EXPECT_EQ(try_add("b"), "10.1.2.2/29");
}

TEST_F(Take, MissingArgumentIsAnErrorOfAddOnly) {
  options.sticky = "${K8S_POD_NAME}";
  const Error error = error_of([&] { add("a"); });
  EXPECT_TRUE(error.is(Code::invalid_config));
  EXPECT_NE(error.msg().find("CNI_ARGS has no K8S_POD_NAME"), string::npos);
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
  status();
  del("a");
}

}  // namespace
}  // namespace unicni::host_local::take_test
