// Lists as libcni runs them: a process for each member.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error_details.h"
#include "base/program_runner.h"
#include "chain/chain.h"
#include "chain/foreign.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
#include "protocol/version_reply.h"
#include "runtime/earlier.h"
#include "runtime/list_call.h"
#include "runtime/way.h"
#include "unicni/error.h"
#include "unicni/errors.h"

namespace unicni::runtime {
namespace {

struct Program {
  std::string path;
  bool is_ours;  ///< it does nothing before it has read its configuration
};

struct Member {
  std::string type;
  std::size_t place;  ///< in the list
  Program program;
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
Program get_program(const Shared& shared, const std::string& type) {
  module::Found found = find_plugin(shared, type);
  if (!found.program.empty()) return {std::move(found.program), type == chain::kChainType};
  if (!shared.executable.empty()) return {shared.executable, true};
  throw Error(
      Code::invalid_config,
      fmt::format("plugin \"{}\" is a module of unicni, whose executable isn't there", type),
      "install the executable unicni into a folder of CNI_PATH, name it in the options of "
      "the runtime, or run plugins in the process");
}

/// Looked up before the first is called: a list with a plugin that isn't there changes nothing.
std::vector<Member> find_members(const ListCall& call) {
  std::vector<Member> members;
  for (auto& netconf : protocol::make_list_request(call.list, call.command, call.parts).members()) {
    std::string type = netconf.type();
    try {
      Program program = get_program(call.shared, type);
      members.push_back({std::move(type), members.size(), std::move(program), std::move(netconf)});
    } catch (Error& error) {
      throw error.in_step(type);
    }
  }
  return members;
}

/// One verb of the members, a process each, one behind the other. A process of ours is started
/// while that before it works, as a third of its time is its start. If it isn't called then, it is
/// killed, and has done nothing.
class Processes {
 public:
  /// `shares`: how many of them divide the time. One that hangs is ended when only the others'
  /// equal shares are left; what one doesn't use is for those behind it.
  Processes(const ListCall& call, Command command, std::size_t shares = 1)
      : call_(call),
        command_(command),
        environment_(call.plugin_environment(command)),
        begin_(std::chrono::steady_clock::now()),
        shares_(shares) {}

  /// `next`: who comes after this one if all goes well; nullptr: nobody.
  std::string run(const Member& member, const Member* next, const Result* prev_result) {
    const std::string config = member.netconf.with_prev_result(prev_result).text_for(command_);
    const Deadline deadline = deadline_of(++turn_);
    const auto started = next_ ? std::move(next_) : start(member, deadline);
    next_ =
        next != nullptr && next->program.is_ours ? start(*next, deadline_of(turn_ + 1)) : nullptr;
    return chain::run_program(call_.shared.services, {member.type, member.place},
                              member.program.path, command_, environment_, config, deadline,
                              started.get());
  }
  /// The list's version all along, whatever the plugin answers in (RES-02).
  [[nodiscard]] Result add(const Member& member, const Member* next, const Result* prev_result) {
    const auto version = protocol::find_version(call_.list.cni_version);
    return chain::read_answer(member.program.path, run(member, next, prev_result),
                              version.value_or(protocol::kNewest));
  }

 private:
  [[nodiscard]] std::unique_ptr<sys::StartedProgram> start(const Member& member,
                                                           Deadline deadline) const {
    sys::ProgramRunner* const runner = call_.shared.services.programs;
    if (runner == nullptr) return nullptr;
    return runner->start(member.program.path, environment_, deadline);
  }
  [[nodiscard]] Deadline deadline_of(std::size_t turn) const {
    const auto behind = static_cast<std::ptrdiff_t>(shares_ - std::min(turn, shares_));
    return call_.deadline -
           (call_.deadline - begin_) / static_cast<std::ptrdiff_t>(shares_) * behind;
  }

  const ListCall& call_;
  const Command command_;
  const std::vector<std::string> environment_;
  const Deadline begin_;
  const std::size_t shares_;
  std::size_t turn_ = 0;  ///< the first is 1
  std::unique_ptr<sys::StartedProgram> next_;
};

/// DEL of `members` in reverse. One that hangs must not cost the others theirs.
Errors roll_back(const ListCall& call, std::span<const Member> members, const Result* last) {
  constexpr auto kDelHasResult = protocol::SpecVersion::v0_4_0;
  const bool has_result = protocol::at_least(call.list.cni_version, kDelHasResult).value_or(false);
  Processes processes(call, Command::del, members.size());
  Errors errors;
  for (std::size_t left = members.size(); left > 0; --left) {
    const Member& member = members[left - 1];
    errors.attempt_step(member.type, [&] {
      processes.run(member, left > 1 ? &member - 1 : nullptr, has_result ? last : nullptr);
    });
  }
  return errors;
}

/// What a failed ADD is to take back, of which `done` succeeded. As the spec asks for: all members,
/// also those that were never called. `only_done`, where an attachment stood before, whose are the
/// other members, and where policy refused one: only what this ADD has done. One of ours that fails
/// takes back its own work.
std::span<const Member> find_undone(const std::vector<Member>& members, std::size_t done,
                                    bool only_done) {
  if (!only_done) return members;
  const bool has_failed_foreign = done < members.size() && !members[done].program.is_ours;
  return std::span(members).first(has_failed_foreign ? done + 1 : done);
}

}  // namespace

void add_by_programs(const ListCall& call, std::optional<std::chrono::milliseconds> roll_back_time,
                     const KeepResult& keep) {
  const std::vector<Member> members = find_members(call);
  const std::string earlier = roll_back_time ? find_earlier(call) : "";
  bool is_refused = false;
  std::optional<Result> result;
  std::size_t done = 0;
  try {
    Processes processes(call, Command::add);
    for (; done < members.size(); ++done) {
      const Member& member = members[done];
      try {
        result = processes.add(member, &member == &members.back() ? nullptr : &member + 1,
                               result ? &*result : nullptr);
      } catch (Error& error) {
        // DEL of what policy refused would run the programs that may not run.
        is_refused = member.program.is_ours && is_refusal(error);
        throw error.in_step(member.type);
      }
    }
    protocol::restore_name(*result, call.key.if_name);
    keep(*result);
  } catch (Error& error) {
    if (!roll_back_time) {
      add_details(error, fmt::format("nothing is rolled back, as {} is in the cache with this "
                                     "namespace: DEL removes both",
                                     call.key.owner()));
      throw;
    }
    if (!earlier.empty() && done == 0) {
      add_details(error,
                  fmt::format("nothing is rolled back, as {} was there before this ADD", earlier));
      throw;
    }
    ListCall back = call;
    back.deadline = std::max(call.deadline, std::chrono::steady_clock::now() + *roll_back_time);
    const bool only_done = is_refused || !earlier.empty();
    const Errors left =
        roll_back(back, find_undone(members, done, only_done), result ? &*result : nullptr);
    if (left.empty()) throw;
    for (const Error& failure : left.all()) {
      add_details(error, "roll-back: " + failure.msg());
    }
    add_details(error, "DEL will try again");
    throw;
  }
}

void run_by_programs(const ListCall& call) {
  std::vector<Member> members = find_members(call);
  const Command command = call.command;
  if (command == Command::del) std::reverse(members.begin(), members.end());
  const Result* prev_result = call.prev_result ? &*call.prev_result : nullptr;
  // GC comes to all of them, so each has its share.
  Processes processes(call, command, command == Command::gc ? members.size() : 1);
  Errors errors;
  for (const Member& member : members) {
    const Member* const next = &member == &members.back() ? nullptr : &member + 1;
    const bool done =
        errors.attempt_step(member.type, [&] { processes.run(member, next, prev_result); });
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
    out = chain::run_program(shared.services, {type}, found.program, Command::version, environment,
                             protocol::make_version_request(), deadline);
  } catch (const Error& error) {
    return protocol::versions_behind(error);
  }
  return protocol::parse_version_reply(out);
}

}  // namespace unicni::runtime
