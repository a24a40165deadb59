// The main job for an ordinary user, root only in a user namespace of their own.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <functional>

#include "integration/dhcp_host.h"
#include "support/traffic.h"

namespace unicni::test::rootless_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kUser = 12345;  // needs no entry in passwd
constexpr const char* kHome = "/mnt/stage";

/// As `unshare -Ur` of that user, on a host of its own. With CLONE_NEWNET that is the network
/// namespace which came with the user namespace.
void become_rootless(int with = 0) {
  const std::string id = std::to_string(kUser);
  ASSERT_EQ(::setgroups(0, nullptr), 0);
  ASSERT_EQ(::setresgid(kUser, kUser, kUser), 0);
  ASSERT_EQ(::setresuid(kUser, kUser, kUser), 0);
  ASSERT_EQ(::prctl(PR_SET_DUMPABLE, 1), 0);  // else /proc/self is root's
  ASSERT_EQ(::unshare(CLONE_NEWUSER | with), 0);
  const int netns = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  const auto put = [](const char* path, const std::string& text) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size())) << path;
    ::close(fd);
  };
  put("/proc/self/uid_map", "0 " + id + " 1");
  put("/proc/self/setgroups", "deny");
  put("/proc/self/gid_map", "0 " + id + " 1");
  enter_private_host();
  if (with != 0) {
    ASSERT_EQ(::setns(netns, CLONE_NEWNET), 0);
  }
  ::close(netns);
}

/// `work` as that user, who has the stage to himself.
void in_rootless_child(const std::function<void()>& work, int with = 0) {
  in_child([&] {
    become_rootless(with);
    if (::testing::Test::HasFatalFailure()) return;
    ::setenv("UNICNI_STAGE", kHome, 1);
    work();
  });
}

class Rootless : public HostTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755"), 0);
    fs::create_directories(std::string(kHome) + "/lib");
    fs::create_directories(std::string(kHome) + "/libexec");
    fs::copy(stage() + "/lib/unicni", std::string(kHome) + "/lib/unicni",
             fs::copy_options::recursive);
    fs::copy(bin_dir(), std::string(kHome) + "/libexec/cni",
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    tool({"chown", "-R", "-h", std::to_string(kUser), kHome});
  }
};

TEST_F(Rootless, MainJob) {
  in_rootless_child([] {
    Container inside("c1");
    const Attachment job = {.config = mynet_1_0(), .netns = inside.path()};
    const Attachment lo = {.config = Json::parse(R"({"cniVersion": "0.2.0", "type": "loopback"})"),
                           .netns = inside.path(),
                           .if_name = "lo"};
    must_add(lo);
    const Json result = must_add(job);
    EXPECT_EQ(result["ips"][0]["address"], "10.22.0.2/16");
    EXPECT_THAT(addresses_of("eth0", inside.fd()), ElementsAre("10.22.0.2/16"));
    EXPECT_THAT(addresses_of("cni0"), ElementsAre("10.22.0.1/16"));
    EXPECT_EQ(masqueraded(4).size(), 1U);
    EXPECT_TRUE(pings(inside.fd(), "10.22.0.1"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    expect_silent_success(lo.del());
    EXPECT_THAT(link_names(inside.fd()), IsEmpty());
    EXPECT_THAT(link_names(), ElementsAre("cni0"));
    EXPECT_THAT(masqueraded(4), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  });
}

/// `unshare -Urn` makes the network namespace before the user namespace has ids, so that its
/// /proc/net belongs to the machine's root.
TEST_F(Rootless, DelWhereTheListOfLegacyTablesCannotBeRead) {
  tool({"iptables-legacy", "-t", "filter", "-L", "-n"});  // loads the module whose list it is
  in_rootless_child(
      [] {
        ASSERT_NE(::access("/proc/thread-self/net/ip_tables_names", R_OK), 0);
        Container inside("c1");
        const Attachment job = {
            .config = Json::parse(R"({"cniVersion": "1.0.0", "name": "n", "type": "bridge"})"),
            .netns = inside.path()};
        must_add(job);
        expect_silent_success(job.del());
        EXPECT_THAT(link_names(), ElementsAre("cni0"));
        EXPECT_THAT(files_in(kJournals), IsEmpty());
      },
      CLONE_NEWNET);
}

/// The network is one of theirs, too: dnsmasq on a bridge's other side.
TEST_F(Rootless, LeasesAndTheirDaemonAreWhereTheyLook) {
  in_rootless_child([] {
    tool({"ip", "link", "add", "br0", "type", "bridge"});
    tool({"ip", "link", "set", "br0", "up"});
    tool({"ip", "addr", "add", "10.1.2.1/24", "dev", "br0"});
    const DhcpServer dnsmasq =
        DhcpServer::dnsmasq("br0", -1, "10.1.2.50,10.1.2.99,255.255.255.0,120s",
                            {"--no-daemon"});  // else it would change its group
    Container inside("c1");
    const Attachment job = {.config = Json::parse(R"({"cniVersion": "1.1.0", "name": "net",
        "type": "bridge", "bridge": "br0", "ipam": {"type": "dhcp", "timeout": 5}})"),
                            .netns = inside.path()};
    const Json result = must_add(job);
    EXPECT_THAT(files_in(kLeases), ElementsAre("net:c1:eth0"));
    EXPECT_EQ(dhcp_daemons().size(), 1U);
    kill_dhcp_daemons();
    expect_silent_success(job.check(result));
    EXPECT_EQ(dhcp_daemons().size(), 1U);
    expect_silent_success(job.del(result));
    EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
    EXPECT_THAT(files_in(kLeases), IsEmpty());
    kill_dhcp_daemons();
  });
}

/// With unictl, and with settings that root wrote.
class RootlessSettings : public Rootless {
 protected:
  void SetUp() override {
    Rootless::SetUp();
    fs::create_directories(std::string(kHome) + "/bin");
    fs::copy(stage() + "/bin/unictl", std::string(kHome) + "/bin/unictl");
    for (const auto& entry : fs::directory_iterator(stage() + "/lib")) {
      if (!entry.is_directory()) {
        fs::copy(entry.path(), std::string(kHome) + "/lib/" + entry.path().filename().string(),
                 fs::copy_options::copy_symlinks);
      }
    }
    tool({"chown", "-R", "-h", std::to_string(kUser), kHome});
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/chains", "/etc/unicni/policy.d"});
    tool({"chmod", "-R", "go+rX", "/etc/unicni"});
    write_file("/etc/unicni/chains/web.yaml",
               "cniVersion: 1.1.0\nplugins:\n- type: bridge\n  bridge: cni0\n"
               "  ipam: {type: host-local, subnet: 10.22.0.0/16}\n");
    write_file("/etc/unicni/policy.d/a.yaml",
               "rules: [{match: {type: bridge}, override: {mtu: 1300}}]\n");
  }
  static Json web() {
    return {{"cniVersion", "1.1.0"}, {"name", "web"}, {"type", "unicni"}, {"chain", "web"}};
  }
  static int mtu(const Container& inside) {
    return inside.json({"ip", "-j", "link", "show", "eth0"})[0]["mtu"];
  }
};

TEST_F(RootlessSettings, HoldWhereTheyCanBeRead) {
  in_rootless_child([] {
    Container inside("c1");
    const Attachment job = {.config = web(), .netns = inside.path()};
    const Json result = must_add(job);
    EXPECT_EQ(mtu(inside), 1300);
    EXPECT_THAT(files_in("/run/unicni/compiled"), ::testing::IsSupersetOf({"chain:web", "policy"}));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  });
}

TEST_F(RootlessSettings, AFolderThatMayNotBeSearchedHasNone) {
  tool({"chmod", "0700", "/etc/unicni"});
  in_rootless_child([] {
    Container inside("c1");
    const Attachment job = {.config = mynet_1_0(), .netns = inside.path()};
    const Json result = must_add(job);
    EXPECT_EQ(mtu(inside), 1500);
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  });
}

TEST_F(RootlessSettings, HoldNotWhereTheyCanNot) {
  tool({"chmod", "0700", "/etc/unicni/chains", "/etc/unicni/policy.d"});
  in_rootless_child([] {
    Container inside("c1");
    const Attachment job = {.config = mynet_1_0(), .netns = inside.path()};
    const Json result = must_add(job);
    EXPECT_EQ(mtu(inside), 1500);
    expect_silent_success(job.del(result));
    const Attachment chain = {.config = web(), .netns = inside.path()};
    EXPECT_THAT(expect_error(chain.add())["msg"].get<std::string>(),
                ::testing::HasSubstr("/etc/unicni/chains"));
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  });
}

TEST_F(Rootless, ModuleOfAnotherUserIsRefused) {
  tool({"chown", "54321", std::string(kHome) + "/lib/unicni/modules/bridge.so"});
  in_rootless_child([] {
    Container inside("c1");
    const Attachment job = {.config = mynet_1_0(), .netns = inside.path()};
    EXPECT_THAT(expect_error(job.add())["msg"], ::testing::HasSubstr("bridge.so"));
    EXPECT_THAT(link_names(), IsEmpty());
  });
}

}  // namespace
}  // namespace unicni::test::rootless_test
