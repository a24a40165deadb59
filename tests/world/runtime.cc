#include "world/runtime.h"

#include <csignal>

namespace unicni::test::world {
namespace {

Outcome outcome_of(const Output& output, const std::string& type) {
  if (output.ok()) return {};
  Outcome outcome;
  outcome.ok = false;
  outcome.killed = output.signal == SIGKILL;
  outcome.failed = type;
  outcome.text = output.str();
  const Json error = Json::parse(output.out, nullptr, false);
  if (error.is_object()) outcome.code = error.value("code", 0);
  return outcome;
}

/// As libcni looks a plugin up before it executes it.
Outcome not_found(const std::string& type) {
  Outcome outcome;
  outcome.ok = false;
  outcome.missing = true;
  outcome.failed = type;
  outcome.text = "no such program in CNI_PATH";
  return outcome;
}

/// What the runtime hands to a member: of all that it offers, that for which there is a capability.
Json declared(const Json& member, const Json& offered) {
  Json config = Json::object();
  const Json capabilities = member.value("capabilities", Json::object());
  for (const auto& [name, value] : offered.items()) {
    if (capabilities.value(name, false)) config[name] = value;
  }
  return config;
}

}  // namespace

std::vector<Json> Runtime::configs(const ListCall& call) const {
  const Json offers = call.with_ports ? offered(scenario_, call.place, call.ports) : Json::object();
  const Json head = {{"cniVersion", call.list["cniVersion"]}, {"name", call.list["name"]}};
  if (call.one_process) {
    Json config = head;
    config["type"] = "unicni";
    config["plugins"] = call.list["plugins"];
    if (!offers.empty()) config["runtimeConfig"] = offers;
    return {config};
  }
  std::vector<Json> configs;
  for (const Json& member : call.list["plugins"]) {
    Json config = head;
    config.update(member);
    const Json own = declared(member, offers);
    if (!own.empty()) config["runtimeConfig"] = own;
    configs.push_back(config);
  }
  return configs;
}

Outcome Runtime::run(const ListCall& call, const std::string& verb, const Json& config, int member,
                     bool with_result, const std::string& result) {
  const Place& place = scenario_.places.at(static_cast<std::size_t>(call.place));
  Plugin plugin{.type = config["type"],
                .verb = verb,
                .container = container_name(place.container),
                .netns = call.netns,
                .if_name = place.if_name,
                .config = config,
                .result = with_result ? result_name(scenario_, call.place) : "",
                .by_reference = call.by_reference,
                .kill = {}};
  if (host_.is_away(plugin.type)) return not_found(plugin.type);
  const auto members = call.one_process ? 1 : static_cast<int>(call.list["plugins"].size());
  if (call.kill && call.kill->member % members == member) plugin.kill = call.kill;
  return outcome_of(host_.run(plugin, result), plugin.type);
}

Outcome Runtime::add(const ListCall& call) {
  const auto list = configs(call);
  for (std::size_t i = 0; i < list.size(); ++i) {
    Outcome outcome =
        run(call, "ADD", list[i], static_cast<int>(i), i > 0, result_name(scenario_, call.place));
    if (!outcome.ok) return outcome;
  }
  return {};
}

Outcome Runtime::del(const ListCall& call) {
  const auto list = configs(call);
  for (std::size_t i = list.size(); i > 0; --i) {
    Outcome outcome = run(call, "DEL", list[i - 1], static_cast<int>(i - 1), call.with_result, "");
    if (!outcome.ok) return outcome;
  }
  return {};
}

Outcome Runtime::check(const ListCall& call) {
  const auto list = configs(call);
  for (std::size_t i = 0; i < list.size(); ++i) {
    Outcome outcome = run(call, "CHECK", list[i], static_cast<int>(i), true, "");
    if (!outcome.ok) return outcome;
  }
  return {};
}

Outcome Runtime::gc(const Json& list, bool one_process, unsigned places, int network,
                    const std::optional<Kill>& kill) {
  Json valid = Json::array();
  for (std::size_t i = 0; i < scenario_.places.size(); ++i) {
    const Place& place = scenario_.places[i];
    if (place.network != network || (places >> i & 1U) == 0) continue;
    valid.push_back({{"containerID", container_name(place.container)}, {"ifname", place.if_name}});
  }
  ListCall call;
  call.list = list;
  call.list["cniVersion"] = "1.1.0";
  call.one_process = one_process;
  call.with_ports = false;
  const auto configurations = configs(call);
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    Json config = configurations[i];
    config["cni.dev/valid-attachments"] = valid;
    config["cni.dev/attachments"] = valid;
    Plugin plugin{.type = config["type"],
                  .verb = "GC",
                  .container = "",
                  .netns = "",
                  .if_name = "",
                  .config = config,
                  .result = "",
                  .kill = {}};
    if (host_.is_away(plugin.type)) return not_found(plugin.type);
    if (kill && static_cast<std::size_t>(kill->member) % configurations.size() == i) {
      plugin.kill = kill;
    }
    Outcome outcome = outcome_of(host_.run(plugin), plugin.type);
    if (!outcome.ok) return outcome;
  }
  return {};
}

}  // namespace unicni::test::world
