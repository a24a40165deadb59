// Texts with places for values of CNI_ARGS, such as "${K8S_POD_NAMESPACE}/${K8S_POD_NAME}".
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace unicni {

/// `text` with each ${NAME} replaced by what `value_of` says. Error(invalid_config) that names the
/// option `key`, the text and the part that is wrong.
std::string expand_template(const std::string& key, const std::string& text,
                            const std::function<std::string(const std::string&)>& value_of);
/// With the values of `args`, of which the last of equal names counts; an error as well for a name
/// that isn't there, or is empty.
std::string expand_template(const std::string& key, const std::string& text,
                            const std::vector<std::pair<std::string, std::string>>& args);
/// The number of places; the same error for a broken text.
int count_places(const std::string& key, const std::string& text);

}  // namespace unicni
