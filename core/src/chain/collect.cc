#include "chain/collect.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "chain/failures.h"
#include "chain/foreign.h"
#include "chain/recorder.h"
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

  void collect_journal(const std::vector<std::unique_ptr<Step>>& steps,
                       const ValidAttachments& valid);
  void collect_step(Step& step);
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

 private:
  void collect_entry(const journal::Key& key, const std::vector<std::unique_ptr<Step>>& steps);

  const Request& request_;
  VerbHost& host_;
  journal::Key key_;  ///< of the entry that is worked on
  std::optional<journal::Journal> journal_;
  std::vector<Error> errors_;
};

void Collection::collect_entry(const journal::Key& key,
                               const std::vector<std::unique_ptr<Step>>& steps) {
  key_ = key;
  take_again();
  if (journal_->entry() == nullptr) return;
  const journal::Entry entry = *journal_->entry();  // a program that is run may change it
  const Request request = request_for(request_, entry);
  host_.visit_container(entry.container_netns.empty() ? std::string() : entry.netns_path,
                        entry.container_netns);
  std::set<std::string> done;
  for (auto step = entry.steps.rbegin(); step != entry.steps.rend(); ++step) {
    const bool ours = std::any_of(steps.begin(), steps.end(), [&](const auto& candidate) {
      return candidate->type() == step->type;
    });
    if (!ours) continue;
    const auto why = step->result.empty() ? journal::Why::failed_add : journal::Why::removal;
    const auto failures = undo_records(step->undo, why, request, host_, nullptr);
    for (const Error& error : failures) errors_.push_back(error);
    if (failures.empty()) done.insert(step->type);
  }
  if (!journal_) return;  // locked by somebody else now
  for (const std::string& type : done) journal_->forget_steps(type);
}

void Collection::collect_journal(const std::vector<std::unique_ptr<Step>>& steps,
                                 const ValidAttachments& valid) {
  for (const journal::Key& key : journal::list_keys(journal::kFolder, request_.netconf.name())) {
    if (valid.contains({key.container_id, key.if_name})) continue;
    host_.set_lock_holder(this);
    try {
      collect_entry(key, steps);
    } catch (const Error& error) {
      errors_.push_back(error);
    }
    host_.set_lock_holder(nullptr);
    journal_.reset();
    host_.visit_container({}, {});
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

}  // namespace

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
  if (journaled) collection.collect_journal(steps, *valid);
  for (auto& step : steps) {
    watch(step->type());
    collection.collect_step(*step);
  }
  constexpr std::size_t kMostTold = 20;
  throw_first(collection.errors(), kMostTold);
}

}  // namespace unicni::chain
