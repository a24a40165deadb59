#include "chain/collect.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "attachments/liveness.h"
#include "chain/foreign.h"
#include "chain/member.h"
#include "chain/recorder.h"
#include "journal/folder.h"
#include "undo/host_ends.h"
#include "unicni/error.h"
#include "unicni/errors.h"
#include "unicni/undo/localnet.h"

namespace unicni::chain {

namespace {

/// The request of a delegate's DEL for another attachment than the environment's (GC has none).
Request request_for(const Request& request, const journal::Entry& entry) {
  Request copy = request.with(request.netconf.with_prev_result(nullptr), request.deadline);
  copy.environment.container_id = entry.key.container_id;
  copy.environment.if_name = entry.key.if_name;
  std::erase_if(copy.process_environment, [](const std::string& variable) {
    return variable.starts_with("CNI_CONTAINERID=") || variable.starts_with("CNI_IFNAME=") ||
           variable.starts_with("CNI_NETNS=");
  });
  copy.process_environment.push_back("CNI_CONTAINERID=" + entry.key.container_id);
  copy.process_environment.push_back("CNI_IFNAME=" + entry.key.if_name);
  copy.process_environment.push_back("CNI_NETNS=" + entry.netns_path);
  return copy;
}

class GcVerb : public JournalLock {
 public:
  GcVerb(const Request& request, VerbHost& host) : request_(request), host_(host) {}
  ~GcVerb() override { host_.set_journal_lock(nullptr); }
  void let_go() override { journal_.reset(); }
  // A GC works on one entry after the other, each under its own lock.
  void take_again() override {
    journal_.emplace(open_journal(request_, host_, key_, journal::Access::removal));
  }

  /// Attachments of this network that aren't valid. A list, and the plugin that made the interface,
  /// take them as a whole, whatever plugins have left the list since; another one takes its own.
  void collect_invalid(const std::vector<std::unique_ptr<Step>>& steps,
                       const ValidAttachments& valid);
  /// Attachments of all networks whose namespace is surely gone; looks at `most` entries.
  void collect_gone(std::size_t most);
  void collect_step(Step& step);
  [[nodiscard]] const Errors& errors() const { return errors_; }

 private:
  using Wanted = std::function<bool(const journal::RecordedStep&)>;
  void collect(const AttachmentKey& key, bool only_gone, const Wanted& wanted);
  void collect_entry(bool only_gone, const Wanted& wanted, Errors& errors);
  [[nodiscard]] bool is_surely_gone(const journal::Entry& entry);
  bool open_unless_busy();

  const Request& request_;
  VerbHost& host_;
  AttachmentKey key_;  ///< of the entry that is worked on
  std::optional<journal::Journal> journal_;
  std::set<std::string> tried_;  ///< owners
  /// What waits for entries at which other verbs are may take in all.
  std::chrono::steady_clock::duration patience_ = std::chrono::milliseconds(1500);
  Errors errors_;
};

/// Whether an attachment of any network may be taken down unasked: its namespace is gone, and no
/// host end of its own is left, which the kernel would have deleted with it.
bool GcVerb::is_surely_gone(const journal::Entry& entry) {
  if (!attachments::are_namespaces_gone(entry, host_.place(), host_.host_netns())) return false;
  return std::none_of(entry.steps.begin(), entry.steps.end(),
                      [&](const journal::RecordedStep& step) {
                        return undo::has_host_end(step.undo, host_.host_links());
                      });
}

/// What another verb works on isn't left behind by anybody: an ADD may wait for long, such as for
/// an address, and tells of its attachment when it is done.
bool GcVerb::open_unless_busy() {
  const auto begun = std::chrono::steady_clock::now();
  try {
    journal_.emplace(
        open_journal(request_, host_, key_, journal::Access::removal, begun + patience_));
    return true;
  } catch (const Error& error) {
    if (!error.is(Code::try_again)) throw;
    patience_ -= std::min(patience_, std::chrono::steady_clock::now() - begun);
    host_.log(LogLevel::warning,
              fmt::format("{} is left to the next GC: {}", key_.owner(), error.msg()));
    return false;
  }
}

void GcVerb::collect_entry(bool only_gone, const Wanted& wanted, Errors& errors) {
  if (!open_unless_busy()) return;
  if (journal_->entry() == nullptr) return;
  const journal::Entry entry = *journal_->entry();  // a program that is run may change it
  if (only_gone && !is_surely_gone(entry)) return;
  const Request request = request_for(request_, entry);
  for (auto step = entry.steps.rbegin(); step != entry.steps.rend(); ++step) {
    if (!wanted(*step)) continue;
    const Undone undone = undo_step(entry, *step, {.elsewhere = true}, request, host_, nullptr);
    for (const Error& error : undone.errors.all()) errors.add(error);
    // Without a journal it is locked by somebody else now.
    if (undone.clean() && journal_) journal_->forget_step(step->id, step->type, undone.kept);
  }
}

/// One attachment that can't be undone keeps none of the others from it, and is tried once. It
/// makes no GC fail but that of its own network.
void GcVerb::collect(const AttachmentKey& key, bool only_gone, const Wanted& wanted) {
  if (!tried_.insert(key.owner()).second) return;
  key_ = key;
  host_.set_journal_lock(this);
  Errors errors;
  errors.attempt([&] { collect_entry(only_gone, wanted, errors); });
  const bool is_own = key.network == request_.netconf.name();
  for (const Error& error : errors.all()) {
    if (is_own) errors_.add(error);
    if (!is_own) host_.log(LogLevel::warning, key.owner() + ": " + error.msg());
  }
  host_.set_journal_lock(nullptr);
  journal_.reset();
}

void GcVerb::collect_invalid(const std::vector<std::unique_ptr<Step>>& steps,
                             const ValidAttachments& valid) {
  // Of a chain that isn't known there is the journal.
  const bool whole = steps.empty() || std::any_of(steps.begin(), steps.end(), [](const auto& step) {
                       return step->ordinal.has_value() || step->is_link();
                     });
  const auto wanted = [&](const journal::RecordedStep& step) {
    return whole || std::any_of(steps.begin(), steps.end(), [&](const auto& candidate) {
             return is_of_type(step, candidate->type(), request_.where);
           });
  };
  for (const AttachmentKey& key : journal::list_keys(host_.journals(), request_.netconf.name())) {
    if (!valid.contains({key.container_id, key.if_name})) collect(key, false, wanted);
  }
}

/// Listed first and worked on afterwards: each is looked at once more under its lock, since an ADD
/// may be using the entry by then.
void GcVerb::collect_gone(std::size_t most) {
  std::vector<AttachmentKey> gone;
  journal::peek_some(host_.journals(), most, [&](const journal::Entry& entry) {
    if (is_surely_gone(entry)) gone.push_back(entry.key);
    return true;
  });
  for (const AttachmentKey& key : gone) {
    collect(key, true, [](const journal::RecordedStep&) { return true; });
  }
}

void GcVerb::collect_step(Step& step) {
  errors_.attempt_step(step.type(), [&] {
    if (!step.module) {
      run_foreign(request_, step.found.program, Command::gc, step.netconf.text_for(Command::gc),
                  step.call.step);
      return;
    }
    host_.require_home();
    step.enter(host_);
    step.module->gc(step.call, host_);
  });
}

constexpr auto kAll = static_cast<std::size_t>(-1);

}  // namespace

void collect_some_gone(const Request& request, VerbHost& host) noexcept {
  constexpr std::size_t kMost = 64;
  try {
    GcVerb collection(request, host);
    collection.collect_gone(kMost);
    for (const Error& error : collection.errors().all()) host.log(LogLevel::warning, error.msg());
  } catch (const std::exception& error) {
    host.log(LogLevel::warning, std::string("look for lost attachments: ") + error.what());
  }
}

void collect(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
             Caller& caller) {
  const auto valid = request.netconf.valid_attachments();
  if (!valid) {
    throw Error(Code::invalid_config, "GC without cni.dev/valid-attachments",
                "the runtime must list the attachments to keep; an empty list removes all");
  }
  GcVerb collection(request, host);
  const bool journaled =
      steps.empty() ||
      std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step->journaled(); });
  if (journaled) collection.collect_invalid(steps, *valid);
  collection.collect_gone(kAll);
  for (auto& step : steps) {
    caller.on_member(step->type());
    collection.collect_step(*step);
  }
  try {
    // A route_localnet that no attachment needs any more, left by a verb that was killed.
    restore_idle_localnets(host);
  } catch (const Error& error) {
    host.log(LogLevel::warning, error.msg());
  }
  // An error of a thousand lines helps nobody. The rest is counted.
  constexpr std::size_t kMostTold = 20;
  collection.errors().finish(kMostTold);
}

}  // namespace unicni::chain
