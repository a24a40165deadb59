// What the reference does where Debian ships no plugin to run: its steps, by `ip`. For
// Differential::model.
#pragma once

#include <string>
#include <vector>

#include "integration/differential.h"
#include "support/kernel_state.h"

namespace unicni::test {

/// IPAM's ADD by Debian's plugin, which must succeed; {} without "ipam".
inline Json model_ipam(const Attachment& job) {
  if (!job.config.value("ipam", Json::object()).contains("type")) {
    return {{"cniVersion", job.config["cniVersion"]}};
  }
  Attachment ipam = job;
  ipam.type = job.config["ipam"]["type"];
  Json result = must_add(ipam);
  // Left out since 1.9.
  if (result.value("dns", Json::object()).empty()) result.erase("dns");
  return result;
}

/// pkg/ipam, ConfigureIface: addresses, UP, routes by the first gateway of their family.
inline void model_configure(const Attachment& job, const Container& container, const Json& result) {
  const std::string& name = job.if_name;
  std::string gateways[2];
  for (const Json& ip : result.value("ips", Json::array())) {
    const std::string address = ip["address"];
    const bool v6 = address.find(':') != std::string::npos;
    std::vector<std::string> add{"ip", "addr", "add", address, "dev", name};
    if (v6) {
      container.run({"sysctl", "-qw", "net.ipv6.conf." + name + ".keep_addr_on_down=1"});
    } else if (!address.ends_with("/32")) {
      add.insert(add.end(), {"brd", "+"});
    }
    container.run(add);
    if (gateways[v6].empty()) gateways[v6] = ip.value("gateway", "");
  }
  container.run({"ip", "link", "set", name, "up"});
  for (const Json& route : result.value("routes", Json::array())) {
    const std::string dst = route["dst"];
    const bool v6 = dst.find(':') != std::string::npos;
    const std::string gateway = route.value("gw", gateways[v6]);
    std::vector<std::string> add{"ip", v6 ? "-6" : "-4", "route", "add", dst, "dev", name};
    if (!gateway.empty()) add.insert(add.end(), {"via", gateway});
    // Unlike `ip`, the library gives a route without gateway scope global.
    if (!v6) add.insert(add.end(), {"scope", std::to_string(route.value("scope", 0))});
    if (route.contains("priority")) {
      add.insert(add.end(), {"metric", std::to_string(route.value("priority", 0))});
    }
    if (route.contains("table")) {
      add.insert(add.end(), {"table", std::to_string(route.value("table", 0))});
    }
    container.run(add);
  }
}

/// IPAM's result with the interface, as the plugins of one interface print it.
inline Json model_result(const Attachment& job, const Container& container, Json result) {
  result["interfaces"] =
      Json::array({{{"name", job.if_name},
                    {"mac", find_link(job.if_name, container.fd())->at("address")},
                    {"sandbox", job.netns}}});
  if (result.contains("ips")) {
    for (Json& ip : result["ips"]) ip["interface"] = 0;
  }
  return result;
}

}  // namespace unicni::test
