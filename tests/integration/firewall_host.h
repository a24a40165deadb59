// The fixture for firewall: a host that containers reach a machine beyond by.
#pragma once

#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test {

/// Two networks on bridges of their own, and a machine beyond the host.
class Firewall : public HostTest {
 protected:
  Firewall() : outside_(container("outside")) {
    tool({"ip", "link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns",
          outside_.path()});
    tool({"ip", "addr", "add", "198.51.100.1/24", "dev", "up0"});
    tool({"ip", "link", "set", "up0", "up"});
    outside_.run({"ip", "addr", "add", "198.51.100.2/24", "dev", "eth0"});
    outside_.run({"ip", "link", "set", "eth0", "up"});
    outside_.run({"ip", "route", "add", "10.0.0.0/8", "via", "198.51.100.1"});
  }
  static Json list(const std::string& name, int subnet, const Json& firewall = Json::object()) {
    Json bridge = Json::parse(R"({"type": "bridge", "isDefaultGateway": true})");
    bridge["bridge"] = name;
    bridge["ipam"] = {{"type", "host-local"},
                      {"subnet", "10." + std::to_string(subnet) + ".0.0/24"}};
    Json last = {{"type", "firewall"}};
    last.update(firewall);
    return {
        {"cniVersion", "1.1.0"}, {"name", name}, {"type", "unicni"}, {"plugins", {bridge, last}}};
  }
  Attachment added(const Json& config, const std::string& name) {
    Attachment job = attachment(config, name);
    results_[name] = must_add(job);
    return job;
  }
  [[nodiscard]] Json result_of(const Attachment& job) const {
    return results_.at(job.container_id);
  }
  std::string address(const Attachment& job) const {
    const std::string text = result_of(job)["ips"][0]["address"];
    return text.substr(0, text.find('/'));
  }
  bool reaches(const Attachment& from, const std::string& to) {
    return pings(container_of(from).fd(), to);
  }
  static void drop_forwarding() {
    tool({"iptables-nft", "-P", "FORWARD", "DROP"});
    tool({"ip6tables-nft", "-P", "FORWARD", "DROP"});
  }
  static std::string foreign_rules() {
    return tool({"iptables-nft", "-S"}).out + tool({"ip6tables-nft", "-S"}).out;
  }

  Container& outside_;
  std::map<std::string, Json> results_;
};

}  // namespace unicni::test
