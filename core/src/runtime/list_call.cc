#include "runtime/list_call.h"

#include <fmt/core.h>

namespace unicni::runtime {

std::string ListCall::str() const {
  return fmt::format("{} of {}", command_name(command),
                     key.container_id.empty() ? list.name : key.owner());
}

std::vector<std::string> ListCall::plugin_environment(Command verb) const {
  return protocol::make_plugin_environment(shared.environment, {.command = verb,
                                                                .attachment = key.of_network(),
                                                                .netns = netns,
                                                                .args = args,
                                                                .path = shared.where.cni_path,
                                                                .trace = trace});
}

}  // namespace unicni::runtime
