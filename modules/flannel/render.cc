#include "render.h"

#include <fmt/core.h>

#include <vector>

namespace unicni::flannel {

namespace {

std::vector<std::string> routes(const JsonObject& ipam, const SubnetEnv& env) {
  std::vector<std::string> routes;
  if (const std::string* base = ipam.find("routes")) {
    routes = json_elements(*base).value_or(std::vector<std::string>());
  }
  for (const auto* networks : {&env.networks, &env.ipv6_networks}) {
    for (const IpNet& network : *networks) {
      routes.push_back(fmt::format("{{\"dst\":\"{}\"}}", network.str()));
    }
  }
  return routes;
}

std::string render_ipam(const FlannelOptions& options, const std::optional<SubnetEnv>& env) {
  JsonObject ipam = options.ipam.value_or(JsonObject());
  ipam.set_default("type", json_text("host-local"));
  if (!env) return ipam.str();
  std::vector<std::string> ranges;
  for (const auto& subnet : {env->subnet, env->ipv6_subnet}) {
    if (subnet) ranges.push_back(fmt::format("[{{\"subnet\":\"{}\"}}]", subnet->str()));
  }
  ipam.set("ranges", json_array(ranges));
  ipam.set("routes", json_array(routes(ipam, *env)));
  return ipam.str();
}

}  // namespace

std::string render(const Call& call, const FlannelOptions& options,
                   const std::optional<SubnetEnv>& env) {
  JsonObject config = options.delegate.value_or(JsonObject());
  config.set("name", json_text(call.key.network));
  config.set_default("type", json_text("bridge"));
  const bool masquerade = env ? !env->ipmasq.value_or(false) : true;
  config.set_default("ipMasq", masquerade ? "true" : "false");
  if (env && env->mtu) config.set_default("mtu", fmt::format("{}", *env->mtu));
  if (config.find_string("type") == "bridge") config.set_default("isGateway", "true");
  const auto request = JsonObject::parse(call.request);
  const bool versioned = request && !request->find_string("cniVersion").value_or("").empty();
  if (versioned || call.spec_version != "0.1.0") {
    config.set("cniVersion", json_text(call.spec_version));
  }
  if (options.runtime_config) config.set("runtimeConfig", options.runtime_config->str());
  config.set("ipam", render_ipam(options, env));
  return config.str();
}

}  // namespace unicni::flannel
