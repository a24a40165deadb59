// The key by which an address is found again.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unicni::host_local {

/// The template with each ${NAME} replaced by that value of CNI_ARGS; "" for an empty template.
/// Error(invalid_config) naming template and part for a broken ${…} and for a name that CNI_ARGS
/// doesn't have or that is empty there.
std::string sticky_key(const std::string& text,
                       const std::vector<std::pair<std::string, std::string>>& args);

/// Error(invalid_config) for a broken template, whatever CNI_ARGS says.
void require_valid_template(const std::string& text);

}  // namespace unicni::host_local
