// host-device: what the container gets, what CHECK sees of it, and what is refused.
#include "integration/host_device.h"

#include <sys/mount.h>

#include <filesystem>

namespace unicni::test::host_device_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

namespace fs = std::filesystem;

class HostDevice : public HostDeviceTest {};

TEST_F(HostDevice, IsTheContainersWithAddressesAndRoutesAndComesHome) {
  make_device();
  const Snapshot before = snapshot();
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  const int netns = container_of(job).fd();
  EXPECT_EQ(
      result["interfaces"],
      Json::array({{{"mac", kMac}, {"mtu", 1400}, {"name", "eth0"}, {"sandbox", job.netns}}}));
  const auto inside = find_link("eth0", netns);
  ASSERT_TRUE(inside);
  EXPECT_EQ(inside->at("address"), kMac);
  EXPECT_EQ(inside->at("mtu"), 1400);
  EXPECT_EQ(inside->at("ifalias"), "h0") << "what the reference's DEL wants";
  EXPECT_THAT(inside->at("flags").dump(), HasSubstr("\"UP\""));
  EXPECT_THAT(addresses_of("eth0", netns), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns), ElementsAre("default via 10.1.2.1", "10.1.2.0/24", "fd00:1:2::/64",
                                            "default6 via fd00:1:2::1"));
  EXPECT_FALSE(find_link("h0"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(netns), IsEmpty());
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(HostDevice, ThatIsDownComesHomeDown) {
  tool({"ip", "link", "add", "h0", "type", "veth", "peer", "name", "h0-far"});
  const Snapshot before = snapshot();
  const Attachment job = attachment(config());
  must_add(job);
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(HostDevice, NeedsNoIpamAndKeepsItsNameIfThatIsAsked) {
  make_device("eth0");
  const Snapshot before = snapshot();
  const Attachment job = attachment(config(R"({"device": "eth0", "ipam": null})"));
  const Json result = must_add(job);
  EXPECT_FALSE(result.contains("ips"));
  EXPECT_THAT(find_link("eth0", container_of(job).fd())->at("flags").dump(), HasSubstr("\"UP\""));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(HostDevice, Ipv6OnlyAndTheAttributesOfRoutes) {
  make_device();
  const Attachment job = attachment(config(R"({"ipam": {
    "ranges": [[{"subnet": "fd00:1:2::/64"}]],
    "routes": [{"dst": "fd09::/64", "mtu": 1280, "advmss": 1220, "priority": 77}]}})"));
  const Json result = must_add(job);
  const int netns = container_of(job).fd();
  EXPECT_THAT(addresses_of("eth0", netns), ElementsAre("fd00:1:2::2/64")) << "not tentative";
  const Json route = tool_json({"ip", "-6", "-j", "route", "show", "fd09::/64"}, netns).at(0);
  EXPECT_EQ(route["metric"], 77);
  EXPECT_EQ(route["metrics"][0]["mtu"], 1280);
  EXPECT_EQ(route["metrics"][0]["advmss"], 1220);
  expect_silent_success(job.check(result));
}

TEST_F(HostDevice, NeighboursThatKnewTheAddressElsewhereAreTold) {
  make_device();
  tool({"ip", "addr", "add", "10.1.2.1/24", "dev", "h0-far"});
  // Else the kernel forgets it while the device is on its way.
  tool({"sysctl", "-q", "net.ipv4.conf.h0-far.arp_evict_nocarrier=0"});
  tool({"ip", "neigh", "add", "10.1.2.2", "lladdr", "02:00:00:00:00:77", "dev", "h0-far", "nud",
        "stale"});
  must_add(attachment(config()));
  EXPECT_EQ(tool_json({"ip", "-j", "neigh", "show", "10.1.2.2"})[0]["lladdr"], kMac);
}

TEST_F(HostDevice, HwaddrFindsIt) {
  make_device("other", "02:00:00:00:00:22");
  make_device();
  const Snapshot before = snapshot();
  const Attachment job =
      attachment(config(R"({"device": null, "hwaddr": "02:00:00:00:00:11", "ipam": null})"));
  const Json result = must_add(job);
  EXPECT_FALSE(find_link("h0"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(HostDevice, CheckSeesWhatDrifted) {
  make_device();
  const std::vector<std::vector<std::string>> drifts = {
      {"ip", "link", "set", "eth0", "down"},
      {"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"},
      {"ip", "link", "set", "eth0", "mtu", "1300"},
      {"ip", "link", "set", "eth0", "alias", "mine"},
      {"ip", "addr", "flush", "to", "10.1.2.0/24", "dev", "eth0"},
      {"ip", "addr", "flush", "to", "fd00:1:2::/64", "dev", "eth0"},
      {"ip", "route", "del", "default"},
      {"ip", "-6", "route", "del", "default"},
  };
  for (const auto& drift : drifts) {
    SCOPED_TRACE(::testing::PrintToString(drift));
    const Attachment job = attachment(config());
    const Json result = must_add(job);
    expect_silent_success(job.check(result));
    container_of(job).run(drift);
    expect_error(job.check(result));
    expect_silent_success(job.del());
    containers_.clear();
  }
}

TEST_F(HostDevice, ThatIsMissingIsNamedByAddAndStatus) {
  const Snapshot before = snapshot();
  const Attachment job = attachment(config());
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("h0"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(expect_error(job.status(), 50)["msg"], HasSubstr("h0"));
  make_device();
  expect_silent_success(job.status());
  const Json result = must_add(job);
  EXPECT_THAT(expect_error(job.status(), 50)["msg"], HasSubstr("h0"))
      << "one device, one container";
  Attachment second = attachment(config(), "c2");
  EXPECT_THAT(expect_error(second.add())["msg"], HasSubstr("h0"));
  EXPECT_THAT(reservations("net"), SizeIs(2));
  expect_silent_success(job.check(result));
}

TEST_F(HostDevice, FailingAddTakesNothingAway) {
  make_device();
  const Snapshot before = snapshot();
  // Refused by the kernel when the device has moved and has its addresses.
  const Attachment job =
      attachment(config(R"({"ipam": {"routes": [{"dst": "10.9.0.0/16", "gw": "192.168.77.1"}]}})"));
  expect_error(job.add());
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
}

TEST_F(HostDevice, ThatCantMoveIsAnErrorAndStays) {
  tool({"ip", "link", "add", "h0", "type", "bridge"});
  const Snapshot before = snapshot();
  const Attachment job = attachment(config());
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("h0"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(HostDevice, GcBringsHomeWhatIsNotValid) {
  make_device("h0");
  make_device("h1", "02:00:00:00:00:22");
  const Snapshot before = snapshot();
  const Attachment first = attachment(config(), "c1");
  const Attachment second = attachment(config(R"({"device": "h1"})"), "c2");
  must_add(first);
  const Json kept = must_add(second);
  disguise(first);
  expect_silent_success(first.gc(Json::array({valid_entry(second)})));
  EXPECT_TRUE(find_link("h0"));
  EXPECT_THAT(link_names(container_of(first).fd()), IsEmpty());
  expect_silent_success(second.check(kept));
  expect_silent_success(second.gc(Json::array()));
  EXPECT_EQ(difference(before, snapshot()), "");
}

/// /sys as a machine with cards would show it.
class HostDeviceInSysfs : public HostDeviceTest {
 protected:
  HostDeviceInSysfs() {
    if (::mount("tmpfs", "/sys", "tmpfs", 0, "mode=755") != 0) {
      throw std::runtime_error("mount tmpfs on /sys");
    }
  }
  ~HostDeviceInSysfs() override { ::umount2("/sys", MNT_DETACH); }
  /// A device of a bus; `net`: its folder of links is there (or in that subfolder) and names h0.
  static void plug(const std::string& bus, const std::string& name, const std::string& driver,
                   const std::string& net = "") {
    const std::string folder = "/sys/devices/pci0000:00/" + name;
    fs::create_directories(folder);
    if (!net.empty()) fs::create_directories(folder + '/' + net + "/h0");
    fs::create_directories("/sys/bus/" + bus + "/devices");
    fs::create_directories("/sys/bus/" + bus + "/drivers/" + driver);
    fs::create_directory_symlink(folder, "/sys/bus/" + bus + "/devices/" + name);
    fs::create_directory_symlink("/sys/bus/" + bus + "/drivers/" + driver, folder + "/driver");
    fs::create_directory_symlink("/sys/bus/" + bus, folder + "/subsystem");
  }
  void expect_moved(const std::string& changes, const std::string& pci_id) {
    SCOPED_TRACE(changes);
    make_device();
    const Snapshot before = snapshot();
    const Attachment job = attachment(config(changes));
    const Json result = must_add(job);
    EXPECT_FALSE(find_link("h0"));
    EXPECT_EQ(result["interfaces"][0].value("pciID", ""), pci_id);
    expect_silent_success(job.del(result));
    EXPECT_EQ(difference(before, snapshot()), "");
    containers_.clear();
    tool({"ip", "link", "del", "h0"});
  }
};

TEST_F(HostDeviceInSysfs, IsFoundByEveryCriterion) {
  plug("pci", "0000:00:1f.6", "e1000e", "net");
  plug("pci", "0000:00:03.0", "virtio-pci", "virtio0/net");
  plug("auxiliary", "mlx5_core.sf.4", "sf", "net");
  expect_moved(R"({"device": null, "pciBusID": "0000:00:1f.6"})", "0000:00:1f.6");
  expect_moved(R"({"device": null, "pciBusID": "0000:00:03.0"})", "0000:00:03.0");
  expect_moved(R"({"device": null, "kernelpath": "/sys/devices/pci0000:00/0000:00:1f.6"})", "");
  expect_moved(R"({"device": null, "runtimeConfig": {"deviceID": "0000:00:1f.6"}})",
               "0000:00:1f.6");
  expect_moved(R"({"device": null, "pciBusID": "0000:00:99.0",
                   "runtimeConfig": {"deviceID": "mlx5_core.sf.4"}})",
               "");
}

TEST_F(HostDeviceInSysfs, DeviceThatAProgramDrivesIsReportedAndNotTouched) {
  for (const char* driver : {"vfio-pci", "uio_pci_generic", "igb_uio"}) {
    SCOPED_TRACE(driver);
    plug("pci", "0000:00:1f.6", driver);
    const Snapshot before = snapshot();
    const Attachment job = attachment(config(R"({"device": null, "pciBusID": "0000:00:1f.6"})"));
    const Json result = must_add(job);
    EXPECT_EQ(result["interfaces"],
              Json::array({{{"name", "eth0"}, {"pciID", "0000:00:1f.6"}, {"sandbox", job.netns}}}));
    EXPECT_EQ(result["ips"].size(), 2U);
    EXPECT_EQ(result["ips"][0]["interface"], 0);
    EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
    EXPECT_EQ(reservations("net").size(), 2U);
    expect_silent_success(job.check(result));
    expect_silent_success(job.status());
    expect_silent_success(job.del(result));
    EXPECT_EQ(difference(before, snapshot()), "");
    containers_.clear();
    fs::remove_all("/sys/devices");
    fs::remove_all("/sys/bus");
  }
}

TEST_F(HostDeviceInSysfs, DeviceThatIsNotThereIsNamed) {
  const Snapshot before = snapshot();
  for (const char* id : {"0000:00:1f.6", "mlx5_core.sf.4"}) {
    Json request = config(R"({"device": null})");
    request["runtimeConfig"] = {{"deviceID", id}};
    const Attachment job = attachment(request, id[0] == '0' ? "c1" : "c2");
    EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr(id));
    EXPECT_THAT(expect_error(job.status(), 50)["msg"], HasSubstr(id));
    expect_silent_success(job.del());
  }
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::host_device_test
