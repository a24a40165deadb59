#include "chain/planning.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "chain/chain.h"
#include "chain/foreign.h"
#include "journal/folder.h"
#include "module/registry.h"
#include "policy/fields.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

/// What is taken away, no matter what a configuration says by now.
bool is_removal(Command command) { return command == Command::del || command == Command::gc; }

/// No ADD takes a list in a list; one that was written since its ADD is no reason to leave behind
/// what that made.
bool is_nested_list(const std::string& type, Command command, VerbHost& host) {
  if (type != kChainType) return false;
  const std::string text = "a member of \"plugins\" has type unicni";
  if (!is_removal(command)) {
    throw Error(Code::invalid_config, text,
                "write the plugins of the inner list into the outer one: lists can't be nested");
  }
  host.log(LogLevel::warning, text + ": it is passed over, as no ADD takes one");
  return true;
}

void add_members(Plan& plan, const protocol::Netconf& list, Command command, VerbHost& host) {
  plan.direct = false;
  std::vector<std::string> warnings;
  std::vector<protocol::Netconf> members = list.members(&warnings);
  // Said once in an attachment's life.
  if (command == Command::add) {
    for (const std::string& warning : warnings) host.log(LogLevel::warning, warning);
  }
  for (std::size_t ordinal = 0; ordinal < members.size(); ++ordinal) {
    std::string type = members[ordinal].type();
    module::require_valid_type(type);
    if (is_nested_list(type, command, host)) continue;
    plan.members.push_back({std::move(type), std::move(members[ordinal]), ordinal});
  }
}

/// "true" in quotes is how spec 0.4.0 had it.
bool is_set(const policy::Fields& list, std::string_view key) {
  const std::string* json = list.find(key);
  return json != nullptr && (*json == "true" || *json == "\"true\"");
}

/// The chain's file is the last that knows what an ADD made where /run was lost: without it the
/// addresses would never be freed.
settings::Settings::Unknown unknown_chain(const Request& request, const VerbHost& host) {
  using Unknown = settings::Settings::Unknown;
  if (request.command == Command::gc) return Unknown::is_compiled;
  const bool is_lost =
      request.command == Command::del && !journal::peek(host.journals(), request.key());
  return is_lost ? Unknown::is_compiled : Unknown::stays;
}

/// `what`: the chain or the list. CHECK has an error for an attachment that nobody wrote down.
void tell_of_unknown(const std::string& what, const Request& request, VerbHost& host) {
  const bool is_recorded =
      request.command == Command::gc || journal::peek(host.journals(), request.key()).has_value();
  if (!is_recorded && request.command == Command::check) return;
  host.log(LogLevel::warning,
           fmt::format("{}: {}", what,
                       is_recorded ? "what ADD wrote down counts"
                                   : "as there is no journal of " + request.key().owner() +
                                         " either, what bears its name is taken away"));
}

void add_chain(Plan& plan, const std::string& name, const Request& request,
               const settings::Settings& settings, VerbHost& host) {
  plan.chain = name;
  plan.direct = false;
  const bool is_fresh = request.command == Command::add || request.command == Command::status;
  const auto json = is_fresh ? std::optional(settings.chain(name))
                             : settings.find_chain(name, unknown_chain(request, host));
  if (!json) {
    tell_of_unknown(fmt::format("chain {} isn't known any more", name), request, host);
    return;
  }
  const policy::Fields list(*json);
  const std::string* plugins = list.find("plugins");
  try {
    add_members(plan, request.netconf.with_plugins(plugins == nullptr ? "[]" : *plugins),
                request.command, host);
  } catch (const Error& error) {
    if (is_fresh) throw;
    plan.members.clear();
    tell_of_unknown(fmt::format("chain {} is none by now ({})", name, error.msg()), request, host);
    return;
  }
  plan.is_disabled = (request.command == Command::check && is_set(list, "disableCheck")) ||
                     (request.command == Command::gc && is_set(list, "disableGC"));
  for (Member& member : plan.members) {
    member.origin.source = fmt::format("chain {}/{}.yaml", request.services.folders.chains(), name);
  }
}

/// A list that somebody has spoiled since its ADD is no reason to leave behind what that made.
void add_list(Plan& plan, const Request& request, const settings::Settings& settings,
              VerbHost& host) {
  try {
    if (const auto chain = request.netconf.chain()) {
      add_chain(plan, *chain, request, settings, host);
    } else {
      add_members(plan, request.netconf, request.command, host);
    }
  } catch (const Error& error) {
    if (!is_removal(request.command)) throw;
    plan.members.clear();
    plan.direct = false;
    tell_of_unknown(fmt::format("the list is none by now ({})", error.msg()), request, host);
  }
}

}  // namespace

Plan plan(const Request& request, const settings::Settings& settings, VerbHost& host) {
  Plan plan;
  std::string type = request.invoked_as;
  if (type == kChainType) {
    if (request.netconf.type() == kChainType) {
      add_list(plan, request, settings, host);
      return plan;
    }
    type = request.netconf.type();
    module::require_valid_type(type);
  }
  plan.members.push_back({type, request.netconf.copy()});
  return plan;
}

namespace {

/// With what the runtime knows of the attachment by now.
void take_recorded(Member& member, const journal::RecordedStep& step, const Request& request) {
  member.netconf = with_request_prev_result(request, protocol::Netconf::parse(step.config));
  member.delegate = step.delegate;
}

bool is_of_this_life(const journal::RecordedStep& step, VerbHost& host) {
  return !step.result.empty() && step.container_netns == host.container_identity();
}

/// Nothing stands that could be checked where an ADD failed and its roll-back couldn't take all of
/// it back, or was killed. What the journal has of earlier lives says nothing.
void require_answered(const journal::Entry& entry, const Request& request, VerbHost& host) {
  // A list of programs of other makers need not have a namespace that is there.
  const std::string identity = host.find_container_identity();
  const auto latest = std::find_if(entry.steps.rbegin(), entry.steps.rend(), [&](const auto& step) {
    return step.container_netns == identity;
  });
  if (latest == entry.steps.rend() || is_answer(*latest) ||
      is_nested(request.process_environment)) {
    return;
  }
  throw Error(
      Code::internal,
      fmt::format("ADD of {} didn't succeed: it ended at {}", request.key().owner(), latest->type),
      "run DEL and then ADD for the attachment");
}

}  // namespace

void recall(Plan& plan, const Request& request, VerbHost& host) {
  std::vector<Member>& members = plan.members;
  const auto entry = journal::peek(host.journals(), request.key());
  const bool is_known = entry && entry->place == host.place();
  if (!is_known && members.empty()) {
    throw Error(Code::unknown_container,
                fmt::format("{} isn't in the journal, so what its ADD made of chain {} isn't known",
                            request.key().owner(), plan.chain),
                fmt::format("its ADD failed, or {} was emptied since: DEL and ADD it again",
                            host.journals()));
  }
  if (!is_known) return;
  require_answered(*entry, request, host);
  // What a chain's file says today, the attachment need not have.
  if (!plan.chain.empty()) members.clear();
  const Assignment steps = assign(*entry, members, request.where);
  const auto find = [&](std::size_t id) {
    return std::find_if(entry->steps.begin(), entry->steps.end(),
                        [&](const journal::RecordedStep& step) { return step.id == id; });
  };
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (steps.of_members[i].empty()) continue;
    const auto step = find(steps.of_members[i].back());
    const bool is_made = !step->source.empty() || !step->asked.empty() || !step->delegate.empty();
    if (is_made && is_of_this_life(*step, host)) take_recorded(members[i], *step, request);
  }
  if (plan.direct) return;
  for (const journal::RecordedStep& step : entry->steps) {
    const bool left = std::find(steps.left.begin(), steps.left.end(), step.id) != steps.left.end();
    if (!left || !step.ordinal || !is_of_this_life(step, host)) continue;
    members.push_back({step.type, protocol::Netconf::parse(step.config), step.ordinal});
    take_recorded(members.back(), step, request);
  }
}

}  // namespace unicni::chain
