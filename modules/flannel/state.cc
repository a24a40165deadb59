#include "state.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "unicni/error.h"
#include "unicni/json_object.h"
#include "unicni/sys/file.h"
#include "unicni/undo/file.h"

namespace unicni::flannel {

namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

std::optional<std::string> read_state(const std::string& path) {
  return sys::read_file(path, sys::kFileLimit, sys::Links::refuse);
}

/// The text, if it is a plugin's configuration.
std::optional<JsonObject> as_config(const std::string& text) {
  auto config = JsonObject::parse(text);
  if (!config || config->find_string("type").value_or("").empty()) return std::nullopt;
  return config;
}

bool is_valid(const std::string& name, const ValidAttachments& valid) {
  const std::size_t colon = name.find(':');
  if (colon == std::string::npos) return valid.contains_container(name);
  return valid.contains({name.substr(0, colon), name.substr(colon + 1)});
}

}  // namespace

std::string shared_path(const Call& call, const std::string& data_dir) {
  return fmt::format("{}/{}", data_dir, call.key.container_id);
}

std::string own_path(const Call& call, const std::string& data_dir) {
  return fmt::format("{}/{}:{}", data_dir, call.key.container_id, call.key.if_name);
}

std::optional<State> find_state(const Call& call, Host& host, const std::string& data_dir) {
  const std::string own = own_path(call, data_dir);
  if (const auto text = read_state(own)) {
    return State{own, as_config(*text) ? *text : std::string()};
  }
  const std::string shared = shared_path(call, data_dir);
  const auto text = read_state(shared);
  if (!text || is_file_of_sibling(host.attachments(), call.key, shared)) return std::nullopt;
  const auto config = as_config(*text);
  if (config && config->find_string("name") != call.key.network) return std::nullopt;
  return State{shared, config ? *text : std::string()};
}

void save_state(const Call& call, Host& host, const std::string& data_dir,
                const std::string& config) {
  sys::ensure_folder(data_dir, kFolderMode);
  // Not by a temporary file, which would stay after a kill: what is empty or torn is ours to undo.
  const auto create = [&](const std::string& path) {
    Undo record = undo_file(path, config);
    record.on_failure_only = true;
    host.undo().announce(record);
    return sys::create_file(path, config, kFileMode, true);
  };
  const std::string own = own_path(call, data_dir);
  const std::string shared = shared_path(call, data_dir);
  if (!exists(own) && !exists(shared) && create(shared)) return;
  sys::remove_file(own);
  if (create(own)) return;
  throw Error(Code::internal, fmt::format("{} was made by somebody else meanwhile", own),
              "two ADDs of one interface at once: the runtime must DEL before it ADDs again");
}

std::vector<State> list_leaked(const Call& call, const std::string& data_dir,
                               const ValidAttachments& valid) {
  std::vector<State> leaked;
  for (const std::string& name : sys::list_folder(data_dir)) {
    if (is_valid(name, valid)) continue;
    State state{fmt::format("{}/{}", data_dir, name), {}};
    const auto text = read_state(state.path);
    const auto config = text ? as_config(*text) : std::nullopt;
    if (!config || config->find_string("name") != call.key.network) continue;
    state.config = *text;
    leaked.push_back(std::move(state));
  }
  return leaked;
}

}  // namespace unicni::flannel
