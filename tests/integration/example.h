// An example of the tree, run as it is.
#pragma once

#include <filesystem>
#include <fstream>

#include "integration/dhcp_host.h"
#include "integration/host_test.h"

namespace unicni::test {

class ExampleTest : public HostTest {
 protected:
  /// ADD, CHECK and DEL, twice, succeed and leave nothing but bridges.
  void expect_works(const std::filesystem::path& path);

 private:
  /// A list as a runtime's file has it is what the type "unicni" carries.
  static Json config_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    Json config = Json::parse(file);
    if (config.contains("plugins")) config["type"] = "unicni";
    return config;
  }
};

inline void ExampleTest::expect_works(const std::filesystem::path& path) {
  const Attachment job = attachment(config_of(path));
  const Json plugins = job.config.value("plugins", Json::array({job.config}));
  // Links of the host that it hangs on, or gives away.
  for (const Json& plugin : plugins) {
    const bool lends = plugin["type"] == "host-device";
    const std::string link = plugin.value(lends ? "device" : "master", "");
    if (link.empty()) continue;
    tool({"ip", "link", "add", link, "type", "veth", "peer", "name", "far"});
    if (!lends) tool({"ip", "link", "set", link, "up"});
  }
  // What flanneld leaves on a node.
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
             "FLANNEL_IPMASQ=true\n");
  // A server for what asks for its address.
  std::optional<DhcpServer> server;
  for (const Json& plugin : plugins) {
    if (!plugin.contains("ipam") || plugin["ipam"].value("type", "") != "dhcp") continue;
    const std::string bridge = plugin["bridge"];
    tool({"ip", "link", "add", bridge, "type", "bridge"});
    tool({"ip", "link", "set", bridge, "up"});
    tool({"ip", "addr", "add", "10.97.0.1/24", "dev", bridge});
    server = DhcpServer::dnsmasq(bridge, -1, "10.97.0.50,10.97.0.99,255.255.255.0,120s");
  }
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  ASSERT_FALSE(result.is_null());
  EXPECT_EQ(result["cniVersion"], job.config["cniVersion"]);
  if (job.config["cniVersion"] >= "0.4.0") expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  kill_dhcp_daemons();
  // A bridge stays, with its addresses.
  Snapshot start = before;
  Snapshot end = snapshot();
  for (const Json& plugin : plugins) {
    const std::string bridge = plugin.value("bridge", "cni0");
    start = without_link(start, bridge);
    end = without_link(end, bridge);
  }
  EXPECT_EQ(difference(start, end), "");
}

}  // namespace unicni::test
