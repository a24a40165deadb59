#include "unicni/net/bus_device.h"

#include <filesystem>

#include "base/temp_folder_for_test.h"
#include "net/private_netns_for_test.h"

namespace unicni::net::bus_device_test {
namespace {

namespace fs = std::filesystem;

class BusDeviceTest : public PrivateNetnsTest {
 protected:
  /// A PCI device, and the virtio device that it is in truth.
  BusDeviceTest() : folder_(std::string(temp_.path()) + "/0000:00:03.0") {
    fs::create_directories(folder_ + "/virtio2");
    for (const char* bus : {"pci", "virtio"}) fs::create_directories(temp_.path() + "/bus/" + bus);
    fs::create_directory_symlink(temp_.path() + "/bus/pci", folder_ + "/subsystem");
    fs::create_directory_symlink(temp_.path() + "/bus/virtio", folder_ + "/virtio2/subsystem");
  }
  static Link link_of(const std::string& bus, const std::string& parent) {
    Link link;
    link.parent_bus = bus;
    link.parent = parent;
    return link;
  }
  TempFolder temp_;
  const std::string folder_;
};

TEST_F(BusDeviceTest, OwnsLinksOfItsNameAndBusAndOfItsVirtioDevice) {
  EXPECT_TRUE(belongs_to_device(link_of("pci", "0000:00:03.0"), folder_));
  EXPECT_TRUE(belongs_to_device(link_of("virtio", "virtio2"), folder_));
  EXPECT_FALSE(belongs_to_device(link_of("virtio", "virtio1"), folder_));
  EXPECT_FALSE(belongs_to_device(link_of("usb", "0000:00:03.0"), folder_));
  EXPECT_FALSE(belongs_to_device(link_of("", ""), folder_));
  EXPECT_FALSE(belongs_to_device(link_of("pci", "0000:00:04.0"), folder_ + "x"));
}

TEST_F(BusDeviceTest, FolderNetIsReadForKernelsThatTellNoParent) {
  Netlink links;
  EXPECT_FALSE(find_link_of_device(links, folder_));
  fs::create_directories(folder_ + "/virtio2/net/h0");
  EXPECT_FALSE(find_link_of_device(links, folder_)) << "of another namespace";
  shell("ip link add h0 type veth peer name far");
  const auto link = find_link_of_device(links, folder_);
  ASSERT_TRUE(link);
  EXPECT_EQ(link->name, "h0");
}

TEST_F(BusDeviceTest, DriverIsWhatItIsBoundTo) {
  EXPECT_EQ(driver_of_device(folder_), "");
  fs::create_directories(temp_.path() + "/drivers/vfio-pci");
  fs::create_directory_symlink(temp_.path() + "/drivers/vfio-pci", folder_ + "/driver");
  EXPECT_EQ(driver_of_device(folder_), "vfio-pci");
}

}  // namespace
}  // namespace unicni::net::bus_device_test
