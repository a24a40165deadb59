#include "conformance/suite.h"

#include <filesystem>
#include <stdexcept>

namespace unicni::conformance {

namespace {

void expect_keys(const Json& object, const std::vector<std::string>& allowed, const char* what) {
  for (const auto& [key, value] : object.items()) {
    EXPECT_THAT(allowed, ::testing::Contains(key)) << what << " has a key of another version";
    EXPECT_FALSE(value.is_null()) << what << '.' << key;
  }
}

void expect_address(const Json& object, const char* key) {
  ASSERT_TRUE(object.contains(key) && object[key].is_string()) << object;
  EXPECT_THAT(object[key].get<std::string>(), ::testing::HasSubstr("/"));
}

void expect_routes(const Json& routes, bool modern) {
  ASSERT_TRUE(routes.is_array());
  for (const Json& route : routes) {
    expect_address(route, "dst");
    if (modern) {
      expect_keys(route, {"dst", "gw", "mtu", "advmss", "priority", "table", "scope"}, "route");
    } else {
      expect_keys(route, {"dst", "gw"}, "route");
    }
  }
}

void expect_old_layout(const Json& result) {
  expect_keys(result, {"cniVersion", "ip4", "ip6", "dns"}, "result");
  EXPECT_TRUE(result.contains("ip4") || result.contains("ip6"));
  for (const char* family : {"ip4", "ip6"}) {
    if (!result.contains(family)) continue;
    expect_address(result[family], "ip");
    expect_keys(result[family], {"ip", "gateway", "routes"}, family);
    expect_routes(result[family].value("routes", Json::array()), false);
  }
}

}  // namespace

void expect_layout(const Json& result, const std::string& version) {
  ASSERT_TRUE(result.is_object());
  EXPECT_EQ(result.value("cniVersion", ""), version) << "RES-02";
  if (version < "0.3") return expect_old_layout(result);
  expect_keys(result, {"cniVersion", "interfaces", "ips", "routes", "dns"}, "result");
  const Json interfaces = result.value("interfaces", Json::array());
  for (const Json& each : interfaces) {
    EXPECT_TRUE(each.contains("name")) << "RES-13";
    if (version < "1.1") {
      expect_keys(each, {"name", "mac", "sandbox"}, "interface");
    } else {
      expect_keys(each, {"name", "mac", "mtu", "sandbox", "socketPath", "pciID"}, "interface");
    }
  }
  for (const Json& ip : result.value("ips", Json::array())) {
    expect_address(ip, "address");
    EXPECT_EQ(ip.contains("version"), version < "1") << "RES-03, RES-04";
    if (ip.contains("version")) {
      const bool v6 = ip["address"].get<std::string>().find(':') != std::string::npos;
      EXPECT_EQ(ip["version"], v6 ? "6" : "4");
    }
    if (ip.contains("interface")) {
      EXPECT_LT(ip["interface"].get<std::size_t>(), interfaces.size()) << "RES-06";
    }
  }
  expect_routes(result.value("routes", Json::array()), version >= "1.1");
}

std::vector<std::string> addresses_in(const Json& result) {
  std::vector<std::string> addresses;
  for (const char* family : {"ip4", "ip6"}) {
    if (result.contains(family)) addresses.push_back(result[family]["ip"]);
  }
  for (const Json& ip : result.value("ips", Json::array())) addresses.push_back(ip["address"]);
  return addresses;
}

Rules::Rules() {
  for (const std::vector<std::string>& command : GetParam().host_commands) test::tool(command);
}

Attachment Rules::nobody(const std::string& version) {
  const Profile& profile = GetParam();
  Attachment made = {.config = test::with_version(profile.config, version),
                     .netns = "",
                     .container_id = "",
                     .if_name = "",
                     .type = profile.type,
                     .folder = profile.folder};
  if (profile.prepare) profile.prepare(made);
  return made;
}

Container& Rules::container_of(const Attachment& attachment) {
  for (Container& each : containers_) {
    if (each.path() == attachment.netns) return each;
  }
  throw std::runtime_error("no container " + attachment.netns);
}

Snapshot Rules::state_of(const Attachment& attachment) {
  Snapshot state = test::snapshot();
  for (const auto& [key, value] : test::kernel_snapshot(container_of(attachment).fd())) {
    state["container " + key] = value;
  }
  return state;
}

Snapshot Rules::host_state() {
  const std::string& bridge = GetParam().bridge;
  Snapshot state = test::snapshot();
  if (const std::string& prefix = GetParam().given_away; !prefix.empty()) {
    std::erase_if(state, [&](const auto& entry) {
      return entry.first.find(' ' + prefix) != std::string::npos;
    });
  }
  return bridge.empty() ? state : test::without_link(state, bridge);
}

std::vector<std::string> Rules::taken() const {
  const std::string& folder = GetParam().reservations;
  if (folder.empty()) return {};
  const std::filesystem::path path(folder);
  return test::reservations(path.filename(), path.parent_path());
}

DelegatingRules::DelegatingRules() {
  ipam_.answer("ADD",
               R"({"ips": [{"version": "4", "address": "10.1.2.77/24", "gateway": "10.1.2.1"}]})");
}

Attachment DelegatingRules::delegating(const std::string& name, const std::string& version) {
  Attachment job = attachment(name, version);
  job.config["ipam"] = {{"type", "fake-ipam"}};
  job.cni_path = test::bin_dir() + ':' + ipam_.folder();
  return job;
}

}  // namespace unicni::conformance
