// The host of dhcp_host.h with IPv6 on the wire: outside() has 2001:db8:1::1/64 on "far".
#pragma once

#include "integration/dhcp_host.h"

namespace unicni::test {

class DhcpV6Test : public DhcpTest {
 protected:
  /// The servers' link has its link-local address at once, and forwards, as routers do.
  DhcpV6Test() {
    outside_.run({"ip", "link", "set", "far", "down"});
    for (const char* setting :
         {"net.ipv6.conf.far.disable_ipv6=0", "net.ipv6.conf.far.accept_dad=0",
          "net.ipv6.conf.all.forwarding=1"}) {
      outside_.run({"sysctl", "-qw", setting});
    }
    outside_.run({"ip", "link", "set", "far", "up"});
    outside_.run({"ip", "addr", "add", "2001:db8:1::1/64", "dev", "far", "nodad"});
  }
  /// IPv4 and IPv6 of one dnsmasq.
  DhcpServer dnsmasq(std::vector<std::string> more = {}) {
    more.insert(more.begin(), "--dhcp-range=2001:db8:1::50,2001:db8:1::99,64,120s");
    return DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s",
                               std::move(more));
  }
  /// IPv4 alone.
  DhcpServer dnsmasq_v4() {
    return DhcpServer::dnsmasq("far", outside_.fd(), "10.1.2.50,10.1.2.99,255.255.255.0,120s");
  }
  static Json config_v6(const std::string& ipv6 = "on", const std::string& changes = "{}") {
    Json config = DhcpTest::config(changes);
    config["ipam"]["ipv6"] = ipv6;
    return config;
  }
  static std::string address_v6_in(const Json& result) {
    return result["ips"].size() < 2 ? "" : result["ips"][1].value("address", "");
  }
  /// Global ones of both families, as "ip" has them.
  std::vector<std::string> global_addresses(const Attachment& job) {
    std::vector<std::string> addresses;
    for (const std::string& each : addresses_of("eth0", netns(job))) {
      if (!each.starts_with("fe80:")) addresses.push_back(each);
    }
    return addresses;
  }
  /// Of a container's lease.
  static std::string field(const std::string& key, const std::string& container = "c1") {
    const std::string text = read_file(std::string(kLeases) + "/net:" + container + ":eth0");
    const std::size_t at = text.find(" " + key + "=");
    if (at == std::string::npos) return {};
    const std::size_t from = at + key.size() + 2;
    return text.substr(from, text.find(' ', from) - from);
  }
};

}  // namespace unicni::test
