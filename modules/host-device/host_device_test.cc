#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/error_for_test.h"
#include "base/temp_folder_for_test.h"
#include "config.h"
#include "target.h"

namespace unicni::host_device::host_device_test {
namespace {

namespace fs = std::filesystem;

std::string refusal(const std::function<void(HostDeviceOptions&)>& change) {
  HostDeviceOptions options;
  change(options);
  return refusal_of([&] { validate(options); });
}

TEST(HostDeviceOptions, OneCriterionIsNeeded) {
  EXPECT_NE(refusal([](auto&) {}).find("specify either"), std::string::npos);
  EXPECT_NE(refusal([](auto& options) { options.dpdk_mode = true; }), "");
  EXPECT_EQ(refusal([](auto& options) { options.device = "eth1"; }), "");
  EXPECT_EQ(refusal([](auto& options) { options.hwaddr = Mac::parse("02:00:00:00:00:01"); }), "");
  EXPECT_EQ(refusal([](auto& options) { options.device_id = "0000:00:1f.6"; }), "");
}

TEST(HostDeviceOptions, PathsLeadToDevicesAndNowhereElse) {
  const auto with = [](const std::string& path) {
    return refusal([&](auto& options) { options.kernel_path = path; });
  };
  EXPECT_EQ(with("/sys/devices/pci0000:00/0000:00:1f.6"), "");
  EXPECT_EQ(with("/sys/devices/a..b"), "");
  using namespace std::string_literals;
  for (const std::string& path :
       {"sys/devices/x"s, "/sys/bus/pci"s, "/sys/devices/../../etc"s, "/sys/devices/x/.."s,
        "/proc/self"s, "/sys/devices"s, "/sys/devices/x\0y"s}) {
    EXPECT_NE(with(path).find("kernelpath"), std::string::npos) << path;
  }
}

TEST(HostDeviceOptions, PciAddressesAndAuxiliaryNamesAreNoPaths) {
  const auto pci = [](const std::string& text) {
    return refusal([&](auto& options) { options.pci_bus_id = text; });
  };
  for (const char* good : {"0000:00:1f.6", "0000:AF:00.0", "10000:01:00.7", "12345678:00:00.0"}) {
    EXPECT_EQ(pci(good), "") << good;
  }
  for (const char* bad :
       {"0", "00:1f.6", "0000:00:1f.", "0000:00:1f.66", "0000:00:1g.6", "../..:x", "0000/00:1f.6",
        "123456789:00:00.0", "0000:00:1f.6\n", "mlx5_core.sf.4"}) {
    EXPECT_NE(pci(bad).find("pciBusID"), std::string::npos) << bad;
  }
  const auto id = [](const std::string& text) {
    return refusal([&](auto& options) { options.device_id = text; });
  };
  EXPECT_EQ(id("mlx5_core.sf.4"), "");
  EXPECT_EQ(id("0000:00:1f.6"), "");
  for (const char* bad : {"..", ".", "a/b", "../x", "a b", "/dev/vfio/1"}) {
    EXPECT_NE(id(bad).find("deviceID"), std::string::npos) << bad;
  }
}

TEST(HostDeviceOptions, RefusesNamesAndMacsThatNoLinkHas) {
  EXPECT_NE(refusal([](auto& options) { options.device = "a/b"; }), "");
  EXPECT_NE(refusal([](auto& options) { options.hwaddr = Mac(); }), "");
}

/// A /sys of the test's own.
class Resolve : public testing::Test {
 protected:
  void plug(const std::string& bus, const std::string& name, const std::string& driver = "") {
    const std::string folder = sysfs() + "/bus/" + bus + "/devices/" + name;
    fs::create_directories(folder);
    if (driver.empty()) return;
    fs::create_directories(sysfs() + "/drivers/" + driver);
    fs::create_directory_symlink(sysfs() + "/drivers/" + driver, folder + "/driver");
  }
  [[nodiscard]] std::string sysfs() const { return folder_.path(); }
  Target resolved(const std::function<void(HostDeviceOptions&)>& change) {
    HostDeviceOptions options;
    change(options);
    return resolve(options, sysfs());
  }
  TempFolder folder_;
};

TEST_F(Resolve, DriversOfProgramsMeanDpdk) {
  plug("pci", "0000:00:01.0", "vfio-pci");
  plug("pci", "0000:00:02.0", "uio_pci_generic");
  plug("pci", "0000:00:03.0", "igb_uio");
  plug("pci", "0000:00:04.0", "e1000e");
  plug("pci", "0000:00:05.0");
  const auto dpdk = [&](const std::string& id) {
    return resolved([&](auto& options) { options.pci_bus_id = id; }).dpdk;
  };
  EXPECT_TRUE(dpdk("0000:00:01.0"));
  EXPECT_TRUE(dpdk("0000:00:02.0"));
  EXPECT_TRUE(dpdk("0000:00:03.0"));
  EXPECT_FALSE(dpdk("0000:00:04.0"));
  EXPECT_FALSE(dpdk("0000:00:05.0")) << "no driver";
  EXPECT_FALSE(dpdk("0000:00:06.0")) << "no device";
}

TEST_F(Resolve, DpdkModeCountsOnlyWhereNoDriverCanBeAsked) {
  plug("pci", "0000:00:04.0", "e1000e");
  EXPECT_FALSE(resolved([](auto& options) {
                 options.pci_bus_id = "0000:00:04.0";
                 options.dpdk_mode = true;
               }).dpdk);
  EXPECT_TRUE(resolved([](auto& options) {
                options.device = "eth1";
                options.dpdk_mode = true;
              }).dpdk);
}

TEST_F(Resolve, DeviceIdReplacesPciBusId) {
  plug("pci", "0000:00:01.0", "e1000e");
  plug("pci", "0000:00:02.0", "vfio-pci");
  plug("auxiliary", "mlx5_core.sf.4");
  const auto target = [&](const std::string& id) {
    return resolved([&](auto& options) {
      options.pci_bus_id = "0000:00:01.0";
      options.device_id = id;
    });
  };
  EXPECT_EQ(target("0000:00:02.0").pci, "0000:00:02.0");
  EXPECT_TRUE(target("0000:00:02.0").dpdk);
  EXPECT_EQ(target("mlx5_core.sf.4").pci, "");
  EXPECT_EQ(target("mlx5_core.sf.4").folder, sysfs() + "/bus/auxiliary/devices/mlx5_core.sf.4");
  EXPECT_FALSE(fs::exists(target("0000:00:09.0").folder));
  EXPECT_NE(target("0000:00:09.0").text.find("0000:00:09.0"), std::string::npos);
}

TEST_F(Resolve, StrongestCriterionWins) {
  plug("pci", "0000:00:01.0");
  HostDeviceOptions options;
  options.pci_bus_id = "0000:00:01.0";
  EXPECT_EQ(resolve(options, sysfs()).folder, sysfs() + "/bus/pci/devices/0000:00:01.0");
  options.kernel_path = "/sys/devices/pci0000:00/x";
  EXPECT_EQ(resolve(options, sysfs()).folder, sysfs() + "/devices/pci0000:00/x");
  options.hwaddr = Mac::parse("02:00:00:00:00:01");
  EXPECT_EQ(resolve(options, sysfs()).folder, "");
  EXPECT_NE(resolve(options, sysfs()).text.find("02:00:00:00:00:01"), std::string::npos);
  options.device = "eth1";
  EXPECT_EQ(resolve(options, sysfs()).text, "device eth1");
  EXPECT_EQ(resolve(options, sysfs()).pci, "") << "eth1 may be another device";
}

TEST(IsTarget, TakesTheMarkOrTheMacOfMarkedLinksOnly) {
  net::Link link;
  link.mac = *Mac::parse("02:00:00:00:00:01");
  HostDeviceOptions options;
  EXPECT_FALSE(is_target(link, options, {})) << "nothing is configured: a DEL of a broken one";
  link.alias = "eth1";
  EXPECT_FALSE(is_target(link, options, {}));
  options.device = "eth1";
  EXPECT_TRUE(is_target(link, options, {}));
  options.device = "eth2";
  EXPECT_FALSE(is_target(link, options, {}));
  options.device.clear();
  options.hwaddr = Mac::parse("02:00:00:00:00:02");
  EXPECT_FALSE(is_target(link, options, {}));
  link.permanent_mac = options.hwaddr;
  EXPECT_TRUE(is_target(link, options, {}));
  link.alias.clear();
  EXPECT_FALSE(is_target(link, options, {}));
}

}  // namespace
}  // namespace unicni::host_device::host_device_test
