#include "conformance/layout.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace unicni::conformance {
namespace {

/// "10.1.2.3/24"
bool is_cidr(const Json& json) {
  if (!json.is_string()) return false;
  const std::string text = json;
  const std::size_t slash = text.find('/');
  if (slash == text.npos) return false;
  const std::string address = text.substr(0, slash);
  const std::string prefix = text.substr(slash + 1);
  int length = -1;
  const auto parsed = std::from_chars(prefix.data(), prefix.data() + prefix.size(), length);
  if (parsed.ec != std::errc() || parsed.ptr != prefix.data() + prefix.size()) return false;
  in6_addr bytes{};
  if (::inet_pton(AF_INET, address.c_str(), &bytes) == 1) return length >= 0 && length <= 32;
  return ::inet_pton(AF_INET6, address.c_str(), &bytes) == 1 && length >= 0 && length <= 128;
}

class Reading {
 public:
  explicit Reading(std::string version) : version_(std::move(version)) {}

  Findings read(const Json& result) {
    try {
      if (version_ < "0.3") {
        old_result(result);
      } else {
        new_result(result);
      }
      dns(result.value("dns", Json::object()));
    } catch (const Json::exception&) {  // a value of another type than its key's
      wrong(layout_id(version_), "this is no result: " + result.dump());
    }
    return std::move(found_);
  }

 private:
  void wrong(const std::string& id, const std::string& text) {
    found_.push_back({id, version_ + ": " + text});
  }

  void keys(const Json& object, const std::vector<std::string>& allowed, const std::string& what) {
    if (!object.is_object())
      return wrong(layout_id(version_), what + " is no object: " + object.dump());
    for (const auto& [key, value] : object.items()) {
      const bool known = std::find(allowed.begin(), allowed.end(), key) != allowed.end();
      if (!known || value.is_null()) {
        wrong(layout_id(version_), what + " has the key " + key + ": " + object.dump());
      }
    }
  }

  void address(const Json& object, const char* key) {
    if (!object.is_object() || !object.contains(key) || !is_cidr(object[key])) {
      wrong("RES-08", std::string(key) + " is an address with its prefix: " + object.dump());
    }
  }

  void routes(const Json& routes) {
    std::vector<std::string> allowed = {"dst", "gw"};
    if (version_ >= "1.1") {
      allowed.insert(allowed.end(), {"mtu", "advmss", "priority", "table", "scope"});
    }
    if (!routes.is_array()) return wrong(layout_id(version_), "routes is no list");
    for (const Json& route : routes) {
      keys(route, allowed, "a route");
      address(route, "dst");
    }
  }

  void old_result(const Json& result) {
    keys(result, {"cniVersion", "ip4", "ip6", "dns"}, "a result");
    if (!result.contains("ip4") && !result.contains("ip6")) {
      wrong("RES-01", "a result has ip4 or ip6: " + result.dump());
    }
    for (const char* family : {"ip4", "ip6"}) {
      if (!result.contains(family)) continue;
      const Json& ip = result[family];
      keys(ip, {"ip", "gateway", "routes"}, family);
      address(ip, "ip");
      routes(ip.is_object() ? ip.value("routes", Json::array()) : Json::array());
    }
  }

  void interfaces(const Json& list) {
    std::vector<std::string> allowed = {"name", "mac", "sandbox"};
    if (version_ >= "1.1") allowed.insert(allowed.end(), {"mtu", "socketPath", "pciID"});
    for (const Json& each : list) {
      keys(each, allowed, "an interface");
      if (!each.is_object() || !each.contains("name") || !each["name"].is_string() ||
          each["name"] == "") {
        wrong("RES-13", "an interface has its name: " + each.dump());
      }
    }
  }

  void family(const Json& ip) {
    const bool named = ip.contains("version");
    if (named != (version_ < "1")) {
      return wrong(layout_id(version_),
                   std::string("ips have ") + (named ? "no" : "a") + " key version: " + ip.dump());
    }
    if (!named) return;
    const bool v6 = ip.value("address", "").find(':') != std::string::npos;
    if (ip["version"] != (v6 ? "6" : "4")) {
      wrong("RES-03", "version is the address's: " + ip.dump());
    }
  }

  void new_result(const Json& result) {
    keys(result, {"cniVersion", "interfaces", "ips", "routes", "dns"}, "a result");
    const Json list = result.value("interfaces", Json::array());
    const Json ips = result.value("ips", Json::array());
    for (const Json& each : {list, ips}) {
      if (!each.is_array())
        wrong(layout_id(version_), "interfaces and ips are lists: " + each.dump());
    }
    interfaces(list);
    for (const Json& ip : ips) {
      address(ip, "address");
      if (!ip.is_object()) continue;
      family(ip);
      if (!ip.contains("interface")) continue;
      const Json& index = ip["interface"];
      if (!index.is_number_unsigned() || index.get<std::size_t>() >= list.size()) {
        wrong("RES-06", "interface is an index of interfaces: " + ip.dump());
      }
    }
    routes(result.value("routes", Json::array()));
  }

  void dns(const Json& dns) {
    if (!dns.is_object()) return wrong("DNS-01", "dns is an object: " + dns.dump());
    for (const auto& [key, value] : dns.items()) {
      const bool list = key == "nameservers" || key == "search" || key == "options";
      const bool good = list ? value.is_array() : key == "domain" && value.is_string();
      if (!good) wrong("DNS-01", "dns has " + key + ": " + dns.dump());
    }
  }

  std::string version_;
  Findings found_;
};

}  // namespace

std::string layout_id(const std::string& version) {
  if (version < "0.3") return "RES-01";
  if (version < "1") return "RES-03";
  return version < "1.1" ? "RES-04" : "RES-05";
}

Findings layout_errors(const Json& result, const std::string& version) {
  return Reading(version).read(result);
}

}  // namespace unicni::conformance
