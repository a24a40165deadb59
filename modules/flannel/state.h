// The files that remember which configuration a delegate was given: the reference's, so that either
// program can end what the other one began.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/call.h"
#include "unicni/host.h"

namespace unicni::flannel {

struct State {
  std::string path;
  std::string config;  ///< empty: it can't be read as a configuration
};

/// <data_dir>/<container>: the reference's name, which all interfaces of a container share.
std::string shared_path(const Call& call, const std::string& data_dir);
/// <data_dir>/<container>:<interface>. No container is called so, as ':' can't be in its id.
std::string own_path(const Call& call, const std::string& data_dir);

/// The file of this attachment. The shared one is its own unless it names another network, or the
/// journal says that it is another interface's. Throws Error if it is there and can't be read.
std::optional<State> find_state(const Call& call, Host& host, const std::string& data_dir);

/// ADD: writes `config` to disk under the shared name, or under the own one if that is taken.
/// Announced; what is announced stays after DEL, which removes the file itself when the delegate's
/// is done. Throws Error.
void save_state(const Call& call, Host& host, const std::string& data_dir,
                const std::string& config);

/// Files of this network whose attachment is in none of `valid`.
std::vector<State> list_leaked(const Call& call, const std::string& data_dir,
                               const ValidAttachments& valid);

}  // namespace unicni::flannel
