#include "sticky.h"

#include <fmt/core.h>

#include "unicni/args_template.h"
#include "unicni/error.h"

namespace unicni::host_local {

namespace {
constexpr const char* kKey = "sticky";
}  // namespace

std::string sticky_key(const std::string& text,
                       const std::vector<std::pair<std::string, std::string>>& args) {
  return expand_template(kKey, text, args);
}

void require_valid_template(const std::string& text) {
  if (text.empty() || count_places(kKey, text) > 0) return;
  throw Error(Code::invalid_config,
              fmt::format("\"{}\" is '{}': it has no ${{NAME}}, so all attachments would ask for "
                          "one address",
                          kKey, text),
              "a template such as ${K8S_POD_NAMESPACE}/${K8S_POD_NAME}; the names are those of "
              "CNI_ARGS");
}

}  // namespace unicni::host_local
