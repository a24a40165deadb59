// Lists as one request to one process of our executable.
#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>

#include "base/error_details.h"
#include "chain/chain.h"
#include "chain/foreign.h"
#include "protocol/result_parse.h"
#include "protocol/version.h"
#include "runtime/earlier.h"
#include "runtime/list_call.h"
#include "runtime/way.h"
#include "unicni/error.h"

namespace unicni::runtime {
namespace {

std::string run(const ListCall& call, Command command, const Result* prev_result,
                Deadline deadline) {
  const protocol::Netconf list = protocol::make_list_request(call.list, command, call.parts);
  return chain::run_program(call.shared.services, {chain::kChainType}, call.shared.executable,
                            command, call.plugin_environment(command),
                            list.with_prev_result(prev_result).text_for(command), deadline);
}

/// Adds to `error` what it doesn't undo.
void roll_back(const ListCall& call, const Result* last, std::chrono::milliseconds time,
               Error& error) {
  constexpr auto kDelHasResult = protocol::SpecVersion::v0_4_0;
  const bool has_result = protocol::at_least(call.list.cni_version, kDelHasResult).value_or(false);
  const Deadline deadline = std::max(call.deadline, std::chrono::steady_clock::now() + time);
  try {
    run(call, Command::del, has_result ? last : nullptr, deadline);
  } catch (const Error& left) {
    add_details(error, fmt::format("roll-back: {}; DEL will try again", left.msg()));
  }
}

}  // namespace

void add_as_list(const ListCall& call, std::chrono::milliseconds roll_back_time,
                 const KeepResult& keep) {
  // One that stands already refuses the ADD, and isn't to be taken away for that.
  const bool stood = is_attached_as_list(call.key) || !find_earlier(call).empty();
  std::optional<Result> result;
  try {
    const auto version = protocol::find_version(call.list.cni_version);
    result = protocol::parse_result(run(call, Command::add, nullptr, call.deadline),
                                    version.value_or(protocol::kNewest));
    keep(*result);
  } catch (Error& error) {
    // Of what policy refused the executable has undone itself what it had done.
    const bool is_left = !stood && !is_refusal(error) && is_attached_as_list(call.key);
    if (result || is_left) {
      roll_back(call, result ? &*result : nullptr, roll_back_time, error);
    }
    throw;
  }
}

void run_as_list(const ListCall& call) {
  run(call, call.command, call.prev_result ? &*call.prev_result : nullptr, call.deadline);
}

}  // namespace unicni::runtime
