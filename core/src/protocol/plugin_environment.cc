#include "protocol/plugin_environment.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <unordered_set>

#include "protocol/document.h"
#include "protocol/name.h"
#include "protocol/network_list.h"
#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

constexpr std::array<std::string_view, 6> kCallVariables = {
    "CNI_COMMAND", "CNI_CONTAINERID", "CNI_NETNS", "CNI_ARGS", "CNI_IFNAME", "CNI_PATH"};
constexpr std::array<std::string_view, 3> kTraceVariables = {"TRACEPARENT", "TRACESTATE",
                                                             "BAGGAGE"};

template <class List>
bool has(const List& list, std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

/// "00-<32 digits of the trace>-<16 of the span>-<2 of flags>"; a later version may go on behind
/// it.
bool is_trace_parent(std::string_view text) {
  constexpr std::size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(3, 32);
  const std::string_view span = text.substr(36, 16);
  if (version == "ff" || is_zero(trace) || is_zero(span)) return false;
  if (text.size() > kLength && (version == "00" || text[kLength] != '-')) return false;
  return is_hex(version) && is_hex(trace) && is_hex(span) && is_hex(text.substr(53, 2));
}

/// Those that go to the plugin, none if they are no span's.
Pairs valid_trace(const Pairs& trace) {
  Pairs valid;
  bool has_parent = false;
  for (const auto& [name, value] : trace) {
    if (!has(kTraceVariables, name) || value.empty()) continue;
    if (value.find('\0') != std::string::npos) return {};
    has_parent = has_parent || (name == kTraceVariables.front() && is_trace_parent(value));
    valid.emplace_back(name, value);
  }
  return has_parent ? valid : Pairs();
}

std::string join_path(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& folder : path) {
    if (folder.empty() || folder.find(':') != std::string::npos) {
      throw Error(Code::invalid_environment,
                  fmt::format("{} can't be a folder of CNI_PATH", quote(folder)),
                  "folders are joined by colons, so none may have one or be empty");
    }
    if (!text.empty()) text += ':';
    text += folder;
  }
  return text;
}

std::string variable(std::string_view name, std::string_view value) {
  if (value.find('\0') != std::string_view::npos) {
    throw Error(Code::invalid_environment, fmt::format("{} has a NUL byte", name),
                fmt::format("its value is {}", quote(value)));
  }
  return fmt::format("{}={}", name, value);
}

/// "": the entry is no variable.
std::string_view name_of(std::string_view entry) {
  const std::size_t equals = entry.find('=');
  return equals == std::string_view::npos ? std::string_view() : entry.substr(0, equals);
}

}  // namespace

std::string format_args(const Pairs& pairs) {
  constexpr std::string_view kForbidden(";=\0", 3);
  std::string text;
  for (const auto& [key, value] : pairs) {
    if (key.empty() || key.find_first_of(kForbidden) != std::string::npos ||
        value.find_first_of(kForbidden) != std::string::npos) {
      throw Error(Code::invalid_environment,
                  fmt::format("ARGS: invalid pair {} and {}", quote(key), quote(value)),
                  "CNI_ARGS is K=V;K=V; neither part can hold ; or =, and no key is empty");
    }
    if (!text.empty()) text += ';';
    text += fmt::format("{}={}", key, value);
  }
  return text;
}

std::vector<std::string> make_plugin_environment(const std::vector<std::string>& inherited,
                                                 const PluginCall& call) {
  const Pairs trace = valid_trace(call.trace);
  std::vector<std::string> environment;
  environment.reserve(inherited.size() + kCallVariables.size() + trace.size());
  std::unordered_set<std::string_view> seen;
  for (auto entry = inherited.rbegin(); entry != inherited.rend(); ++entry) {
    const std::string_view name = name_of(*entry);
    if (has(kCallVariables, name) || (!trace.empty() && has(kTraceVariables, name))) continue;
    if (!name.empty() && !seen.insert(name).second) continue;
    environment.push_back(*entry);
  }
  std::reverse(environment.begin(), environment.end());

  const bool of_attachment = call.command == Command::add || call.command == Command::check ||
                             call.command == Command::del;
  const bool is_probe = call.command == Command::version;
  const auto set = [&](std::string_view name, std::string_view value, std::string_view otherwise) {
    environment.push_back(variable(name, of_attachment ? value : otherwise));
  };
  const std::string_view unused = is_probe ? "dummy" : "";
  environment.push_back(variable("CNI_COMMAND", command_name(call.command)));
  set("CNI_CONTAINERID", call.attachment.container_id, "");
  set("CNI_NETNS", call.netns, unused);
  set("CNI_ARGS", call.args, "");
  set("CNI_IFNAME", call.attachment.if_name, unused);
  environment.push_back(variable("CNI_PATH", is_probe ? "dummy" : join_path(call.path)));
  for (const auto& [name, value] : trace) environment.push_back(variable(name, value));
  return environment;
}

void require_attachment(const AttachmentKey& key, Command command) {
  if (key.container_id.empty()) {
    throw Error(Code::unknown_container, "missing containerID",
                "a runtime gives each container an id that is not empty");
  }
  if (!valid_name(key.container_id)) {
    throw Error(Code::invalid_environment,
                fmt::format("invalid characters in containerID {}", quote(key.container_id)),
                "a letter or digit, then letters, digits and _ . - are allowed");
  }
  require_network_name(key.network);
  const auto why =
      command == Command::del ? refuse_if_name(key.if_name) : refuse_new_if_name(key.if_name);
  if (!why) return;
  throw Error(Code::invalid_environment, fmt::format("{}: {}", *why, quote(key.if_name)),
              "1 to 15 bytes without / : % A0 and white space are allowed, and not . or ..");
}

}  // namespace unicni::protocol
