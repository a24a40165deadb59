#include "chain/foreign.h"

#include <fmt/core.h>

#include <charconv>
#include <cstring>

#include "protocol/document.h"
#include "protocol/reply.h"
#include "protocol/result_parse.h"
#include "unicni/error.h"
#include "unicni/sys/process.h"

namespace unicni::chain {

namespace {

constexpr std::string_view kDepthVariable = "UNICNI_DEPTH=";

/// A number that can't be read counts as the limit: whoever sets the variable by hand gets an error
/// and no endless chain.
int depth_of(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    if (!variable.starts_with(kDepthVariable)) continue;
    int depth = 0;
    const char* begin = variable.data() + kDepthVariable.size();
    const char* end = variable.data() + variable.size();
    const auto parsed = std::from_chars(begin, end, depth);
    return parsed.ec == std::errc() && parsed.ptr == end && depth >= 0 ? depth : kDepthLimit;
  }
  return 0;
}

/// The program gets the environment of this process, as variables of other makers (proxies, trace
/// ids) are meant for it, too. Only the verb may be another one.
std::vector<std::string> environment_for(const Request& request, Command command) {
  std::vector<std::string> environment;
  environment.reserve(request.process_environment.size() + 2);
  for (const std::string& variable : request.process_environment) {
    if (variable.starts_with("CNI_COMMAND=") || variable.starts_with(kDepthVariable)) continue;
    environment.push_back(variable);
  }
  environment.push_back(fmt::format("CNI_COMMAND={}", command_name(command)));
  environment.push_back(
      fmt::format("{}{}", kDepthVariable, depth_of(request.process_environment) + 1));
  return environment;
}

/// For the error where the program itself gave none. Time is what there may be more of later.
protocol::Ending ending_of(const sys::ProcessResult& result) {
  if (result.timed_out) return {"it was ended at the deadline", Code::try_again};
  if (result.signal != 0) {
    return {fmt::format("signal {} ({})", result.signal, ::strsignal(result.signal))};
  }
  return {fmt::format("exit status {}", result.exit_status)};
}

}  // namespace

bool is_nested(const std::vector<std::string>& process_environment) {
  return depth_of(process_environment) > 0;
}

/// Two wrappers that call each other would otherwise fill the machine with processes.
void require_depth(const std::vector<std::string>& process_environment) {
  if (depth_of(process_environment) < kDepthLimit) return;
  throw Error(
      Code::internal, fmt::format("plugins call each other {} deep", kDepthLimit),
      "look for wrapper scripts in the folders of CNI_PATH: a plugin there executes itself again");
}

/// stdout is read whole before it is judged. A status other than 0 makes it an error, whatever was
/// printed.
std::string run_program(const Services& services, Worker worker, const std::string& program,
                        Command command, const std::vector<std::string>& environment,
                        const std::string& config, Deadline deadline,
                        sys::StartedProgram* started) {
  const Stretch stretch(
      services.observer, Phase::program,
      [&] { return fmt::format("{} {}", command_name(command), program); }, worker);
  auto ran = started == nullptr ? std::nullopt : started->finish(config, services.log);
  const sys::ProcessResult result =
      ran ? *std::move(ran) : unicni::run_program(services, program, environment, config, deadline);
  if (result.exit_status == 0 && result.signal == 0 && !result.timed_out) return result.out;
  throw protocol::parse_error(result.out, result.err_tail, ending_of(result));
}

std::string run_foreign(const Request& request, const std::string& program, Command command,
                        const std::string& config, std::optional<std::size_t> place) {
  const auto type = std::string_view(program).substr(program.rfind('/') + 1);
  return run_program(request.services, {type, place}, program, command,
                     environment_for(request, command), config, request.deadline);
}

/// For DEL, which is sent without a prevResult rather than refused for a malformed one.
protocol::Netconf with_request_prev_result(const Request& request,
                                           const protocol::Netconf& netconf) {
  try {
    const auto prev_result = request.netconf.prev_result();
    return netconf.with_prev_result(prev_result ? &*prev_result : nullptr);
  } catch (const Error&) {
    return netconf.with_prev_result(nullptr);
  }
}

/// A program that succeeds and prints no result has broken the spec. What it printed is quoted, as
/// it mostly is an error text of a shell.
Result read_answer(const std::string& program, std::string_view out,
                   protocol::SpecVersion fallback) {
  constexpr std::size_t kShown = 200;
  if (protocol::trimmed(out).empty()) {
    throw Error(
        Code::decode,
        fmt::format("{} printed no result: it ended with status 0 and said nothing", program),
        "ADD prints one JSON document; code in it that calls _exit(2) ends it before that");
  }
  try {
    return protocol::parse_result(out, fallback);
  } catch (const Error& error) {
    throw Error(error.code(), fmt::format("{} printed no result: {}", program, error.msg()),
                fmt::format("its output was: {}", out.substr(0, kShown)));
  }
}

Result add_foreign(const Request& request, const std::string& program, const std::string& config,
                   const std::string& spec_version, std::optional<std::size_t> place) {
  return read_answer(program, run_foreign(request, program, Command::add, config, place),
                     protocol::find_version(spec_version).value_or(protocol::kNewest));
}

}  // namespace unicni::chain
