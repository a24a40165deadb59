// Scripts in CNI_PATH that call our own executable, as people have them for logging: members of a
// list that are programs of another maker, and verbs of ours beneath.
#include "integration/host_test.h"
#include "support/recorder.h"

namespace unicni::test::wrapper_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kFolder = "/run/wrappers";

class Wrapper : public HostTest {
 protected:
  Wrapper() {
    tool({"mkdir", "-p", kFolder});
    for (const char* type : {"bridge", "host-local", "tuning"}) {
      install_script(std::string(kFolder) + '/' + type,
                     std::string("#!/bin/sh\necho $CNI_COMMAND >> /run/wrappers/log-") + type +
                         "\nexec " + bin_dir() + '/' + type + " \"$@\"\n");
    }
  }
  Attachment job(Json bridge, const std::string& name = "c1") {
    bridge.update({{"type", "bridge"}, {"bridge", "br0"}});
    Attachment job = attachment(
        {{"cniVersion", "1.0.0"},
         {"name", "net"},
         {"type", "unicni"},
         {"plugins",
          {bridge, {{"type", "tuning"}, {"sysctl", {{"net.ipv4.conf.IFNAME.arp_ignore", "1"}}}}}}},
        name);
    job.cni_path = std::string(kFolder) + ':' + bin_dir();
    return job;
  }
  static Json pool(const std::string& subnet) {
    return {{"ipam", {{"type", "host-local"}, {"subnet", subnet}}}};
  }
  static std::string called(const std::string& type) {
    return exists("/run/wrappers/log-" + type) ? read_file("/run/wrappers/log-" + type) : "";
  }
  static void expect_nothing_left() {
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(link_names(), Not(::testing::Contains(::testing::StartsWith("veth"))));
    EXPECT_THAT(reservations("net"), IsEmpty());
  }
};

TEST_F(Wrapper, AddCheckAndDelGoThroughIt) {
  const Attachment one = job(pool("10.1.2.0/24"));
  const Json result = must_add(one);
  EXPECT_EQ(result["ips"][0]["address"], "10.1.2.2/24");
  expect_silent_success(one.check(result));
  expect_silent_success(one.del(result));
  expect_nothing_left();
  expect_silent_success(one.del());
  EXPECT_THAT(called("bridge"), HasSubstr("ADD\nCHECK\nDEL\n"));
}

/// The list has written down that it called a program of type bridge: the bridge beneath must not
/// take that for its own and call it once more.
TEST_F(Wrapper, ARefusedAddIsTakenBackOnce) {
  Json wrong = pool("10.1.2.0/24");
  wrong["mtu"] = 70000;
  const Attachment one = job(wrong);
  const Json error = expect_no_trace(one, 7);
  EXPECT_THAT(error.dump(), Not(HasSubstr("deep")));
  EXPECT_EQ(called("bridge"), "ADD\nDEL\n");
  expect_silent_success(one.del());
  EXPECT_EQ(called("bridge"), "ADD\nDEL\nDEL\n");
}

TEST_F(Wrapper, AnAddThatFailsHalfwayIsTakenBackOnce) {
  const Attachment first = job(pool("10.1.2.0/30"), "c0");
  const Json result = must_add(first);
  const Json error = expect_error(job(pool("10.1.2.0/30")).add());
  EXPECT_THAT(error.dump(), Not(HasSubstr("deep")));
  EXPECT_EQ(called("bridge"), "ADD\nADD\nDEL\n");
  EXPECT_THAT(reservations("net"), ::testing::SizeIs(1));
  expect_silent_success(first.del(result));
  expect_nothing_left();
}

TEST_F(Wrapper, AKilledAddIsTakenBackByDel) {
  install_script(std::string(kFolder) + "/tuning", "#!/bin/sh\nkill -9 $PPID\n");
  const Attachment one = job(pool("10.1.2.0/24"));
  EXPECT_EQ(one.add().signal, 9);
  install_script(std::string(kFolder) + "/tuning",
                 "#!/bin/sh\nexec " + bin_dir() + "/tuning \"$@\"\n");
  expect_silent_success(one.del());
  EXPECT_EQ(called("bridge"), "ADD\nDEL\n");
  expect_nothing_left();
}

}  // namespace
}  // namespace unicni::test::wrapper_test
