// CHECK sees what became of an attachment, and changes nothing.
#include "integration/host_test.h"

namespace unicni::test::check_test {
namespace {

using ::testing::HasSubstr;

class Check : public HostTest {
 protected:
  void SetUp() override {
    job_ = attachment(mynet_1_0());
    result_ = must_add(job_);
    expect_silent_success(job_.check(result_));
    inside_ = &container_of(job_);
    port_ = host_end(result_);
  }
  /// CHECK fails, naming `what`.
  void expect_found(const std::string& what) {
    const Snapshot before = snapshot();
    const Json error = expect_error(job_.check(result_));
    EXPECT_THAT(error["msg"], HasSubstr(what));
    EXPECT_EQ(difference(before, snapshot()), "");
  }
  Attachment job_;
  Json result_;
  Container* inside_ = nullptr;
  std::string port_;
};

TEST_F(Check, ChangesNothing) {
  const Snapshot host = snapshot();
  const Snapshot container = kernel_snapshot(inside_->fd());
  const std::string journal = read_file("/run/unicni/attachments/mynet:c1:eth0");
  expect_silent_success(job_.check(result_));
  EXPECT_EQ(difference(host, snapshot()), "");
  EXPECT_EQ(difference(container, kernel_snapshot(inside_->fd())), "");
  EXPECT_EQ(read_file("/run/unicni/attachments/mynet:c1:eth0"), journal);
}

TEST_F(Check, AddressRemoved) {
  inside_->run({"ip", "addr", "del", "10.22.0.2/16", "dev", "eth0"});
  expect_found("10.22.0.2/16");
}

TEST_F(Check, AddressReplaced) {
  inside_->run({"ip", "addr", "add", "10.22.0.2/24", "dev", "eth0"});
  inside_->run({"ip", "addr", "del", "10.22.0.2/16", "dev", "eth0"});
  expect_found("10.22.0.2/16");
}

TEST_F(Check, RouteRemoved) {
  inside_->run({"ip", "route", "del", "default"});
  expect_found("0.0.0.0/0");
}

TEST_F(Check, InterfaceRemoved) {
  tool({"ip", "link", "del", port_});
  expect_found("eth0");
}

TEST_F(Check, InterfaceRenamed) {
  inside_->run({"ip", "link", "set", "eth0", "down"});
  inside_->run({"ip", "link", "set", "eth0", "name", "eth1"});
  expect_found("eth0");
}

TEST_F(Check, InterfaceDown) {
  inside_->run({"ip", "link", "set", "eth0", "down"});
  expect_error(job_.check(result_));
  inside_->run({"ip", "link", "set", "eth0", "up"});
  inside_->run({"ip", "route", "add", "default", "via", "10.22.0.1"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, InterfaceDownIsSeenWithoutRoutes) {
  Json config = with_version(mynet(), "1.0.0");
  config["name"] = "plain";
  config["bridge"] = "br1";
  config["ipam"] = {{"type", "host-local"}, {"subnet", "10.44.0.0/16"}};
  job_ = attachment(config, "c2");
  result_ = must_add(job_);
  expect_silent_success(job_.check(result_));
  container_of(job_).run({"ip", "link", "set", "eth0", "down"});
  expect_found("eth0");
}

TEST_F(Check, HostEndDown) {
  tool({"ip", "link", "set", port_, "down"});
  expect_found(port_);
}

TEST_F(Check, WrongMaster) {
  tool({"ip", "link", "add", "br1", "type", "bridge"});
  tool({"ip", "link", "set", port_, "master", "br1"});
  expect_found(port_);
}

TEST_F(Check, NoMaster) {
  tool({"ip", "link", "set", port_, "nomaster"});
  expect_found(port_);
}

TEST_F(Check, MacChanged) {
  inside_->run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  expect_found("02:00:00:00:00:99");
}

TEST_F(Check, BridgeRemoved) {
  tool({"ip", "link", "del", "cni0"});
  expect_found("cni0");
}

TEST_F(Check, BridgeDown) {
  tool({"ip", "link", "set", "cni0", "down"});
  expect_found("cni0");
}

TEST_F(Check, BridgeMacChanged) {
  tool({"ip", "link", "set", "cni0", "address", "02:00:00:00:00:98"});
  expect_found("cni0");
}

TEST_F(Check, HairpinThatPortmapSwitchedOnIsNoDrift) {
  tool({"ip", "link", "set", port_, "type", "bridge_slave", "hairpin", "on"});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, MasqueradeElementRemoved) {
  tool({"nft", "delete", "element", "inet", "unicni", "masq4_16", "{ 10.22.0.2 . 10.22.0.0 }"});
  expect_found("10.22.0.2");
}

TEST_F(Check, MasqueradeTableRemoved) {
  tool({"nft", "delete", "table", "inet", "unicni"});
  expect_found("10.22.0.2");
}

TEST_F(Check, ReservationRemoved) {
  tool({"rm", "/var/lib/cni/networks/mynet/10.22.0.2"});
  expect_found("c1");
}

TEST_F(Check, ReservationOfSomebodyElse) {
  write_file("/var/lib/cni/networks/mynet/10.22.0.2", "c7\r\neth0");
  expect_found("c1");
}

TEST_F(Check, WithoutPrevResultIsAnError) {
  EXPECT_THAT(expect_error(job_.call("CHECK", job_.config))["msg"], HasSubstr("prevResult"));
}

TEST_F(Check, WithAnotherSandboxIsAnError) {
  job_.netns = container("c2").path();
  expect_error(job_.check(result_));
}

TEST_F(Check, JudgesByPrevResultAndNotByTheConfiguration) {
  // A later plugin of the list changed the MAC and took the default route away, and said so.
  inside_->run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  inside_->run({"ip", "route", "del", "default"});
  result_["interfaces"][2]["mac"] = "02:00:00:00:00:99";
  result_.erase("routes");
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, ToleratesInterfacesOfLaterPlugins) {
  result_["interfaces"].push_back({{"name", "ifb9"}});
  result_["interfaces"].push_back({{"name", "eth7"}, {"sandbox", job_.netns}});
  expect_silent_success(job_.check(result_));
}

TEST_F(Check, WithoutTheJournalWorks) {
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job_.check(result_));
}

}  // namespace
}  // namespace unicni::test::check_test
