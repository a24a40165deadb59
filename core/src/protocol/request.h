// The environment half of a request.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/call.h"

namespace unicni::protocol {

inline constexpr std::size_t kRequestLimit = 1U << 20U;  ///< bytes of stdin
inline constexpr std::size_t kGcRequestLimit =
    32U << 20U;                            ///< of a GC: 20,000 attachments under two keys are 4 MB
inline constexpr int kNestingLimit = 256;  ///< arrays and objects, the outermost counts

struct Environment {
  std::optional<Command> command;  ///< nullopt: unknown text, see require_known_command()
  std::string command_text;        ///< CNI_COMMAND as given
  std::string container_id;        ///< CNI_CONTAINERID as given; validated for ADD, CHECK and DEL
  std::string netns;
  std::string if_name;  ///< CNI_IFNAME as given; validated for ADD, CHECK and DEL
  std::string args;     ///< CNI_ARGS as given, unparsed: only modules with such options look
  std::vector<std::string> path;  ///< CNI_PATH, split at ':', empty elements dropped
  bool netns_override = false;
  std::vector<std::pair<std::string, std::string>> trace;
};

using GetEnv = std::function<const char*(const char*)>;

/// nullopt: CNI_COMMAND is unset or empty, the caller prints the about text. Throws Error with
/// Code::invalid_environment for missing variables (all of them named, in the order CONTAINERID,
/// NETNS, IFNAME, PATH) and for values that break the rules of the CNI spec; a bad value is
/// reported at once, before missing variables. CNI_PATH is required where the reference requires
/// it: everywhere but for VERSION and for unknown commands, which need nothing. An unknown command
/// is only refused by require_known_command(), because bad stdin is reported first.
std::optional<Environment> read_environment(const GetEnv& get);

/// To be called after the request was decoded and its name validated. Error(invalid_environment)
/// naming the command.
Command require_known_command(const Environment& environment);

/// CNI_ARGS "K=V;K=V". Throws Error(invalid_environment) for a piece without exactly one '='; empty
/// text: no pairs.
std::vector<std::pair<std::string, std::string>> parse_args(std::string_view text);

/// All of stdin. Error(io) if unreadable, Error(decode) over the limit.
std::string read_request(int fd, std::size_t limit);

/// stdin of VERSION, which need not be there: what comes before the end, an error, the limit, or
/// 0.2 s of silence. Never throws for any of them.
std::string read_optional_request(int fd);

}  // namespace unicni::protocol
