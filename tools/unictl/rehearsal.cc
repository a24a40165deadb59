#include "rehearsal.h"

#include <algorithm>
#include <utility>

#include "chain/chain.h"
#include "chain/rules.h"
#include "chain/step.h"
#include "chain/verb_host.h"
#include "module/registry.h"
#include "network.h"
#include "protocol/list_request.h"
#include "settings/settings.h"

namespace unicni::unictl {
namespace {

constexpr std::chrono::seconds kTime{60};

/// Of a plugin behind another one the ADD has a prevResult, which nobody knows yet.
protocol::Netconf chained(const protocol::Netconf& netconf) {
  std::string text = netconf.text();
  text.insert(text.rfind('}'), ",\"prevResult\":{}");
  return protocol::Netconf::parse(std::move(text));
}

}  // namespace

bool PluginCall::is_list() const { return netconf.type() == chain::kChainType; }

std::vector<PluginCall> calls_of(protocol::NetworkList list, const std::string& chain,
                                 const std::string& capability_args) {
  if (!chain.empty()) list.cni_version = version_of_chain(list);
  protocol::Netconf request =
      make_list_request(list, Command::add, {.capability_args = capability_args});
  std::vector<PluginCall> calls;
  if (!chain.empty()) {
    calls.push_back({std::move(request), 0, "chain " + chain});
    return calls;
  }
  for (protocol::Netconf& member : request.members()) {
    const std::size_t index = calls.size();
    calls.push_back({index == 0 ? std::move(member) : chained(member), index});
  }
  return calls;
}

bool is_served(const std::string& type, const module::Locations& where) {
  try {
    static_cast<void>(module::find_type(type, where));
    return true;
  } catch (const Error&) {
    return false;
  }
}

Rehearsal::Rehearsal(const Folders& folders, const module::Locations& where,
                     protocol::Environment environment, Warn warn)
    : where_(where),
      services_{.folders = folders},
      environment_(std::move(environment)),
      warn_(std::move(warn)),
      deadline_(std::chrono::steady_clock::now() + kTime) {}

std::optional<Error> Rehearsal::refusal_of(const chain::Request& request,
                                           const chain::Member& member, std::size_t index) const {
  if (where_.cni_path.empty()) {
    for (const std::string& type : {member.type, member.netconf.ipam_type()}) {
      if (!type.empty() && !is_served(type, where_)) return std::nullopt;
    }
  }
  try {
    chain::require_network_name(member.netconf, member.type);
    const auto step =
        chain::make_step(request, member.type, member.netconf.with_prev_result(nullptr), index,
                         false, std::nullopt, warn_);
    if (step->module) {
      step->module->validate(step->call);
      step->ipam->validate();
    }
    return std::nullopt;
  } catch (const Error& error) {
    return error;
  }
}

std::vector<RehearsedMember> Rehearsal::run(const PluginCall& call, const policy::Policy* policy) {
  const chain::Request request{Command::add,        environment_, call.netconf.copy(),
                               call.netconf.type(), where_,       {},
                               deadline_,           services_,    modules_};
  chain::VerbHost host(request);
  const settings::Settings settings(services_, where_, request.process_environment, deadline_);
  chain::Plan plan = chain::plan(request, settings, host);
  if (!call.source.empty()) {
    for (chain::Member& member : plan.members) member.origin.source = call.source;
  }
  if (policy != nullptr) {
    chain::Rules rules(request, host, *policy);
    rules.apply(plan.members, false);
  }
  std::vector<RehearsedMember> members;
  for (chain::Member& member : plan.members) {
    auto refusal = refusal_of(request, member, call.index + members.size());
    member.netconf = member.netconf.with_prev_result(nullptr);
    members.push_back({std::move(member), std::move(refusal)});
  }
  return members;
}

}  // namespace unicni::unictl
