// The environment that a runtime calls a plugin with (EXEC-11, EXEC-12, EXEC-14, EXEC-20).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/call.h"

namespace unicni::protocol {

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// CNI_ARGS of `pairs`, "K=V;K=V" in their order: parse_args() of it gives them again. A value may
/// be empty. Error(invalid_environment) for a pair with ; or = in it, or a NUL byte, as there is no
/// escaping (ARGS-01), and for an empty key.
std::string format_args(const Pairs& pairs);

struct PluginCall {
  Command command = Command::add;
  Attachment attachment = {};          ///< ADD, CHECK, DEL
  std::string netns = {};              ///< ADD, CHECK, DEL; may be empty on DEL
  std::string args = {};               ///< format_args()
  std::vector<std::string> path = {};  ///< folders of plugins, in the order of the search
  /// TRACEPARENT, TRACESTATE, BAGGAGE of the span that the caller is in. Taken as a whole if its
  /// TRACEPARENT is valid (W3C Trace Context, section 3.2.2), else what is inherited stays.
  Pairs trace = {};
};

/// `inherited` ("K=V", as environ(7)) with the call's variables in the place of its own: all of
/// CNI_COMMAND, CNI_CONTAINERID, CNI_NETNS, CNI_ARGS, CNI_IFNAME and CNI_PATH, empty where the verb
/// has none. VERSION has "dummy" for CNI_NETNS, CNI_IFNAME and CNI_PATH, so that plugins from
/// before that verb get as far as refusing it (VERN-05). Of a variable that is there twice the last
/// counts; an entry without = stays. Error(invalid_environment) for a value with a NUL byte, and
/// for a folder with a colon or without a name in `path`.
std::vector<std::string> make_plugin_environment(const std::vector<std::string>& inherited,
                                                 const PluginCall& call);

/// What a runtime refuses before any plugin is called: a missing container id (code 3), a bad one
/// (4), a bad network name (7), a bad interface name (4). On DEL an interface name only has to be
/// one by the spec: it may be of an ADD that another runtime did.
void require_attachment(const AttachmentKey& key, Command command);

}  // namespace unicni::protocol
