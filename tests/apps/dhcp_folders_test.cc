// dhcp for a program with folders of its own: its daemon keeps the leases where the program looks.
#include "integration/dhcp_host.h"
#include "unicni/runtime.h"

namespace unicni::test::dhcp_folders_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class DhcpFolders : public DhcpTest {
 protected:
  static RuntimeOptions options(const std::string& run) {
    RuntimeOptions options;
    options.executable = bin_dir() + "/unicni";
    options.plugin_folders = {bin_dir()};
    options.module_folders = {stage() + "/lib/unicni/modules"};
    options.isolation = Isolation::in_process;
    options.folders.run = run;
    options.folders.cni_state = run + "/state";
    return options;
  }
  static NetworkConfig network(const std::string& changes = "{}") {
    return Runtime::parse_network(config(changes).dump());
  }
  DhcpServer server() {
    return DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  }
};

TEST_F(DhcpFolders, AProgramsLeasesAreInItsOwnFolderAndItsDaemonSurvivesAKill) {
  const DhcpServer dnsmasq = server();
  const Runtime runtime(options("/run/engine"));
  const NetworkConfig net = network();
  const RuntimeConf conf{"c1", container("c1").path(), "eth0"};
  runtime.add(net, conf);
  EXPECT_THAT(files_in("/run/engine/dhcp"), ElementsAre("net:c1:eth0"));
  EXPECT_TRUE(exists("/run/engine/dhcp.sock"));
  EXPECT_FALSE(exists(kDhcpSocket));
  EXPECT_FALSE(exists(kLeases));
  kill_dhcp_daemons();
  runtime.check(net, conf);
  EXPECT_THAT(dhcp_daemons(), SizeIs(1));
  kill_dhcp_daemons();
  runtime.del(net, conf);
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in("/run/engine/dhcp"), IsEmpty());
}

TEST_F(DhcpFolders, BesideTheExecutableEachHasItsDaemon) {
  const DhcpServer dnsmasq = server();
  const Attachment job = attachment(config(), "theirs");
  const Json result = must_add(job);
  const Runtime runtime(options("/run/engine"));
  const RuntimeConf conf{"ours", container("ours").path(), "eth0"};
  runtime.add(network(), conf);
  EXPECT_THAT(dhcp_daemons(), SizeIs(2));
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:theirs:eth0"));
  runtime.gc(network(), {});
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:theirs:eth0"));
  EXPECT_THAT(files_in("/run/engine/dhcp"), IsEmpty());
  expect_silent_success(job.check(result));
}

TEST_F(DhcpFolders, ADaemonForAnotherFolderIsNamed) {
  const DhcpServer dnsmasq = server();
  const std::string shared = R"({"ipam": {"daemonSocketPath": "/run/shared.sock"}})";
  const Attachment job = attachment(config(shared), "theirs");
  const Json result = must_add(job);
  const Runtime runtime(options("/run/engine"));
  const RuntimeConf conf{"ours", container("ours").path(), "eth0"};
  try {
    runtime.add(network(shared), conf);
    FAIL() << "nobody would find that lease";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::not_available)) << error.msg();
    EXPECT_THAT(error.msg(), HasSubstr("keeps its files in /run/unicni/dhcp"));
  }
  EXPECT_THAT(link_names(containers_.back().fd()), IsEmpty());
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:theirs:eth0"));
  expect_silent_success(job.check(result));
}

}  // namespace
}  // namespace unicni::test::dhcp_folders_test
