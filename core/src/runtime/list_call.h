// A verb of a list, ready for the plugins.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/services.h"
#include "chain/request.h"
#include "module/cache.h"
#include "module/registry.h"
#include "protocol/list_request.h"
#include "protocol/network_list.h"
#include "protocol/plugin_environment.h"
#include "unicni/attachment_key.h"

namespace unicni::runtime {

/// What all verbs of a Runtime share. Constant but for the modules, which serve all threads.
struct Shared {
  Services services;
  module::Locations where;
  std::string executable;  ///< what is executed for our modules, by the name unicni; "": nothing
  std::vector<std::string> environment;  ///< "K=V", what plugins inherit
  module::Cache& modules;
};

struct ListCall {
  const Shared& shared;
  const protocol::NetworkList& list;
  Command command = Command::add;
  Deadline deadline{};
  AttachmentKey key = {};  ///< without container and interface on GC and STATUS
  std::string netns = {};
  std::string args = {};  ///< CNI_ARGS
  protocol::RequestParts parts = {};
  protocol::Pairs trace = {};
  std::optional<Result> prev_result = {};  ///< CHECK and DEL: what the cache has

  /// "ADD of net/c1/eth0": for messages and locks.
  [[nodiscard]] std::string str() const;
  /// What a plugin's environment is.
  [[nodiscard]] std::vector<std::string> plugin_environment(Command verb) const;
};

/// Takes the result of ADD, in the list's version, while it can still be rolled back: throws if it
/// can't keep it.
using KeepResult = std::function<void(const Result&)>;

/// Verbs in this process: all members as one list of core's own chain, which finds for each whether
/// it is one of our modules or a program.
void add_in_process(const ListCall& call, const KeepResult& keep);
/// CHECK, DEL, GC, STATUS.
void run_in_process(const ListCall& call);

/// Verbs by processes, one for each member, as libcni does. It is the right unit: a program that
/// crashes is known by its type, other makers' plugins need no exception, and the journal takes
/// steps one by one anyway. With `roll_back_time` a failed ADD is followed by DEL of what runtime.h
/// says, for which there is this time: that of the ADD may be over, as a plugin that hangs takes
/// all of it.
void add_by_programs(const ListCall& call, std::optional<std::chrono::milliseconds> roll_back_time,
                     const KeepResult& keep);
void run_by_programs(const ListCall& call);

/// The list as the request of one process of our executable, which does for it what the chain does
/// in this process. It rolls back a failed ADD itself; DEL follows, for which there is
/// `roll_back_time`, only where it was killed under that and nothing stood before, or its result
/// can't be kept.
void add_as_list(const ListCall& call, std::chrono::milliseconds roll_back_time,
                 const KeepResult& keep);
/// CHECK, DEL, GC, STATUS.
void run_as_list(const ListCall& call);

/// Versions that a type's plugin supports.
std::vector<std::string> ask_versions(const Shared& shared, const std::string& type,
                                      Deadline deadline, const protocol::Pairs& trace);

}  // namespace unicni::runtime
