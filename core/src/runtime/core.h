// What is behind a Runtime.
#pragma once

#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "module/cache.h"
#include "protocol/cache_folder.h"
#include "runtime/list_call.h"
#include "runtime/reaper.h"
#include "runtime/spawner.h"
#include "runtime/verb_locks.h"
#include "runtime/verb_threads.h"
#include "unicni/runtime.h"

namespace unicni {

/// All methods may be called by any thread. Those that run plugins are called on a verb's thread.
class Runtime::Core {
 public:
  explicit Core(RuntimeOptions options);

  [[nodiscard]] const RuntimeOptions& options() const { return options_; }
  [[nodiscard]] const runtime::Shared& shared() const { return shared_; }
  [[nodiscard]] const protocol::CacheFolder& cache() const { return cache_; }
  /// `work` on a verb's thread, with the time that the verb has.
  template <class Work>
  void run(const VerbOptions& options, std::chrono::milliseconds usual, const Work& work) const {
    const Deadline deadline = deadline_in(options.time.value_or(usual));
    threads_.run([&] { work(deadline); });
  }
  /// A child that fork(2) made has none of the threads, and must leave them alone.
  [[nodiscard]] bool is_of_this_process() const { return owner_ == ::getpid(); }

  AttachResult add(runtime::ListCall call, const RuntimeConf& conf) const;
  /// Holds the network already if it is part of a GC.
  enum class PartOf : unsigned char { nothing, gc };
  void del(runtime::ListCall call, PartOf whole) const;
  void check(runtime::ListCall call, bool without_result) const;
  void gc(runtime::ListCall call, const std::vector<Attachment>& valid,
          std::chrono::milliseconds del_time) const;
  void run_plugins(const runtime::ListCall& call) const;

 private:
  sys::ProgramRunner* start_spawner();
  static Deadline deadline_in(std::chrono::milliseconds time);
  [[nodiscard]] std::optional<protocol::CacheEntry> read_own(const AttachmentKey& key) const;
  void del_locked(runtime::ListCall call) const;
  void require_locked(const runtime::VerbLocks::Held& held, Command command) const;
  void remove_entry(const AttachmentKey& key) const;
  [[nodiscard]] bool is_anothers(const AttachmentKey& key) const;
  void delete_stale(const runtime::ListCall& gc, const protocol::CacheEntry& entry,
                    std::chrono::milliseconds del_time) const;
  void run_plugins_of_gc(const runtime::ListCall& call, bool has_errors) const;
  void warn(const std::string& text) const;

  const RuntimeOptions options_;
  const protocol::CacheFolder cache_;
  mutable module::Cache modules_;
  mutable runtime::Reaper reaper_;
  std::optional<runtime::Spawner> spawner_;  // without an executable plugins are children
  mutable runtime::VerbLocks locks_;
  const runtime::Shared shared_;
  const pid_t owner_ = ::getpid();
  runtime::VerbThreads
      threads_;  // the last, as its end waits for verbs, which use all of the above
};

namespace runtime {

AttachResult attach_result(Result result, const std::string& cni_version);
CachedAttachment cached_attachment(protocol::CacheEntry entry);

}  // namespace runtime
}  // namespace unicni
