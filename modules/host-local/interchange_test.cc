// The reference's program and this module on one folder: what either reserves the other finds and
// releases.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "fixture_for_test.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/process.h"

namespace unicni::host_local::interchange_test {
namespace {

using std::string;

constexpr const char* kReference = "/usr/lib/cni/host-local";

class InterchangeTest : public HostLocalTest {
 protected:
  void SetUp() override {
    if (::access(kReference, X_OK) != 0) {
      GTEST_SKIP() << kReference
                   << " is not installed (Debian package containernetworking-plugins)";
    }
    options.ranges = {{subnet("10.1.2.0/29")}, {subnet("2001:db8:1::/64")}};
  }

  [[nodiscard]] string reference_config(const string& first, const string& second) const {
    return R"({"cniVersion":"0.4.0","name":"mynet","type":"bridge","ipam":{"type":"host-local",)"
           R"("dataDir":")" +
           data_dir() + R"(","ranges":[[{"subnet":")" + first + R"("}],[{"subnet":")" + second +
           R"("}]]}})";
  }
  [[nodiscard]] sys::ProcessResult run(const string& config, const char* command,
                                       const string& container) const {
    return sys::run_process(kReference,
                            {string("CNI_COMMAND=") + command, "CNI_CONTAINERID=" + container,
                             "CNI_NETNS=/nonexistent", "CNI_IFNAME=eth0", "CNI_PATH=/usr/lib/cni"},
                            config, call.deadline);
  }
  /// stdout of the reference; fails the test unless it exits with `exit_status`.
  string reference(const char* command, const string& container, int exit_status = 0) {
    const sys::ProcessResult result =
        run(reference_config("10.1.2.0/29", "2001:db8:1::/64"), command, container);
    EXPECT_EQ(result.exit_status, exit_status) << result.out << result.err_tail;
    return result.out;
  }
};

TEST_F(InterchangeTest, WeReleaseWhatTheReferenceReserved) {
  EXPECT_NE(reference("ADD", "ref").find("10.1.2.2/29"), string::npos);
  EXPECT_EQ(get("10.1.2.2"), "ref\r\neth0");
  EXPECT_EQ(get("2001:db8:1::2"), "ref\r\neth0");
  call.key.container_id = "ref";
  check();
  EXPECT_NE(try_add("ref").find("duplicate allocation is not allowed"), string::npos);
  del("ref");
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("2001:db8:1::2"), "(absent)");
  reference("CHECK", "ref", 1);
}

TEST_F(InterchangeTest, TheReferenceReleasesWhatWeReserved) {
  EXPECT_EQ(try_add("ours"), "10.1.2.2/29 2001:db8:1::2/64");
  reference("CHECK", "ours");
  EXPECT_NE(reference("ADD", "ours", 1).find("duplicate allocation is not allowed"), string::npos);
  reference("DEL", "ours");
  EXPECT_EQ(get("10.1.2.2"), "(absent)");
  EXPECT_EQ(get("2001:db8:1::2"), "(absent)");
}

TEST_F(InterchangeTest, TurnsShareTheCursorUntilExhausted) {
  EXPECT_NE(reference("ADD", "c1").find("10.1.2.2/29"), string::npos);
  EXPECT_EQ(try_add("c2"), "10.1.2.3/29 2001:db8:1::3/64");
  EXPECT_NE(reference("ADD", "c3").find("10.1.2.4/29"), string::npos);
  EXPECT_EQ(try_add("c4"), "10.1.2.5/29 2001:db8:1::5/64");
  EXPECT_NE(reference("ADD", "c5").find("10.1.2.6/29"), string::npos);
  const string text =
      "failed to allocate for range 0: no IP addresses available in range set: 10.1.2.1-10.1.2.6";
  EXPECT_EQ(try_add("c6"), text + " (5 of 5 used)");
  EXPECT_NE(reference("ADD", "c6", 1).find(text), string::npos);
  del("c3");
  reference("DEL", "c2");
  EXPECT_EQ(try_add("c7"), "10.1.2.3/29 2001:db8:1::7/64");
  EXPECT_NE(reference("ADD", "c8").find("10.1.2.4/29"), string::npos);
}

TEST_F(InterchangeTest, BothAtOnceHeedTheSameLock) {
  options.ranges = {{subnet("10.1.4.0/24")}, {subnet("2001:db8:4::/64")}};
  const string config = reference_config("10.1.4.0/24", "2001:db8:4::/64");
  at_once(24, [&](int i) {
    const string container = "c" + std::to_string(i);
    if (i % 2 != 0) return run(config, "ADD", container).exit_status == 0;
    add(container);
    return true;
  });
  const std::vector<ipam::Reservation> all =
      ipam::Store(data_dir(), "mynet", call.deadline, false).list();
  std::map<string, int> per_container;
  for (const ipam::Reservation& each : all) ++per_container[each.container_id];
  EXPECT_EQ(all.size(), 48U);
  EXPECT_EQ(per_container.size(), 24U);
  for (const auto& [container, count] : per_container) EXPECT_EQ(count, 2) << container;
}

TEST_F(InterchangeTest, BothLeaveTheSameFiles) {
  reference("ADD", "ref");
  const string theirs = data_dir() + "/mynet/";
  const TempFolder other;
  options.data_dir = other / "networks";
  add("ref");
  const string ours = options.data_dir + "/mynet/";
  EXPECT_EQ(sys::list_folder(ours).size(), sys::list_folder(theirs).size() + 1);  // the index
  for (const char* name :
       {"10.1.2.2", "2001:db8:1::2", "last_reserved_ip.0", "last_reserved_ip.1", "lock"}) {
    EXPECT_EQ(sys::read_file(ours + name), sys::read_file(theirs + name)) << name;
  }
  // Files of addresses: 0600 with us and 1.9.1, 0644 with Debian's 1.1.1.
  for (const char* name : {"lock", "."}) {
    EXPECT_EQ(std::filesystem::status(ours + name).permissions(),
              std::filesystem::status(theirs + name).permissions())
        << name;
  }
}

}  // namespace
}  // namespace unicni::host_local::interchange_test
