#include "rehearsal.h"

#include <memory>
#include <utility>

#include "chain/chain.h"
#include "chain/delegate.h"
#include "chain/delegate_look.h"
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

/// What a member of a call is rehearsed with.
struct Rehearsal::Scene {
  const chain::Request& request;
  chain::Rules* rules;  ///< nullptr: there are none
  std::size_t index;    ///< of the member in its list
};

/// Nobody knows which plugins there are, so one of another maker may serve it.
bool Rehearsal::is_unknown(const chain::Member& member) const {
  if (!where_.cni_path.empty()) return false;
  const std::string ipam = member.netconf.ipam_type();
  return !is_served(member.type, where_) || (!ipam.empty() && !is_served(ipam, where_));
}

/// As the executable puts the member's name in front.
Rehearsal::Warn Rehearsal::warn_of(const std::string& type) const {
  return [type, warn = warn_](const std::string& text) { warn(type + ": " + text); };
}

void Rehearsal::rehearse(const Scene& scene, chain::Member member,
                         std::vector<RehearsedMember>& to) const {
  const std::size_t place = to.size();
  member.netconf = member.netconf.with_prev_result(nullptr);
  to.push_back({std::move(member), std::nullopt});
  std::unique_ptr<chain::Step> step;
  try {
    const chain::Member& own = to[place].member;
    const auto warn = warn_of(own.type);
    if (is_unknown(own)) return;
    chain::require_network_name(own.netconf, own.type);
    step = chain::make_step(scene.request, own.type, own.netconf.copy(), scene.index, false,
                            std::nullopt, warn);
    if (!step->module) return;
    step->module->validate(step->call);
    step->ipam->validate();
    if (!step->delegate) return;
    auto config = chain::find_delegate_config(scene.request, *step);
    if (config) rehearse_delegate(scene, *step, *std::move(config), to);
  } catch (const Error& error) {
    to[place].refusal = error;
  }
}

/// As PluginDelegate::configure() takes it in an ADD.
void Rehearsal::rehearse_delegate(const Scene& scene, const chain::Step& by, std::string config,
                                  std::vector<RehearsedMember>& to) const {
  protocol::Netconf asked = protocol::Netconf::parse(std::move(config));
  std::string type = asked.type();
  const auto ordinal = to.back().member.ordinal;
  to.push_back({{std::move(type), std::move(asked), ordinal, {}}, std::nullopt, true});
  RehearsedMember& rehearsed = to.back();
  chain::Member& member = rehearsed.member;
  member.origin.source = "delegate of " + by.type();
  try {
    module::require_valid_type(member.type);
    if (is_unknown(member)) return;
    if (scene.rules != nullptr) {
      if (auto ruled = scene.rules->apply_to_delegate(member.netconf)) {
        member.netconf = std::move(ruled->netconf);
        member.origin.source += "; " + ruled->source;
      }
    }
    const auto step = chain::make_step(scene.request, member.type, member.netconf.copy(),
                                       by.call.step, false, std::nullopt, warn_of(member.type));
    if (!step->module) return;
    chain::require_delegate(*step, by.type());
    step->module->validate(step->call);
    step->ipam->validate();
  } catch (const Error& error) {
    rehearsed.refusal = error;
  }
}

std::vector<RehearsedMember> Rehearsal::run(const PluginCall& call, const policy::Policy* policy) {
  const chain::Request request{Command::add,        environment_, call.netconf.copy(),
                               call.netconf.type(), where_,       {},
                               deadline_,           services_,    modules_};
  chain::VerbHost host(request);
  const settings::Settings settings(services_, where_, request.process_environment, deadline_,
                                    settings::Keep::nothing);
  chain::Plan plan = chain::plan(request, settings, host);
  if (!call.source.empty()) {
    for (chain::Member& member : plan.members) member.origin.source = call.source;
  }
  std::optional<chain::Rules> rules;
  if (policy != nullptr) {
    rules.emplace(request, host, *policy);
    rules->apply(plan.members, false);
  }
  std::vector<RehearsedMember> members;
  for (std::size_t i = 0; i < plan.members.size(); ++i) {
    const Scene scene{request, rules ? &*rules : nullptr, call.index + i};
    rehearse(scene, std::move(plan.members[i]), members);
  }
  return members;
}

}  // namespace unicni::unictl
