#include "chain/chain.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/attach.h"
#include "chain/collect.h"
#include "chain/detach.h"
#include "chain/foreign.h"
#include "chain/member.h"
#include "chain/planning.h"
#include "chain/recorder.h"
#include "chain/rules.h"
#include "protocol/name.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
#include "settings/settings.h"
#include "undo/renewed.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

using protocol::SpecVersion;

/// Spec 1.1.0, sections 2 and 4: a verb exists from a version on. A runtime that calls an older one
/// with it has made a mistake that it should hear of. DEL and ADD exist in all.
void require_verb_in_version(const Request& request) {
  const Command command = request.command;
  const std::string& version = request.netconf.cni_version();
  const bool is_new = command == Command::gc || command == Command::status;
  if (!is_new && command != Command::check) return;
  const auto allowed =
      protocol::at_least(version, is_new ? SpecVersion::v1_1_0 : SpecVersion::v0_4_0);
  if (!allowed) {
    throw Error(Code::decode, fmt::format("cniVersion \"{}\" is no version", version));
  }
  if (!*allowed) {
    throw Error(Code::incompatible_version,
                fmt::format("config version does not allow {}", command_name(command)),
                fmt::format("the configuration's cniVersion is \"{}\", but {} needs {} or later",
                            version, command_name(command), is_new ? "1.1.0" : "0.4.0"));
  }
}

/// STATUS: ADD would fail where the policies can't be known.
void require_policy(const settings::Settings& settings) {
  try {
    static_cast<void>(settings.policy());
  } catch (const Error& error) {
    throw Error(Code::not_available, error.msg(), error.details());
  }
}

/// The interface's own plugin knows what a renewal of its lease has changed; the others know
/// prevResult alone.
void check(Step& step, const Request& request, Host& host) {
  module::LoadedModule& module = *step.module;
  if (module.descriptor().kind != ModuleKind::chained) {
    module.check(step.call, host);
    return;
  }
  const std::string lease = lease_file(lease_folder(request.services.folders), step.call.key);
  check_renewed(step.call, find_renewed(lease),
                [&](const Call& call) { module.check(call, host); });
}

}  // namespace

void require_network_name(const protocol::Netconf& netconf, const std::string& module) {
  const std::string& name = netconf.name();
  if (name.empty()) {
    // Files of the first spec versions leave loopback without a name.
    const bool nameless_loopback =
        module == "loopback" &&
        !protocol::at_least(netconf.cni_version(), SpecVersion::v0_4_0).value_or(true);
    if (nameless_loopback) return;
    throw Error(Code::invalid_config, "missing network name", "add \"name\" to the configuration");
  }
  if (!protocol::valid_name(name)) {
    throw Error(Code::invalid_config, "invalid characters found in network name", name);
  }
}

Caller::~Caller() = default;
void Caller::on_added() {}

/// All steps are made and all are validated before the first one acts. A configuration with a
/// mistake in its last member changes nothing.
void run(const Request& request, Caller& caller) {
  require_verb_in_version(request);
  require_depth(request.process_environment);
  VerbHost host(request);
  host.enter({request.invoked_as});
  if (request.command == Command::add) host.refuse_own_netns();
  const settings::Settings settings(request.services, request.where, request.process_environment,
                                    request.deadline);
  Plan todo = plan(request, settings, host);
  const Command command = request.command;
  if (todo.is_disabled) return;
  if (command == Command::del) {
    detach(request, host, todo, caller);
    return;
  }

  auto prev_result = request.netconf.prev_result();
  if (prev_result) protocol::restore_name(*prev_result, request.environment.if_name);
  const auto warn = [&](const std::string& text) { host.log(LogLevel::warning, text); };
  if (command == Command::check) recall(todo, request, host);
  std::optional<Rules> rules;
  if (command == Command::status) require_policy(settings);
  if (command == Command::add) {
    if (auto policy = settings.policy(); policy && !policy->empty()) {
      rules.emplace(request, host, *std::move(policy));
      rules->apply(todo.members, todo.direct);
      host.set_rules(&*rules);
    }
  }
  std::vector<std::unique_ptr<Step>> steps;
  for (Member& member : todo.members) {
    caller.on_member(member.type);
    host.enter({member.type, steps.size()});
    try {
      steps.push_back(make_step(request, member.type, std::move(member.netconf), steps.size(),
                                todo.direct, prev_result, warn));
    } catch (const Error& error) {
      // A chain may be broken by now, and its attachments must be taken away all the same.
      if (command != Command::gc || todo.chain.empty()) throw;
      warn(error.msg());
      continue;
    }
    steps.back()->ordinal = member.ordinal;
    steps.back()->origin = std::move(member.origin);
    if (steps.back()->delegate) steps.back()->delegate->set_recorded(member.delegate);
  }
  host.enter({request.invoked_as});
  for (auto& step : steps) {
    if (!step->module) continue;
    caller.on_member(step->type());
    step->module->validate(step->call);
    step->ipam->validate();
  }
  if (command == Command::add) {
    attach(request, host, steps, caller);
    return;
  }
  // A list of IPAM and stateless plugins alone has made no rules, so it doesn't pay for looking at
  // them.
  const bool journaled =
      std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step->journaled(); });
  if (command == Command::gc) {
    if (journaled) host.restore_rules();
    collect(request, host, steps, caller);
    return;
  }
  for (auto& step : steps) {
    caller.on_member(step->type());
    if (!step->module) {
      run_foreign(request, step->found.program, command,
                  step->netconf.with_prev_result(prev_result ? &*prev_result : nullptr).text(),
                  step->call.step);
      continue;
    }
    step->enter(host);
    if (command == Command::check) {
      check(*step, request, host);
    } else {
      step->module->status(step->call, host);
    }
  }
  if (command != Command::status) return;
  if (journaled) host.restore_rules();
  // STATUS is called often and by everybody, which makes it the one that clears up after containers
  // whose DEL never came. Only some of them each time, as it must be quick.
  collect_some_gone(request, host);
}

}  // namespace unicni::chain
