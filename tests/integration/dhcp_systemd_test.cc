// The units for systemd, and the socket that systemd hands over, by its own tools.
#include "integration/dhcp_host.h"

namespace unicni::test::dhcp_systemd_test {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

class DhcpSystemd : public DhcpTest {
 protected:
  void SetUp() override {
    for (const char* program : {"/usr/bin/systemd-analyze", "/usr/bin/systemd-socket-activate"}) {
      if (!exists(program)) GTEST_SKIP() << program << " isn't there";
    }
  }
};

TEST_F(DhcpSystemd, FindsNothingWrongWithTheUnits) {
  const std::string folder = std::string(UNICNI_SOURCE_DIR) + "/config/systemd/";
  tool({"mkdir", "-p", "/run/units"});
  for (const char* unit : {"cni-dhcp.socket", "cni-dhcp.service"}) {
    std::string text = read_file(folder + unit);
    const std::string program = "/opt/cni/bin/dhcp";  // where this machine has none
    const std::size_t at = text.find("ExecStart=" + program);
    if (at != std::string::npos) text.replace(at + 10, program.size(), bin_dir() + "/dhcp");
    write_file(std::string("/run/units/") + unit, text);
  }
  const Output output = run({.argv = {"systemd-analyze", "verify", "--man=no",
                                      "/run/units/cni-dhcp.socket", "/run/units/cni-dhcp.service"},
                             .env = {"PATH=/usr/bin:/bin", "SYSTEMD_UNIT_PATH=/run/units:"}});
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_EQ(output.out + output.err, "");
}

TEST_F(DhcpSystemd, TheSocketItHandsOverIsServedAndStays) {
  const DhcpServer dnsmasq =
      DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  tool({"mkdir", "-p", "/run/cni"});
  std::optional<Running> daemon(
      std::in_place,
      Spawn{.argv = {"systemd-socket-activate", "-l", kDhcpSocket, bin_dir() + "/dhcp", "daemon"},
            .env = {"PATH=/usr/bin:/bin"}});
  ASSERT_TRUE(soon([] { return exists(kDhcpSocket); }));
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  EXPECT_THAT(dhcp_daemons(), IsEmpty()) << "none that a verb has started";
  EXPECT_THAT(files_in(kLeases), SizeIs(1));
  expect_silent_success(job.check(result));
  ::kill(daemon->pid(), SIGTERM);
  daemon->wait();
  EXPECT_TRUE(exists(kDhcpSocket)) << "which is systemd's";
  daemon.reset();
  expect_silent_success(job.check(result));  // now there is nobody behind it
  EXPECT_THAT(dhcp_daemons(), SizeIs(1));
  expect_silent_success(job.del(result));
  EXPECT_TRUE(soon([&] { return dnsmasq.count("DHCPRELEASE") == 1; })) << dnsmasq.log();
}

}  // namespace
}  // namespace unicni::test::dhcp_systemd_test
