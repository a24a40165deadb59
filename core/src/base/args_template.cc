#include "unicni/args_template.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "unicni/error.h"

namespace unicni {
namespace {

[[noreturn]] void refuse(const std::string& key, const std::string& text, const std::string& what) {
  throw Error(Code::invalid_config, fmt::format("\"{}\" is '{}': {}", key, text, what),
              "a template such as ${K8S_POD_NAMESPACE}/${K8S_POD_NAME}; the names are those of "
              "CNI_ARGS");
}

bool is_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

std::string expand_template(const std::string& key, const std::string& text,
                            const std::function<std::string(const std::string&)>& value_of) {
  std::string result;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t dollar = std::min(rest.find('$'), rest.size());
    result += rest.substr(0, dollar);
    rest.remove_prefix(dollar);
    if (rest.empty()) break;
    const std::size_t end = rest.find('}');
    if (!rest.starts_with("${") || end == std::string_view::npos) {
      refuse(key, text, fmt::format("'{}' begins no ${{NAME}}", rest));
    }
    const std::string name(rest.substr(2, end - 2));
    if (!is_name(name)) {
      refuse(key, text, fmt::format("'{}' is no name of letters, digits, _", name));
    }
    result += value_of(name);
    rest.remove_prefix(end + 1);
  }
  return result;
}

std::string expand_template(const std::string& key, const std::string& text,
                            const std::vector<std::pair<std::string, std::string>>& args) {
  return expand_template(key, text, [&](const std::string& name) {
    const auto found = std::find_if(args.rbegin(), args.rend(),
                                    [&](const auto& pair) { return pair.first == name; });
    if (found == args.rend() || found->second.empty()) {
      refuse(key, text, fmt::format("CNI_ARGS has no {}", name));
    }
    return found->second;
  });
}

int count_places(const std::string& key, const std::string& text) {
  int places = 0;
  expand_template(key, text, [&](const std::string&) {
    ++places;
    return std::string();
  });
  return places;
}

}  // namespace unicni
