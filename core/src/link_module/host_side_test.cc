#include "unicni/host_side.h"

#include <gmock/gmock.h>

namespace unicni::host_side_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Interface interface(const char* name, const char* sandbox = "") {
  Interface made;
  made.name = name;
  made.sandbox = sandbox;
  return made;
}

/// What of these addresses, each with the index of its interface, is eth0's; as text.
std::vector<std::string> eth0s(const std::vector<Interface>& interfaces,
                               const std::vector<std::optional<int>>& indices) {
  Result result;
  result.interfaces = interfaces;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    IpConfig ip;
    ip.address = IpNet::parse("10.1.0." + std::to_string(i) + "/24").value();
    ip.interface = indices[i];
    result.ips.push_back(ip);
  }
  std::vector<std::string> found;
  for (const IpNet& each : attachment_addresses(result, "eth0")) {
    found.push_back(each.address().str());
  }
  return found;
}

TEST(AttachmentAddresses, AreThoseOfTheContainersInterface) {
  const std::vector<Interface> bridge = {interface("cni0"), interface("veth1"),
                                         interface("eth0", "/ns"), interface("eth1", "/ns")};
  EXPECT_THAT(eth0s(bridge, {2, 0, 3, 1, 2}), ElementsAre("10.1.0.0", "10.1.0.4"));
  EXPECT_THAT(eth0s(bridge, {3}), IsEmpty());
}

TEST(AttachmentAddresses, WithoutAnInterfaceTheyCount) {
  const std::vector<Interface> bridge = {interface("cni0"), interface("eth0", "/ns")};
  EXPECT_THAT(eth0s(bridge, {std::nullopt, -1, 7, 1}),
              ElementsAre("10.1.0.0", "10.1.0.1", "10.1.0.2", "10.1.0.3"));
}

TEST(AttachmentAddresses, AllCountIfTheResultHasNoInterfaceOfThatName) {
  EXPECT_THAT(eth0s({}, {std::nullopt, 0}), ElementsAre("10.1.0.0", "10.1.0.1"));
  EXPECT_THAT(eth0s({interface("cali1")}, {0, std::nullopt}), ElementsAre("10.1.0.0", "10.1.0.1"));
}

TEST(AttachmentAddresses, TheHostMayHaveAnInterfaceOfThatNameToo) {
  EXPECT_THAT(eth0s({interface("eth0"), interface("eth0", "/ns")}, {0, 1}),
              ElementsAre("10.1.0.1"));
  EXPECT_THAT(eth0s({interface("eth0"), interface("azv1")}, {0, 1}), ElementsAre("10.1.0.0"))
      << "without any sandbox it is the container's";
}

}  // namespace
}  // namespace unicni::host_side_test
