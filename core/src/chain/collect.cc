#include "chain/collect.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "chain/failures.h"
#include "chain/foreign.h"
#include "chain/liveness.h"
#include "chain/recorder.h"
#include "journal/replay_ports.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

/// The request of a delegate's DEL for another attachment than the environment's (GC has none).
Request request_for(const Request& request, const journal::Entry& entry) {
  Request copy{request.command,    request.environment, request.netconf.with_prev_result(nullptr),
               request.invoked_as, request.where,       {},
               request.deadline};
  for (const std::string& variable : request.process_environment) {
    const bool replaced = variable.starts_with("CNI_CONTAINERID=") ||
                          variable.starts_with("CNI_IFNAME=") || variable.starts_with("CNI_NETNS=");
    if (!replaced) copy.process_environment.push_back(variable);
  }
  copy.process_environment.push_back("CNI_CONTAINERID=" + entry.key.container_id);
  copy.process_environment.push_back("CNI_IFNAME=" + entry.key.if_name);
  copy.process_environment.push_back("CNI_NETNS=" + entry.netns_path);
  return copy;
}

class Collection : public LockHolder {
 public:
  Collection(const Request& request, VerbHost& host) : request_(request), host_(host) {}
  ~Collection() override { host_.set_lock_holder(nullptr); }
  void let_go() override { journal_.reset(); }
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
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

 private:
  using Wanted = std::function<bool(const journal::Step&)>;
  void collect(const journal::Key& key, bool only_gone, const Wanted& wanted);
  void collect_entry(bool only_gone, const Wanted& wanted);

  const Request& request_;
  VerbHost& host_;
  journal::Key key_;  ///< of the entry that is worked on
  std::optional<journal::Journal> journal_;
  std::vector<Error> errors_;
};

void Collection::collect_entry(bool only_gone, const Wanted& wanted) {
  take_again();
  if (journal_->entry() == nullptr) return;
  const journal::Entry entry = *journal_->entry();  // a program that is run may change it
  if (only_gone && !is_surely_gone(entry, host_.place(), host_.host_netns(), host_.host_links())) {
    return;
  }
  const Request request = request_for(request_, entry);
  for (auto step = entry.steps.rbegin(); step != entry.steps.rend(); ++step) {
    if (!wanted(*step)) continue;
    host_.visit_container(step->netns_path, step->container_netns);
    const auto why = step->result.empty() ? journal::Why::failed_add : journal::Why::removal;
    const Undone undone = undo_records(step->undo, why, request, host_, nullptr);
    for (const Error& error : undone.errors) errors_.push_back(error);
    // Without a journal it is locked by somebody else now.
    if (undone.clean() && journal_) journal_->forget_step(step->id, step->type, undone.kept);
  }
}

void Collection::collect(const journal::Key& key, bool only_gone, const Wanted& wanted) {
  key_ = key;
  host_.set_lock_holder(this);
  try {
    collect_entry(only_gone, wanted);
  } catch (const Error& error) {
    errors_.push_back(error);
  }
  host_.set_lock_holder(nullptr);
  journal_.reset();
  host_.visit_container({}, {});
}

void Collection::collect_invalid(const std::vector<std::unique_ptr<Step>>& steps,
                                 const ValidAttachments& valid) {
  const bool whole = std::any_of(steps.begin(), steps.end(), [](const auto& step) {
    return step->ordinal.has_value() || step->is_link();
  });
  const auto wanted = [&](const journal::Step& step) {
    return whole || std::any_of(steps.begin(), steps.end(), [&](const auto& candidate) {
             return candidate->type() == step.type;
           });
  };
  for (const journal::Key& key : journal::list_keys(journal::kFolder, request_.netconf.name())) {
    if (!valid.contains({key.container_id, key.if_name})) collect(key, false, wanted);
  }
}

void Collection::collect_gone(std::size_t most) {
  const journal::Place place = host_.place();
  std::vector<journal::Key> gone;
  journal::peek_some(journal::kFolder, most, [&](const journal::Entry& entry) {
    if (is_surely_gone(entry, place, host_.host_netns(), host_.host_links())) {
      gone.push_back(entry.key);
    }
    return true;
  });
  for (const journal::Key& key : gone) {
    collect(key, true, [](const journal::Step&) { return true; });
  }
}

void Collection::collect_step(Step& step) {
  try {
    if (!step.module) {
      run_foreign(request_, step.found.program, Command::gc, step.netconf.text_for(Command::gc));
      return;
    }
    step.enter(host_);
    step.module->gc(step.call, host_);
  } catch (Error& error) {
    errors_.push_back(error.in_step(step.type()));
  }
}

constexpr auto kAll = static_cast<std::size_t>(-1);

}  // namespace

void collect_some_gone(const Request& request, VerbHost& host) noexcept {
  constexpr std::size_t kMost = 64;
  try {
    Collection collection(request, host);
    collection.collect_gone(kMost);
    for (const Error& error : collection.errors()) host.log(LogLevel::warning, error.msg());
  } catch (const std::exception& error) {
    host.log(LogLevel::warning, std::string("look for lost attachments: ") + error.what());
  }
}

void collect(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
             const Watch& watch) {
  const auto valid = request.netconf.valid_attachments();
  if (!valid) {
    throw Error(Code::invalid_config, "GC without cni.dev/valid-attachments",
                "the runtime must list the attachments to keep; an empty list removes all");
  }
  Collection collection(request, host);
  const bool journaled =
      std::any_of(steps.begin(), steps.end(), [](const auto& step) { return step->journaled(); });
  if (journaled) collection.collect_invalid(steps, *valid);
  collection.collect_gone(kAll);
  for (auto& step : steps) {
    watch(step->type());
    collection.collect_step(*step);
  }
  try {
    journal::restore_idle_localnets(host);
  } catch (const Error& error) {
    host.log(LogLevel::warning, error.msg());
  }
  constexpr std::size_t kMostTold = 20;
  throw_first(collection.errors(), kMostTold);
}

}  // namespace unicni::chain
