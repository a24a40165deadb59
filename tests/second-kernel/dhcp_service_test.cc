// The daemon of dhcp under systemd, as PID 1 of namespaces of its own. Here and not on the host:
// systemd takes the control groups for its own.
#include "integration/dhcp_host.h"

namespace unicni::test::dhcp_service_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class DhcpService : public DhcpTest {
 protected:
  /// Our units as they are installed, but for the folder of plugins, and the targets of a system
  /// that they name.
  DhcpService() {
    tool({"mkdir", "-p", "/run/units"});
    const std::string folder = std::string(UNICNI_SOURCE_DIR) + "/config/systemd/";
    for (const char* unit : {"cni-dhcp.socket", "cni-dhcp.service"}) {
      std::string text = read_file(folder + unit);
      const std::string plugins = "/opt/cni/bin/";
      const std::size_t at = text.find("ExecStart=" + plugins);
      if (at != std::string::npos) text.replace(at + 10, plugins.size(), bin_dir() + "/");
      write_file(std::string("/run/units/") + unit, text);
    }
    for (const char* target : {"sysinit", "basic", "shutdown", "sockets", "multi-user"}) {
      write_file(std::string("/run/units/") + target + ".target", "[Unit]\n");
    }
    write_file("/run/units/node.target", "[Unit]\nWants=cni-dhcp.socket\n");
  }
  void SetUp() override {
    if (!exists("/lib/systemd/systemd")) GTEST_SKIP() << "no systemd";
  }
  static std::string daemon() {
    const Output found = run({.argv = {"pgrep", "-f", "/dhcp daemon$"}});
    return found.ok() ? found.out : std::string();
  }
};

TEST_F(DhcpService, SystemdStartsItAtTheFirstVerbAndAgainWhenItIsKilled) {
  const DhcpServer dnsmasq =
      DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  const Attachment job = attachment(config(R"({"ipam": {"timeout": 20}})"));
  const Running systemd(
      Spawn{.argv = {"unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup",
                     "--mount-proc", "/lib/systemd/systemd", "--system", "--unit=node.target"},
            .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=unicni",
                    "SYSTEMD_UNIT_PATH=/run/units"}});
  ASSERT_TRUE(soon([] { return exists(kDhcpSocket); }, std::chrono::seconds(20)));
  EXPECT_EQ(daemon(), "");
  const Json result = must_add(job);
  const std::string first = daemon();
  EXPECT_THAT(first, HasSubstr("\n")) << "it is there";
  EXPECT_THAT(dhcp_daemons(), IsEmpty()) << "none that a verb has started";
  EXPECT_THAT(files_in(kLeases), ElementsAre("net:c1:eth0"));
  tool({"pkill", "-9", "-f", "/dhcp daemon$"});
  EXPECT_TRUE(
      soon([&] { return !daemon().empty() && daemon() != first; }, std::chrono::seconds(10)))
      << "without a verb";
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
  EXPECT_THAT(files_in(kLeases), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::dhcp_service_test
