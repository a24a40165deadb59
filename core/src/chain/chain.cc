#include "chain/chain.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/attach.h"
#include "chain/collect.h"
#include "chain/detach.h"
#include "chain/foreign.h"
#include "chain/member.h"
#include "chain/recorder.h"
#include "journal/folder.h"
#include "protocol/name.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
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

struct Plan {
  std::vector<Member> members;
  bool direct = true;  ///< our own name on disk decides, not CNI_PATH
};

/// Called under the name of a plugin, that is the only member. Under the name `unicni` the
/// configuration decides: a list in "plugins", or the plugin that "type" names.
Plan plan(const Request& request) {
  Plan plan;
  std::string type = request.invoked_as;
  if (type == kChainType) {
    if (request.netconf.type() == kChainType) {
      plan.direct = false;
      for (protocol::Netconf& member : request.netconf.members()) {
        std::string member_type = member.type();
        module::require_valid_type(member_type);
        if (member_type == kChainType) {
          throw Error(
              Code::invalid_config, "a member of \"plugins\" has type unicni",
              "write the plugins of the inner list into the outer one: lists can't be nested");
        }
        const std::size_t ordinal = plan.members.size();
        plan.members.push_back({std::move(member_type), std::move(member), ordinal});
      }
      return plan;
    }
    type = request.netconf.type();
    module::require_valid_type(type);
  }
  plan.members.push_back({type, request.netconf.copy()});
  return plan;
}

/// CHECK of a list: its members of ADD that have left it since still are there.
void add_left(std::vector<Member>& members, const Request& request, VerbHost& host) {
  const auto entry = journal::peek(host.journals(), request.key());
  if (!entry || entry->place != host.place()) return;
  const Assignment steps = assign(*entry, members);
  for (const journal::RecordedStep& step : entry->steps) {
    const bool left = std::find(steps.left.begin(), steps.left.end(), step.id) != steps.left.end();
    if (!left || !step.ordinal || step.result.empty()) continue;
    if (step.container_netns != host.container_identity()) continue;
    members.push_back({step.type,
                       with_request_prev_result(request, protocol::Netconf::parse(step.config)),
                       step.ordinal});
  }
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

/// All steps are made and all are validated before the first one acts. A configuration with a
/// mistake in its last member changes nothing.
Caller::~Caller() = default;

void run(const Request& request, Caller& caller) {
  require_verb_in_version(request);
  require_depth(request.process_environment);
  VerbHost host(request);
  host.enter({request.invoked_as});
  if (request.command == Command::add) host.refuse_own_netns();
  Plan todo = plan(request);
  const Command command = request.command;
  if (command == Command::del) {
    detach(request, host, std::move(todo.members), todo.direct, caller);
    return;
  }

  auto prev_result = request.netconf.prev_result();
  if (prev_result) protocol::restore_name(*prev_result, request.environment.if_name);
  const auto warn = [&](const std::string& text) { host.log(LogLevel::warning, text); };
  if (command == Command::check && !todo.direct) add_left(todo.members, request, host);
  std::vector<std::unique_ptr<Step>> steps;
  for (Member& member : todo.members) {
    caller.on_member(member.type);
    steps.push_back(make_step(request, member.type, std::move(member.netconf), steps.size(),
                              todo.direct, prev_result, warn));
    steps.back()->ordinal = member.ordinal;
  }
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
                  step->netconf.with_prev_result(prev_result ? &*prev_result : nullptr).text());
      continue;
    }
    step->enter(host);
    if (command == Command::check) {
      step->module->check(step->call, host);
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
