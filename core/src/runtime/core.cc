// The verbs of a runtime around its plugins: locks, cache, and which plugins are called at all.
#include "runtime/core.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

#include "chain/chain.h"
#include "protocol/result_print.h"
#include "protocol/version.h"
#include "runtime/own_library.h"
#include "runtime/stale.h"
#include "runtime/way.h"
#include "unicni/errors.h"

namespace unicni {
namespace {

using protocol::CacheEntry;
using runtime::ListCall;

protocol::SpecVersion version_of(const protocol::NetworkList& list) {
  return protocol::find_version(list.cni_version).value_or(protocol::kNewest);
}

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    variables.emplace_back(*entry);
  }
  return variables;
}

/// Modules are looked for beside the file itself, and links to it may be anywhere.
std::string resolved(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? real.get() : path;
}

bool is_executable(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
         (file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

/// The executable of unicni in CNI_PATH, else the one that was installed with the library; "":
/// there is none.
std::string find_executable(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::string path = folder + '/' + chain::kChainType;
    if (is_executable(path)) return path;
  }
  const std::string own = resolved(runtime::executable_beside_library());
  return is_executable(own) ? own : "";
}

RuntimeOptions completed(RuntimeOptions options) {
  if (!options.environment) options.environment = own_environment();
  if (options.executable.empty()) options.executable = find_executable(options.plugin_folders);
  if (options.module_folders.empty() && !options.executable.empty()) {
    options.module_folders = module::module_folders(resolved(options.executable), {});
  }
  return options;
}

Error not_attached(const AttachmentKey& key, const std::string& why) {
  return {Code::unknown_container, fmt::format("{} is not attached", key.owner()), why};
}

/// It may well be attached: only what its ADD answered can't be read.
Error unreadable_entry(const AttachmentKey& key, const std::string& cache, const Error& problem) {
  return {Code::unknown_container,
          fmt::format("the result of the ADD of {} can't be read in {}/results: {}", key.owner(),
                      cache, problem.msg()),
          "run DEL and then ADD for the attachment"};
}

}  // namespace

namespace runtime {

AttachResult attach_result(Result result, const std::string& cni_version) {
  const auto version = protocol::find_version(cni_version).value_or(protocol::kNewest);
  AttachResult answer{cni_version, protocol::print_result(result, version), {}};
  answer.result = std::move(result);
  return answer;
}

CachedAttachment cached_attachment(CacheEntry entry) {
  return {std::move(entry.key),  std::move(entry.netns),           std::move(entry.config),
          std::move(entry.args), std::move(entry.capability_args), std::move(entry.result)};
}

}  // namespace runtime

Runtime::Core::Core(RuntimeOptions options)
    : options_(completed(std::move(options))),
      cache_(options_.folders.cni_state),
      locks_(options_.folders.run + "/locks"),
      shared_{{.folders = options_.folders,
               .log = options_.log,
               .observer = options_.observer,
               .background = &reaper_,
               .programs = start_spawner()},
              {resolved(options_.executable), options_.module_folders, options_.plugin_folders},
              options_.executable,
              *options_.environment,
              modules_} {
  runtime::show_own_symbols();
}

/// Called by the constructor.
sys::ProgramRunner* Runtime::Core::start_spawner() {
  if (options_.executable.empty()) return nullptr;
  return &spawner_.emplace(options_.executable, options_.log);
}

/// Throws Error if there is none. What a program means by the longest time that it can say is "as
/// long as it takes".
Deadline Runtime::Core::deadline_in(std::chrono::milliseconds time) {
  constexpr std::chrono::hours kLongest{24 * 365};
  if (time <= time.zero()) {
    throw Error(Code::try_again, "no time is left for the verb",
                fmt::format("it was given {} ms", time.count()));
  }
  return std::chrono::steady_clock::now() + std::min<std::chrono::milliseconds>(time, kLongest);
}

void Runtime::Core::warn(const std::string& text) const {
  if (options_.log != nullptr) options_.log->log(LogLevel::warning, {}, text);
}

void Runtime::Core::run_plugins(const ListCall& call) const {
  const auto way = runtime::find_way(call, options_.isolation);
  if (way == runtime::Way::in_process) {
    run_in_process(call);
  } else if (way == runtime::Way::as_list) {
    run_as_list(call);
  } else {
    run_by_programs(call);
  }
}

/// Three names with dashes may make another three's file name.
bool Runtime::Core::is_anothers(const AttachmentKey& key) const {
  const std::string name = protocol::cache_file_name(key);
  const auto files = cache_.list();
  return std::any_of(files.begin(), files.end(), [&](const protocol::CacheFile& file) {
    return file.name == name && file.content.entry && !is_entry_of(*file.content.entry, key);
  });
}

/// The attachment's entry; nullopt also if it is broken. Nobody can use a broken one, so it is
/// removed (DEL-11).
std::optional<CacheEntry> Runtime::Core::read_own(const AttachmentKey& key) const {
  auto content = cache_.read(key);
  if (!content) return std::nullopt;
  if (content->entry) return std::move(content->entry);
  warn(fmt::format("the cached result is not used: {}", content->problem->msg()));
  remove_entry(key);
  return std::nullopt;
}

/// An entry that stays costs a later GC a DEL, and is no reason to fail (DEL-13).
void Runtime::Core::remove_entry(const AttachmentKey& key) const {
  try {
    const auto content = cache_.read(key);
    if (!content || (content->problem && is_anothers(key))) return;
    cache_.remove(key);
  } catch (const Error& error) {
    warn(fmt::format("remove the cached result: {}", error.msg()));
  }
}

/// DEL and GC go on where the folder of locks can't be written: what is left must go (DEL-01).
void Runtime::Core::require_locked(const runtime::VerbLocks::Held& held, Command command) const {
  if (!held.problem()) return;
  if (command != Command::del && command != Command::gc) throw Error(*held.problem());
  warn(fmt::format("other processes are not kept out meanwhile: {}", held.problem()->msg()));
}

AttachResult Runtime::Core::add(ListCall call, const RuntimeConf& conf) const {
  extent_of(call.list, Command::add);
  protocol::require_attachment(call.key, Command::add);
  const auto network =
      locks_.network(call.list.name, sys::LockMode::shared, call.str(), call.deadline);
  require_locked(network, call.command);
  const auto container = locks_.container(call.key.container_id, call.str(), call.deadline);
  require_locked(container, call.command);
  const auto before = cache_.read(call.key);
  const bool lives = before && before->entry && before->entry->netns == conf.netns;
  AttachResult answer;
  const runtime::KeepResult keep = [&](const Result& result) {
    answer = runtime::attach_result(result, call.list.cni_version);
    cache_.write({call.key,
                  call.list.text,
                  conf.netns,
                  conf.args,
                  conf.capability_args,
                  print_compact_result(result, version_of(call.list)),
                  {}});
  };
  const auto way = runtime::find_way(call, options_.isolation);
  if (way == runtime::Way::in_process) {
    add_in_process(call, keep);
  } else if (way == runtime::Way::as_list) {
    add_as_list(call, options_.del_time, keep);
  } else {
    add_by_programs(call, lives ? std::nullopt : std::optional(options_.del_time), keep);
  }
  return answer;
}

void Runtime::Core::del(ListCall call, PartOf whole) const {
  extent_of(call.list, Command::del);
  protocol::require_attachment(call.key, Command::del);
  if (whole == PartOf::gc) {
    del_locked(std::move(call));
    return;
  }
  const auto network =
      locks_.network(call.list.name, sys::LockMode::shared, call.str(), call.deadline);
  require_locked(network, call.command);
  del_locked(std::move(call));
}

/// With the network's lock.
void Runtime::Core::del_locked(ListCall call) const {
  const auto container = locks_.container(call.key.container_id, call.str(), call.deadline);
  require_locked(container, call.command);
  if (prev_result_of(call.list, Command::del, 0) == protocol::PrevResult::of_attachment) {
    if (const auto entry = read_own(call.key)) {
      auto cached = cached_result(*entry, version_of(call.list));
      if (cached.problem) {
        warn(fmt::format("the cached result is not used: {}", cached.problem->msg()));
        remove_entry(call.key);
      }
      call.prev_result = std::move(cached.result);
    }
  }
  run_plugins(call);
  remove_entry(call.key);
}

void Runtime::Core::check(ListCall call, bool without_result) const {
  if (extent_of(call.list, Command::check) == protocol::Extent::nothing) return;
  protocol::require_attachment(call.key, Command::check);
  const auto network =
      locks_.network(call.list.name, sys::LockMode::shared, call.str(), call.deadline);
  require_locked(network, call.command);
  const auto container = locks_.container(call.key.container_id, call.str(), call.deadline);
  require_locked(container, call.command);
  const auto content = cache_.read(call.key);
  if (content) {
    if (!content->entry)
      throw unreadable_entry(call.key, options_.folders.cni_state, *content->problem);
    auto cached = cached_result(*content->entry, version_of(call.list));
    if (cached.problem) throw not_attached(call.key, cached.problem->msg());
    call.prev_result = std::move(cached.result);
  } else if (!without_result) {
    throw not_attached(call.key, "the cache has no result of an ADD");
  }
  run_plugins(call);
}

/// By the arguments of its ADD; the list is today's, as the one in the cache lacks drop-ins.
void Runtime::Core::delete_stale(const ListCall& gc, const CacheEntry& entry,
                                 std::chrono::milliseconds del_time) const {
  ListCall call{shared_, gc.list, Command::del, deadline_in(del_time)};
  call.key = entry.key;
  call.netns = entry.netns;
  call.args = protocol::format_args(entry.args);
  call.parts.capability_args = entry.capability_args;
  call.trace = gc.trace;
  try {
    del(std::move(call), PartOf::gc);
  } catch (Error& error) {
    throw error.in_step(
        fmt::format("delete stale attachment {} {}", entry.key.container_id, entry.key.if_name));
  }
}

/// Of an error that isn't the first its message alone is told, which here stands for several.
void Runtime::Core::run_plugins_of_gc(const ListCall& call, bool has_errors) const {
  try {
    run_plugins(call);
  } catch (const Error& error) {
    if (!has_errors || error.details().empty()) throw;
    throw Error(error.code(), fmt::format("{}; {}", error.msg(), error.details()));
  }
}

void Runtime::Core::gc(ListCall call, const std::vector<Attachment>& valid,
                       std::chrono::milliseconds del_time) const {
  const protocol::Extent extent = extent_of(call.list, Command::gc);
  if (extent == protocol::Extent::nothing) return;
  protocol::require_network_name(call.list);
  const std::string& name = call.list.name;
  const auto network = locks_.network(name, sys::LockMode::exclusive, call.str(), call.deadline);
  require_locked(network, call.command);
  const ValidAttachments set(valid);
  Errors errors;
  const runtime::StaleCache stale = runtime::find_stale(cache_, name, set);
  for (const protocol::CacheEntry& entry : stale.attachments) {
    errors.attempt([&] { delete_stale(call, entry, del_time); });
  }
  for (const protocol::CacheFile& file : stale.broken) {
    warn(fmt::format("a broken cache entry is removed: {}", file.content.problem->msg()));
    errors.attempt([&] { cache_.remove_file(file.name); });
  }
  if (extent == protocol::Extent::whole) {
    call.parts.valid_attachments = set;
    errors.attempt([&] { run_plugins_of_gc(call, !errors.empty()); });
  }
  constexpr std::size_t kMostTold = 20;
  errors.finish(kMostTold);
}

}  // namespace unicni
