// A host with an uplink, and the container "pod" that a main plugin of another maker has attached.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "integration/chained.h"
#include "support/traffic.h"

namespace unicni::test {

/// How a maker joins the container "pod", which has 10.16.0.5, to the host.
enum class Wiring : unsigned char {
  routed,   ///< a veth, and a host route to its end "pod0" on the host
  bridged,  ///< a veth whose end "pod0" is a port of the bridge "br9" with the gateway's address
  beyond,   ///< the veth's other end is in a namespace of the maker's, to which the host routes
};

/// Its result, with the container's namespace for @NS@.
inline constexpr const char* kKubeOvn = R"({"cniVersion": "0.4.0",
  "interfaces": [{"name": "eth0", "sandbox": "@NS@"}],
  "ips": [{"version": "4", "address": "10.16.0.5/16", "gateway": "10.16.0.1"}], "dns": {}})";

class ForeignHost : public ChainedTest {
 protected:
  ForeignHost() : client_(container("client")), pod_(container("pod")) {
    tool({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "c0", "netns",
          client_.path()});
    tool({"ip", "addr", "add", "192.0.2.1/24", "dev", "eth0"});
    tool({"ip", "link", "set", "eth0", "up"});
    tool({"ip", "route", "add", "default", "via", "192.0.2.9"});
    client_.run({"ip", "addr", "add", "192.0.2.9/24", "dev", "c0"});
    client_.run({"ip", "link", "set", "c0", "up"});
    client_.run({"ip", "route", "add", "10.16.0.0/16", "via", "192.0.2.1"});
    tool({"ip", "link", "add", "ens5", "type", "bridge"});
    tool({"ip", "link", "set", "ens5", "up"});
    tool({"sysctl", "-qw", "net.ipv4.ip_forward=1"});
    for (const char* iptables : {"iptables-nft", "ip6tables-nft"}) {
      tool({iptables, "-P", "FORWARD", "DROP"});
    }
  }
  void wire(Wiring wiring) {
    switch (wiring) {
      case Wiring::routed:
        join("pod0");
        tool({"ip", "addr", "add", "169.254.1.1/32", "dev", "pod0"});
        tool({"ip", "route", "add", "10.16.0.5/32", "dev", "pod0", "scope", "link"});
        break;
      case Wiring::bridged:
        join("pod0");
        tool({"ip", "link", "add", "br9", "type", "bridge"});
        tool({"ip", "addr", "add", "169.254.1.1/32", "dev", "br9"});
        tool({"ip", "link", "set", "br9", "up"});
        tool({"ip", "link", "set", "pod0", "master", "br9"});
        tool({"ip", "route", "add", "10.16.0.5/32", "dev", "br9", "scope", "link"});
        break;
      case Wiring::beyond:
        go_beyond();
        break;
    }
  }
  [[nodiscard]] Attachment plugin(const Json& result, Json config) const {
    Attachment job{.config = std::move(config), .netns = pod_.path(), .container_id = "pod"};
    job.config["cniVersion"] = result["cniVersion"];
    job.config["name"] = "theirs";
    job.config["prevResult"] = result;
    return job;
  }
  [[nodiscard]] Json result_of(const char* text) const {
    std::string filled = text;
    for (auto at = filled.find("@NS@"); at != std::string::npos; at = filled.find("@NS@")) {
      filled.replace(at, 4, pod_.path());
    }
    return Json::parse(filled);
  }
  static Json portmap() {
    return Json::parse(R"({"type": "portmap", "runtimeConfig": {"portMappings": [
      {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]}})");
  }
  /// Whom the pod's port 80 sees if `netns` sends to port 8080 of `address`; "": nobody.
  std::string source_by(int netns, const std::string& address) const {
    UdpReceiver receiver(pod_.fd(), 80);
    UdpSender sender(netns, address, 8080);
    sender.send();
    return receiver.source_of_next();
  }
  static std::map<std::string, std::string> settings(const std::string& link) {
    std::map<std::string, std::string> found;
    for (const char* family : {"net/ipv4/conf/", "net/ipv6/conf/"}) {
      for (const std::string& name : files_in("/proc/sys/" + (family + link))) {
        if (name != "stable_secret") found[family + name] = sysctl(family + link + "/" + name);
      }
    }
    return found;
  }

  /// A veth between the pod and a link of the host or, if given, of another namespace.
  void join(const std::string& end, const Container* there = nullptr) const {
    const std::vector<std::string> peer = {"type",  "veth", "peer",  "name",     "eth0",
                                           "index", "4055", "netns", pod_.path()};
    std::vector<std::string> add = {"ip", "link", "add", end, "index", "4077"};
    add.insert(add.end(), peer.begin(), peer.end());
    tool(add, there == nullptr ? -1 : there->fd());
    tool({"ip", "link", "set", end, "up"}, there == nullptr ? -1 : there->fd());
    pod_.run({"ip", "link", "set", "eth0", "up"});
    pod_.run({"ip", "addr", "add", "10.16.0.5/32", "dev", "eth0"});
    pod_.run({"ip", "route", "add", "169.254.1.1", "dev", "eth0", "scope", "link"});
    pod_.run({"ip", "route", "add", "default", "via", "169.254.1.1", "dev", "eth0"});
  }
  /// And a veth of the host whose ends have the indices of the pod's: by these alone it would be
  /// taken for the pod's.
  void go_beyond() {
    Container& between = container("between");
    join("inner", &between);
    between.run({"ip", "addr", "add", "169.254.1.1/32", "dev", "inner"});
    between.run({"ip", "route", "add", "10.16.0.5/32", "dev", "inner", "scope", "link"});
    tool({"ip", "link", "add", "vnet", "type", "veth", "peer", "name", "outer", "netns",
          between.path()});
    tool({"ip", "addr", "add", "169.254.2.1/30", "dev", "vnet"});
    tool({"ip", "link", "set", "vnet", "up"});
    between.run({"ip", "addr", "add", "169.254.2.2/30", "dev", "outer"});
    between.run({"ip", "link", "set", "outer", "up"});
    between.run({"ip", "route", "add", "default", "via", "169.254.2.1"});
    between.run({"sysctl", "-qw", "net.ipv4.ip_forward=1"});
    tool({"ip", "route", "add", "10.16.0.0/16", "via", "169.254.2.2"});
    Container& other = container("other");
    tool({"ip", "link", "add", "decoy", "index", "4077", "type", "veth", "peer", "name", "eth0",
          "index", "4055", "netns", other.path()});
  }

  Container& client_;
  Container& pod_;
};

}  // namespace unicni::test
