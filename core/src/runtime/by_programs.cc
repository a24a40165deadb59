// Lists as libcni runs them: a process for each member.
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "chain/chain.h"
#include "chain/foreign.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
#include "protocol/version_reply.h"
#include "runtime/list_call.h"
#include "unicni/error.h"
#include "unicni/errors.h"

namespace unicni::runtime {
namespace {

struct Member {
  std::string type;
  std::string program;
  protocol::Netconf netconf;
};

/// A member that is a list itself, inline or an administrator's chain, is the executable's.
module::Found find_plugin(const Shared& shared, const std::string& type) {
  if (type == chain::kChainType && !shared.executable.empty()) {
    return {type, {}, {}, shared.executable};
  }
  return module::find_type(type, shared.where);
}

/// What is executed for a type: what CNI_PATH has under its name; for what our modules serve, our
/// executable, which reads the type from the configuration.
std::string get_program(const Shared& shared, const std::string& type) {
  module::Found found = find_plugin(shared, type);
  if (!found.program.empty()) return std::move(found.program);
  if (!shared.executable.empty()) return shared.executable;
  throw Error(
      Code::invalid_config,
      fmt::format("plugin \"{}\" is a module of unicni, whose executable isn't there", type),
      "install the executable unicni into a folder of CNI_PATH, name it in the options of "
      "the runtime, or run plugins in the process");
}

class Programs {
 public:
  explicit Programs(const ListCall& call) : call_(call) {}

  /// Looked up before the first is called: a list with a plugin that isn't there changes nothing.
  [[nodiscard]] std::vector<Member> members() const {
    std::vector<Member> members;
    for (auto& netconf :
         protocol::make_list_request(call_.list, call_.command, call_.parts).members()) {
      std::string type = netconf.type();
      try {
        std::string program = get_program(call_.shared, type);
        members.push_back({std::move(type), std::move(program), std::move(netconf)});
      } catch (Error& error) {
        throw error.in_step(type);
      }
    }
    return members;
  }
  std::string run(const Member& member, Command command, const Result* prev_result) const {
    return chain::run_program(call_.shared.services, member.type, member.program, command,
                              call_.plugin_environment(command),
                              member.netconf.with_prev_result(prev_result).text_for(command),
                              call_.deadline);
  }
  /// The list's version all along, whatever the plugin answers in (RES-02).
  [[nodiscard]] Result add(const Member& member, const Result* prev_result) const {
    const std::string out = run(member, Command::add, prev_result);
    const auto version = protocol::find_version(call_.list.cni_version);
    try {
      return protocol::parse_result(out, version.value_or(protocol::kNewest));
    } catch (const Error& error) {
      constexpr std::size_t kShown = 200;
      throw Error(error.code(),
                  fmt::format("{} printed no result: {}", member.program, error.msg()),
                  fmt::format("its output was: {}", out.substr(0, kShown)));
    }
  }
  /// As the spec asks for after a failed ADD: all members, also those that were never called.
  [[nodiscard]] Errors roll_back(const std::vector<Member>& members, const Result* last) const {
    Errors errors;
    const bool has_result =
        protocol::at_least(call_.list.cni_version, kDelHasResult).value_or(false);
    for (auto member = members.rbegin(); member != members.rend(); ++member) {
      errors.attempt_step(member->type,
                          [&] { run(*member, Command::del, has_result ? last : nullptr); });
    }
    return errors;
  }

 private:
  static constexpr auto kDelHasResult = protocol::SpecVersion::v0_4_0;
  const ListCall& call_;
};

}  // namespace

void add_by_programs(const ListCall& call, bool is_rolled_back, const KeepResult& keep) {
  const Programs programs(call);
  const std::vector<Member> members = programs.members();
  std::optional<Result> result;
  try {
    for (const Member& member : members) {
      try {
        result = programs.add(member, result ? &*result : nullptr);
      } catch (Error& error) {
        throw error.in_step(member.type);
      }
    }
    protocol::restore_name(*result, call.key.if_name);
    keep(*result);
  } catch (Error& error) {
    if (!is_rolled_back) {
      throw error.advise(fmt::format(
          "{}{}nothing is rolled back, as {} is in the cache with this namespace: DEL removes both",
          error.details(), error.details().empty() ? "" : "; ", call.key.owner()));
    }
    std::string text = error.details();
    const Errors left = programs.roll_back(members, result ? &*result : nullptr);
    for (const Error& failure : left.all()) {
      text += fmt::format("{}roll-back: {}", text.empty() ? "" : "; ", failure.msg());
    }
    if (!left.empty()) error.advise(text + "; DEL will try again");
    throw;
  }
}

void run_by_programs(const ListCall& call) {
  const Programs programs(call);
  std::vector<Member> members = programs.members();
  const Command command = call.command;
  if (command == Command::del) std::reverse(members.begin(), members.end());
  const Result* prev_result = call.prev_result ? &*call.prev_result : nullptr;
  Errors errors;
  for (const Member& member : members) {
    const bool done =
        errors.attempt_step(member.type, [&] { programs.run(member, command, prev_result); });
    if (!done && command != Command::gc) break;
  }
  errors.finish();
}

std::vector<std::string> ask_versions(const Shared& shared, const std::string& type,
                                      Deadline deadline, const protocol::Pairs& trace) {
  module::Found found = find_plugin(shared, type);
  if (!found.module_path.empty()) {
    // What it says of itself stands in its file.
    const module::LoadedModule own = shared.modules.load(found, shared.where.executable);
    std::vector<std::string> versions;
    const char* const* each = own.descriptor().spec_versions;
    for (; *each != nullptr; ++each) versions.emplace_back(*each);
    return versions;
  }
  const auto environment = protocol::make_plugin_environment(
      shared.environment,
      {.command = Command::version, .path = shared.where.cni_path, .trace = trace});
  std::string out;
  try {
    out = chain::run_program(shared.services, type, found.program, Command::version, environment,
                             protocol::make_version_request(), deadline);
  } catch (const Error& error) {
    return protocol::versions_behind(error);
  }
  return protocol::parse_version_reply(out);
}

}  // namespace unicni::runtime
