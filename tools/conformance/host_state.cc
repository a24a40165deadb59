#include "conformance/host_state.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include "conformance/private_host.h"
#include "conformance/process.h"

namespace unicni::conformance {
namespace {

namespace fs = std::filesystem;

bool is_transient(const std::string& key) {
  return key.ends_with("_timer") || key.starts_with("topology_change") || key == "operstate" ||
         key == "stats" || key == "stats64" || key == "preferred_life_time" ||
         key == "valid_life_time" || key == "expires" || key == "refcnt" || key == "promiscuity" ||
         key == "allmulti" || key == "state" || key == "handle" || key == "packets" ||
         key == "bytes";
}

void drop_transient(Json& json) {
  if (json.is_array()) {
    for (Json& each : json) drop_transient(each);
  }
  if (!json.is_object()) return;
  for (auto each = json.begin(); each != json.end();) {
    if (is_transient(each.key())) {
      each = json.erase(each);
      continue;
    }
    if (each.key() == "flags" && each.value().is_array()) {
      std::erase_if(each.value().get_ref<Json::array_t&>(), [](const Json& flag) {
        return flag == "NO-CARRIER" || flag == "LOWER_UP" || flag == "linkdown";
      });
    }
    drop_transient(each.value());
    ++each;
  }
}

bool is_link_local(const std::string& address) {
  return address.starts_with("fe80") || address.starts_with("ff00") ||
         address.starts_with("multicast ff");
}

void put_links(State& state, int netns) {
  for (Json& link : tool_json({"ip", "-d", "-j", "link"}, netns)) {
    const std::string name = link.value("ifname", "?");
    drop_transient(link);
    state["link " + name] = link.dump();
  }
}

void put_addresses(State& state, int netns) {
  for (const Json& link : tool_json({"ip", "-j", "addr"}, netns)) {
    for (Json address : link.value("addr_info", Json::array())) {
      const std::string local = address.value("local", "");
      if (is_link_local(local)) continue;
      drop_transient(address);
      state["addr " + link.value("ifname", "?") + ' ' + local + '/' +
            std::to_string(address.value("prefixlen", 0))] = address.dump();
    }
  }
}

void put_routes(State& state, int netns) {
  for (const char* family : {"-4", "-6"}) {
    for (Json& route : tool_json({"ip", family, "-j", "route", "show", "table", "all"}, netns)) {
      if (is_link_local(route.value("dst", ""))) continue;
      drop_transient(route);
      state["route " + route.value("dev", "-") + ' ' + route.dump()] = "";
    }
    for (const Json& rule : tool_json({"ip", family, "-j", "rule"}, netns)) {
      // The kernel makes it with a namespace's first VRF, and keeps it (drivers/net/vrf.c).
      if (rule.contains("l3mdev")) continue;
      state["rule " + std::string(family) + ' ' + rule.dump()] = "";
    }
  }
}

void put_qdiscs(State& state, int netns) {
  for (Json& qdisc : tool_json({"tc", "-j", "qdisc"}, netns)) {
    drop_transient(qdisc);
    state["qdisc " + qdisc.value("dev", "-") + ' ' + qdisc.dump()] = "";
  }
}

bool has_nft() {
  for (const char* path : {"/usr/sbin/nft", "/sbin/nft", "/usr/bin/nft"}) {
    if (fs::exists(path)) return true;
  }
  return false;
}

/// The elements of a set stand each by itself, so that a table that is made once and kept differs
/// from what an attachment adds to it.
void put_nft(State& state, int netns) {
  const Json ruleset = tool_json({"nft", "-j", "list", "ruleset"}, netns);
  for (Json object : ruleset.value("nftables", Json::array())) {
    drop_transient(object);
    const std::string kind = object.begin().key();
    if (kind == "metainfo") continue;
    Json& what = object.begin().value();
    const std::string place =
        what.value("family", "") + ' ' + what.value(kind == "table" ? "name" : "table", "") + ' ';
    if (what.contains("elem")) {
      for (const Json& element : what["elem"]) {
        state["element " + place + what.value("name", "") + ' ' + element.dump()] = "";
      }
      what.erase("elem");
    }
    state["nft " + place + kind + ' ' + what.dump()] = "";
  }
}

void put_files(State& state, const std::string& folder) {
  std::error_code error;
  auto each = fs::recursive_directory_iterator(folder, error);
  for (; each != fs::recursive_directory_iterator(); each.increment(error)) {
    const std::string path = each->path();
    if (path == kSuiteFolder || path == "/run/netns") {
      each.disable_recursion_pending();
    } else if (each->is_regular_file(error)) {
      state["file " + path] = read_file(path);
    }
  }
}

}  // namespace

State kernel_state(int netns) {
  State state;
  put_links(state, netns);
  put_addresses(state, netns);
  put_routes(state, netns);
  put_qdiscs(state, netns);
  if (has_nft()) put_nft(state, netns);
  return state;
}

State host_state() {
  State state = kernel_state();
  put_files(state, "/run");
  put_files(state, "/var/lib");
  return state;
}

State without_link(State state, const std::string& name) {
  std::erase_if(state, [&](const auto& entry) {
    const std::string& key = entry.first;
    for (const char* kind : {"link ", "addr ", "route ", "qdisc "}) {
      const std::string prefix = kind + name;
      if (key == prefix || key.starts_with(prefix + ' ')) return true;
    }
    return false;
  });
  return state;
}

std::string difference(const State& before, const State& after) {
  std::ostringstream text;
  for (const auto& [key, value] : before) {
    const auto found = after.find(key);
    if (found == after.end()) {
      text << "gone: " << key << ' ' << value << '\n';
    } else if (found->second != value) {
      text << "changed: " << key << " from " << value << " to " << found->second << '\n';
    }
  }
  for (const auto& [key, value] : after) {
    if (!before.contains(key)) text << "new: " << key << ' ' << value << '\n';
  }
  return text.str();
}

std::vector<std::string> link_names(int netns) {
  std::vector<std::string> names;
  for (const Json& link : tool_json({"ip", "-j", "link"}, netns)) {
    if (link.value("ifname", "") != "lo") names.push_back(link.value("ifname", ""));
  }
  return names;
}

std::vector<std::string> routes_of(int netns) {
  std::vector<std::string> routes;
  for (const char* family : {"-4", "-6"}) {
    for (const Json& route : tool_json({"ip", family, "-j", "route"}, netns)) {
      const std::string dst = route.value("dst", "");
      if (is_link_local(dst)) continue;
      const std::string gateway = route.value("gateway", "");
      routes.push_back(gateway.empty() ? dst : dst + " via " + gateway);
    }
  }
  return routes;
}

std::vector<std::string> addresses_of(const std::string& link, int netns) {
  std::vector<std::string> addresses;
  for (const auto& [key, value] : kernel_state(netns)) {
    const std::string prefix = "addr " + link + ' ';
    if (key.starts_with(prefix)) addresses.push_back(key.substr(prefix.size()));
  }
  return addresses;
}

Json tool_json(const std::vector<std::string>& argv, int netns) {
  const std::string text = tool(argv, netns);
  if (text.find_first_not_of(" \n") == std::string::npos) return Json::array();
  return parse_json(text);
}

}  // namespace unicni::conformance
