// Plugins that aren't ours: programs in CNI_PATH, called by the CNI protocol.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/stretch.h"
#include "chain/request.h"
#include "protocol/version.h"
#include "unicni/result.h"

namespace unicni::chain {

/// Runs `program` with the request's environment, CNI_COMMAND replaced, `config` on stdin; its
/// stderr streams through. Returns its stdout. Throws the Error that it printed, or one that quotes
/// what it left. `place`: of the member in its list, for observers.
std::string run_foreign(const Request& request, const std::string& program, Command command,
                        const std::string& config, std::optional<std::size_t> place = {});

/// The same with an environment that is whole already: the runtime's own calls. An observer hears
/// of it as work of `worker`, a type, as the program may be the universal executable. `started`:
/// the program as it runs already; nullptr: it doesn't.
std::string run_program(const Services& services, Worker worker, const std::string& program,
                        Command command, const std::vector<std::string>& environment,
                        const std::string& config, Deadline deadline,
                        sys::StartedProgram* started = nullptr);

/// run_foreign(add) and its result; a result without version has the configuration's.
Result add_foreign(const Request& request, const std::string& program, const std::string& config,
                   const std::string& spec_version, std::optional<std::size_t> place = {});

/// The result of a program whose ADD ended with status 0 and printed `out`; of the version
/// `fallback`, unless it names its own. Throws Error(decode) "<program> printed no result: …".
Result read_answer(const std::string& program, std::string_view out,
                   protocol::SpecVersion fallback);

/// `netconf` as a runtime sends it on DEL: with the request's prevResult, unless that can't be read
/// or can't be told in the configuration's version.
protocol::Netconf with_request_prev_result(const Request& request,
                                           const protocol::Netconf& netconf);

/// Calls may nest (we run a program that runs us …), but not for ever: throws Error beyond
/// kDepthLimit.
inline constexpr int kDepthLimit = 8;
/// Whether a program that one of our chains runs is calling us, perhaps for the same attachment.
bool is_nested(const std::vector<std::string>& process_environment);
void require_depth(const std::vector<std::string>& process_environment);

}  // namespace unicni::chain
