// Plugins that remember how they were called: shell scripts in a folder.
#pragma once

#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/temp_folder_for_test.h"

namespace unicni::runtime {

struct PluginCalled {
  std::string type, command, container_id, netns, if_name, args, path, request;
  /// "bridge ADD"
  [[nodiscard]] std::string str() const { return type + ' ' + command; }
};

/// ADD answers with a domain that tells the type, all other verbs with nothing, unless they are
/// told otherwise.
class Plugins {
 public:
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }
  void install(const std::string& type) const {
    install_script(type, R"sh(
type=${0##*/}
printf '%s|%s|%s|%s|%s|%s|%s|%s\n' "$type" "$CNI_COMMAND" "$CNI_CONTAINERID" "$CNI_NETNS" \
  "$CNI_IFNAME" "$CNI_ARGS" "$CNI_PATH" "$(cat)" >> "${0%/*}/log"
answer=${0%/*}/$type.$CNI_COMMAND
[ -e "$answer" ] && . "$answer"
[ "$CNI_COMMAND" = ADD ] && echo "{\"cniVersion\":\"1.0.0\",\"dns\":{\"domain\":\"$type\"}}"
exit 0
)sh");
  }
  /// One that doesn't remember.
  void install_script(const std::string& type, const std::string& script) const {
    std::ofstream(folder_ / type) << "#!/bin/sh\n" << script;
    ::chmod((folder_ / type).c_str(), 0755);
  }
  /// `script` runs instead of the answer; it is to end with exit.
  void answer(const std::string& type, const std::string& command,
              const std::string& script) const {
    std::ofstream(folder_ / (type + "." + command)) << script;
  }
  void fail(const std::string& type, const std::string& command, unsigned code,
            const std::string& msg) const {
    answer(type, command,
           "echo '{\"code\":" + std::to_string(code) + ",\"msg\":\"" + msg + "\"}'; exit 1\n");
  }
  [[nodiscard]] std::vector<PluginCalled> calls() const {
    std::vector<PluginCalled> calls;
    std::ifstream log(folder_ / "log");
    for (std::string line; std::getline(log, line);) {
      std::istringstream fields(line);
      PluginCalled& call = calls.emplace_back();
      for (std::string* field : {&call.type, &call.command, &call.container_id, &call.netns,
                                 &call.if_name, &call.args, &call.path}) {
        std::getline(fields, *field, '|');
      }
      std::getline(fields, call.request);
    }
    return calls;
  }
  /// str() of calls().
  [[nodiscard]] std::vector<std::string> verbs() const {
    std::vector<std::string> verbs;
    for (const auto& call : calls()) verbs.push_back(call.str());
    return verbs;
  }
  void forget() const { std::ofstream(folder_ / "log", std::ios::trunc).flush(); }

 private:
  TempFolder folder_;
};

}  // namespace unicni::runtime
