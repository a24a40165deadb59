#include "probe/kernel_state.h"

#include <algorithm>
#include <sstream>

#include "probe/process.h"

namespace unicni::probe {
namespace {

bool is_transient(const std::string& key) {
  return key.ends_with("_timer") || key.starts_with("topology_change") || key == "operstate" ||
         key == "stats" || key == "stats64" || key == "preferred_life_time" ||
         key == "valid_life_time" || key == "expires" || key == "refcnt" || key == "promiscuity" ||
         key == "allmulti" || key == "fdb_n_learned" ||
         key == "state";  // of a bridge's port: follows its carrier
}

void put_links(State& state, int netns, const std::set<std::string>& also) {
  for (Json& link : tool_json({"ip", "-d", "-j", "link"}, netns)) {
    const std::string name = link.value("ifname", "?");
    drop_transient(link, also);
    state["link " + name] = link.dump();
  }
}

void put_addresses(State& state, int netns, const std::set<std::string>& also) {
  for (const Json& link : tool_json({"ip", "-j", "addr"}, netns)) {
    for (Json address : link.value("addr_info", Json::array())) {
      const std::string local = address.value("local", "");
      if (is_link_local(local)) continue;
      drop_transient(address, also);
      state["addr " + link.value("ifname", "?") + ' ' + local + '/' +
            std::to_string(address.value("prefixlen", 0))] = address.dump();
    }
  }
}

void put_routes(State& state, int netns, const std::set<std::string>& also) {
  for (const char* family : {"-4", "-6"}) {
    for (Json& route : tool_json({"ip", family, "-j", "route", "show", "table", "all"}, netns)) {
      if (is_link_local(route.value("dst", ""))) continue;
      drop_transient(route, also);
      state["route " + route.value("dev", "-") + ' ' + route.dump()] = "";
    }
    for (const Json& rule : tool_json({"ip", family, "-j", "rule"}, netns)) {
      state["rule " + std::string(family) + ' ' + rule.dump()] = "";
    }
  }
}

void put_qdiscs(State& state, int netns, const std::set<std::string>& also) {
  for (Json& qdisc : tool_json({"tc", "-j", "qdisc"}, netns)) {
    drop_transient(qdisc, also);
    state["qdisc " + qdisc.value("dev", "-") + ' ' + qdisc.dump()] = "";
  }
}

}  // namespace

void drop_transient(Json& json, const std::set<std::string>& also) {
  if (json.is_array()) {
    for (Json& each : json) drop_transient(each, also);
  }
  if (!json.is_object()) return;
  for (auto each = json.begin(); each != json.end();) {
    if (is_transient(each.key()) || also.contains(each.key())) {
      each = json.erase(each);
      continue;
    }
    if (each.key() == "flags" && each.value().is_array()) {
      std::erase_if(each.value().get_ref<Json::array_t&>(), [](const Json& flag) {
        return flag == "NO-CARRIER" || flag == "LOWER_UP" || flag == "linkdown";
      });
    }
    drop_transient(each.value(), also);
    ++each;
  }
}

bool is_link_local(const std::string& address) {
  return address.starts_with("fe80") || address.starts_with("ff00") ||
         address.starts_with("multicast ff");
}

State kernel_state(int netns, const std::set<std::string>& also) {
  State state;
  put_links(state, netns, also);
  put_addresses(state, netns, also);
  put_routes(state, netns, also);
  put_qdiscs(state, netns, also);
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
      const std::string name = dst == "default" && family[1] == '6' ? "default6" : dst;
      routes.push_back(gateway.empty() ? name : name + " via " + gateway);
    }
  }
  return routes;
}

Json tool_json(const std::vector<std::string>& argv, int netns) {
  const std::string text = tool(argv, netns);
  if (text.find_first_not_of(" \n") == std::string::npos) return Json::array();
  return parse_json(text);
}

}  // namespace unicni::probe
