#include "support/kernel_state.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "support/sandbox.h"

namespace unicni::test {

namespace {

namespace fs = std::filesystem;

bool is_ours(const Json& object) {
  return object.value("table", object.value("name", "")) == "unicni";
}

std::vector<std::string> elements_of(const Json& set) {
  std::vector<std::string> elements;
  for (const Json& listed : set.value("elem", Json::array())) {
    // Of a map: key and data.
    const Json& element = listed.is_array() ? listed[0] : listed;
    const Json inner = element.is_object() ? element.value("elem", Json(element)) : element;
    const Json& key = inner.is_object() && inner.contains("val") ? inner["val"] : inner;
    const std::string owner = inner.is_object() ? inner.value("comment", "") : "";
    elements.push_back((key.is_string() ? key.get<std::string>() : key.dump()) + ' ' + owner);
  }
  std::sort(elements.begin(), elements.end());
  return elements;
}

Json ruleset(int netns) {
  return tool_json({"nft", "-j", "list", "ruleset"}, netns).value("nftables", Json::array());
}

void put_nft(Snapshot& state, int netns) {
  for (const Json& entry : ruleset(netns)) {
    const auto object = entry.begin();
    const std::string& kind = object.key();
    if (kind == "metainfo") continue;
    if (!is_ours(object.value())) {
      state["nft " + kind + ' ' + object.value().dump()] = "";
      continue;
    }
    const std::string name = object.value().value("name", "");
    if (kind != "set" && kind != "map") continue;
    for (const std::string& element : elements_of(object.value())) {
      state["nft element " + name + ' ' + element] = "";
    }
  }
}

bool outlives_attachments(const std::string& name) {
  return name == "lock" || name.starts_with("last_reserved_ip.") || name.starts_with('.');
}

void put_files(Snapshot& state, const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::recursive_directory_iterator(folder, error)) {
    if (!entry.is_regular_file() || outlives_attachments(entry.path().filename())) continue;
    state["file " + entry.path().string()] = read_file(entry.path());
  }
}

}  // namespace

Snapshot kernel_snapshot(int netns) {
  Snapshot state = probe::kernel_state(netns);
  put_nft(state, netns);
  return state;
}

Snapshot snapshot(int netns) {
  Snapshot state = kernel_snapshot(netns);
  put_files(state, "/run/unicni");
  put_files(state, "/var/lib/cni");
  return state;
}

std::optional<Json> find_link(const std::string& name, int netns) {
  for (const Json& link : tool_json({"ip", "-d", "-j", "link"}, netns)) {
    if (link.value("ifname", "") == name) return link;
  }
  return std::nullopt;
}

std::vector<std::string> addresses_of(const std::string& link, int netns) {
  std::vector<std::string> addresses;
  for (const Json& each : tool_json({"ip", "-j", "addr"}, netns)) {
    if (each.value("ifname", "") != link) continue;
    for (const Json& address : each.value("addr_info", Json::array())) {
      const std::string local = address.value("local", "");
      if (probe::is_link_local(local)) continue;
      addresses.push_back(local + '/' + std::to_string(address.value("prefixlen", 0)) +
                          (address.value("tentative", false) ? "?" : ""));
    }
  }
  return addresses;
}

std::vector<std::string> nft_elements(const std::string& set) {
  for (const Json& entry : ruleset(-1)) {
    const auto object = entry.begin();
    if ((object.key() == "set" || object.key() == "map") && is_ours(object.value()) &&
        object.value().value("name", "") == set) {
      return elements_of(object.value());
    }
  }
  return {};
}

std::vector<std::string> masqueraded(int family) {
  std::vector<std::string> found;
  const std::string of_family = "masq" + std::to_string(family) + '_';
  for (const Json& entry : ruleset(-1)) {
    const auto object = entry.begin();
    if (object.key() != "set" || !is_ours(object.value())) continue;
    if (!object.value().value("name", "").starts_with(of_family)) continue;
    for (const std::string& element : elements_of(object.value())) {
      // {"concat":["10.22.0.2","10.22.0.0"]} owner
      const auto end = element.rfind(' ');
      const Json key = Json::parse(element.substr(0, end));
      found.push_back(key["concat"][0].get<std::string>() + element.substr(end));
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> owners(const std::string& set) {
  std::vector<std::string> found;
  for (const Json& entry : ruleset(-1)) {
    const auto object = entry.begin();
    const bool holds = object.key() == "set" || object.key() == "map";
    if (!holds || !is_ours(object.value())) continue;
    if (!set.empty() && object.value().value("name", "") != set) continue;
    for (const std::string& element : elements_of(object.value())) {
      found.push_back(element.substr(element.rfind(' ') + 1));
    }
  }
  return found;
}

std::string sysctl(const std::string& key, int netns) {
  std::string value = tool({"cat", "/proc/sys/" + key}, netns).out;
  while (!value.empty() && value.back() == '\n') value.pop_back();
  return value;
}

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> reservations(const std::string& network, const std::string& data_dir) {
  std::vector<std::string> names = files_in(data_dir + '/' + network);
  std::erase_if(names, outlives_attachments);
  return names;
}

}  // namespace unicni::test
