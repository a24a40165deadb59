// ADD: steps in the order of the list, each with its section of the journal, and backward again if
// one of them fails.
#include "chain/attach.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error_details.h"
#include "chain/foreign.h"
#include "chain/foreign_del.h"
#include "chain/member.h"
#include "chain/recorder.h"
#include "protocol/result_print.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/undo/delegate.h"

namespace unicni::chain {

namespace {

/// Whether the interface that a finished step made still stands in its namespace.
bool stands(const journal::RecordedStep& step, const std::string& if_name, VerbHost& host) {
  if (step.container_netns.empty()) return false;
  if (step.container_netns == host.container_identity()) {
    return net::find_link(host.container_links(), if_name).has_value();
  }
  try {
    const auto netns = net::Netns::open(step.netns_path);
    if (!netns) return false;
    net::Netlink links(*netns);
    return links.identity() == step.container_netns && net::find_link(links, if_name).has_value();
  } catch (const Error&) {
    return false;  // the path is something else today
  }
}

/// Of a step in its list: `last_recorded` is followed by such as keep no journal.
enum class Place : unsigned char { middle, last_recorded, last };

Place place_of(const std::vector<std::unique_ptr<Step>>& steps, std::size_t index) {
  if (index + 1 == steps.size()) return Place::last;
  const auto is_recorded = [](const auto& step) { return !step->module || step->journaled(); };
  const auto behind = steps.begin() + static_cast<std::ptrdiff_t>(index) + 1;
  return std::any_of(behind, steps.end(), is_recorded) ? Place::middle : Place::last_recorded;
}

class AddVerb : public JournalLock {
 public:
  AddVerb(const Request& request, VerbHost& host) : request_(&request), host_(host) {
    host_.set_journal_lock(this);
  }
  ~AddVerb() override { host_.set_journal_lock(nullptr); }
  void let_go() override { journal_.reset(); }
  void take_again() override;
  void record_delegate(const std::string& config) override {
    if (journal_ && adding_ != nullptr) journal_->record_delegate(config);
  }

  /// The last one's result will be the answer.
  Result add(Step& step, const std::optional<Result>& prev_result, Place place);
  /// What goes to stdout if `result`, the last step's, is the answer.
  [[nodiscard]] std::string answer(const Result& result) const {
    return printed_ ? *printed_ : print(result);
  }
  /// Undoes a step that had succeeded, because a later one failed. Never throws: what can't be
  /// undone now stays in the journal, and in not_undone().
  void roll_back(Step& step) noexcept;
  /// "roll-back: …", for the details of the error that made roll-backs necessary; "": all went
  /// well.
  [[nodiscard]] const std::string& not_undone() const { return not_undone_; }

 private:
  [[nodiscard]] std::string print(const Result& result) const {
    const auto version = protocol::find_version(request_->netconf.cni_version());
    return protocol::print_result(result, version.value_or(protocol::kNewest));
  }
  /// What the journal has as the result of a step.
  std::string ending(const Result& result, Place place) {
    if (place == Place::middle) return kEnded;
    std::string text = print(result);
    if (place == Place::last) printed_ = text;
    return text;
  }
  Result add_foreign_step(Step& step, const std::optional<Result>& prev_result, Place place);
  Result run_module(Step& step);
  Result add_module(Step& step);
  Result add_recorded(Step& step, Place place);
  void tell_not_undone(const std::string& text);
  void roll_back_foreign(Step& step);
  void give_time();
  void roll_back_module(Step& step);
  void undo(const std::vector<Undo>& records, Step& step, Error& error);
  journal::Journal& open(journal::Access access);
  /// Of the container's namespace; only a step that never opens it goes on where that can't be
  /// known.
  std::string identity_for(const Step& step) {
    return step.enters_container() ? host_.container_identity() : host_.find_container_identity();
  }
  void settle(const Step& step);
  void undo_earlier(const journal::Entry& entry, const journal::RecordedStep& previous,
                    const std::string& identity, const Step& step);
  [[nodiscard]] bool is_earlier(const journal::RecordedStep& previous, const std::string& identity,
                                const Step& step) const;
  bool has_interface(const Step& step);
  void begin(Step& step);
  void forget(const Step& step, const std::vector<Undo>& kept = {});

  const Request* request_;
  std::optional<Request> undoing_;  ///< the same, with the time of a roll-back
  VerbHost& host_;
  // One lock from the first change until the result is out: nobody's DEL comes between two steps,
  // and a roll-back undoes this ADD and no later one. Not while a foreign plugin runs, which may
  // call us for the same attachment.
  std::optional<journal::Journal> journal_;
  Step* adding_ = nullptr;  ///< whose ADD is at work and writes to the journal
  /// A program whose interface stood before its ADD, until that succeeds.
  const Step* refused_ = nullptr;
  const Step* failed_ = nullptr;        ///< a program whose ADD has failed
  std::set<std::size_t> kept_;          ///< ids of earlier lives that can't be undone now
  std::vector<std::size_t> begun_;      ///< ids of all that this verb wrote
  std::optional<std::string> printed_;  ///< the last step's result, if it was a journaled one
  std::string not_undone_;
  /// What steps without a journal announced: an IPAM module that is called directly.
  std::map<const Step*, std::vector<Undo>> unjournaled_;
};

journal::Journal& AddVerb::open(journal::Access access) {
  if (!journal_) journal_.emplace(open_journal(*request_, host_, request_->key(), access));
  return *journal_;
}

void AddVerb::begin(Step& step) {
  const protocol::Environment& environment = request_->environment;
  step.begun.push_back(journal_->begin_step(step.type(), step.netconf.text(), identity_for(step),
                                            environment.netns, step.ordinal, environment.args,
                                            step.origin));
  begun_.push_back(step.begun.back());
}

void AddVerb::forget(const Step& step, const std::vector<Undo>& kept) {
  for (const std::size_t id : step.begun) journal_->forget_step(id, step.type(), kept);
}

/// After a foreign program has run. What it did to this attachment through us is in the journal
/// now.
void AddVerb::take_again() {
  open(journal::Access::add);
  if (adding_ == nullptr) return;
  // Meanwhile others may have written steps behind ours, or undone them.
  const bool resumed = journal_->resume_step(adding_->begun.back(), adding_->type());
  if (!resumed) begin(*adding_);
}

/// Whether a step of the journal is of an earlier life of this attachment: of another namespace, or
/// of this one and about to be made anew, which begins with its interface (unless it is a delegate
/// of a program in a list of ours, whose steps are there as well). An equal member that comes twice
/// is one: what the first found is restored, so that the second finds it again.
bool AddVerb::is_earlier(const journal::RecordedStep& previous, const std::string& identity,
                         const Step& step) const {
  if (std::find(begun_.begin(), begun_.end(), previous.id) != begun_.end()) return false;
  const bool both_known = !identity.empty() && !previous.container_netns.empty();
  const bool same = both_known ? previous.container_netns == identity
                               : previous.netns_path == request_->environment.netns;
  return !same || (step.is_link() && !is_nested(request_->process_environment)) ||
         is_step_of(previous, step.type(), step.ordinal, step.asked());
}

/// In the namespace that it belongs to, if that is still there; never in the new one.
void AddVerb::undo_earlier(const journal::Entry& entry, const journal::RecordedStep& previous,
                           const std::string& identity, const Step& step) {
  const Where where{.elsewhere = previous.container_netns != identity};
  const Undone undone = undo_step(entry, previous, where, *request_, host_, &step);
  for (const Error& error : undone.errors.all()) {
    host_.log(LogLevel::warning, "left by an earlier ADD: " + error.msg());
  }
  if (undone.clean()) {
    open(journal::Access::add).forget_step(previous.id, previous.type, undone.kept);
  } else {
    kept_.insert(previous.id);
  }
}

/// What earlier lives of this attachment left, whatever plugin made it: a crashed or lost one is
/// undone, a live one refuses this ADD. What can't be undone stays in the journal for DEL and GC.
void AddVerb::settle(const Step& step) {
  if (journal_->entry() == nullptr) return;
  const journal::Entry entry = *journal_->entry();  // a program that is run may change it
  const std::string identity = identity_for(step);
  // A program at the head of a list is the one that makes the interface.
  const bool begins = step.is_link() || (step.ordinal == 0 && !step.module);
  const bool answered = std::any_of(entry.steps.begin(), entry.steps.end(), is_answer);
  for (const journal::RecordedStep& previous : entry.steps) {
    const bool is_interface = previous.type == step.type() || makes_interface(previous);
    if (!answered || !begins || !is_interface || previous.result.empty() ||
        !is_earlier(previous, identity, step) || !stands(previous, entry.key.if_name, host_)) {
      continue;
    }
    throw Error(
        Code::internal,
        fmt::format("{} is attached already, in {}", step.call.key.owner(), entry.netns_path),
        "a runtime must DEL an attachment before it ADDs it again");
  }
  // Only now that no living one is left: a refused ADD must not have undone anything of the
  // attachment that it refuses.
  for (auto previous = entry.steps.rbegin(); previous != entry.steps.rend(); ++previous) {
    if (kept_.contains(previous->id)) continue;
    if (is_earlier(*previous, identity, step)) undo_earlier(entry, *previous, identity, step);
  }
}

void AddVerb::undo(const std::vector<Undo>& records, Step& step, Error& error) {
  const Undone undone = undo_records(records, undo::Why::failed_add, *request_, host_, &step);
  if (undone.clean()) {
    if (!step.begun.empty()) forget(step, undone.kept);
    return;
  }
  for (const Error& failure : undone.errors.all()) {
    add_details(error, "roll-back: " + failure.msg());
  }
  add_details(error, "DEL or GC will try again");
}

/// Work whose failure a module takes lightly may have been what ended in another namespace.
Result AddVerb::run_module(Step& step) {
  Result result = step.module->add(step.call, host_);
  host_.require_home();
  return result;
}

/// An ADD that leaves nothing to the journal: its records are only for its own roll-back, which may
/// come after it: when its answer can't be written.
Result AddVerb::add_module(Step& step) {
  Memory log;
  step.enter(host_, &log);
  try {
    Result result = run_module(step);
    unjournaled_[&step] = log.records();
    return result;
  } catch (Error& error) {
    undo(log.records(), step, error);
    throw;
  }
}

/// begin() writes configuration and namespace before the module acts, so whoever finds the entry
/// after a kill knows what its records are about.
Result AddVerb::add_recorded(Step& step, Place place) {
  if (step.enters_container())
    host_.container_netns();  // refuses a missing namespace before anything is written
  open(journal::Access::add);
  step.enter(host_);
  settle(step);
  Recorder log(host_.journals(), journal_);
  step.enter(host_, &log);
  begin(step);
  adding_ = &step;
  try {
    Result result = run_module(step);
    adding_ = nullptr;
    // From here on the step counts as done. Its records stay for DEL.
    journal_->end_step(ending(result, place));
    return result;
  } catch (Error& error) {
    adding_ = nullptr;
    undo(log.records(), step, error);
    throw;
  } catch (const std::exception& unexpected) {
    adding_ = nullptr;
    Error error(Code::internal, fmt::format("{}: {}", step.type(), unexpected.what()));
    undo(log.records(), step, error);
    throw error;
  }
}

/// Whether the interface that a program at the head of a list is to make stands already, made by
/// others: what we made is settled.
bool AddVerb::has_interface(const Step& step) {
  return step.ordinal == 0 && !host_.find_container_identity().empty() &&
         net::find_link(host_.container_links(), step.call.key.if_name).has_value();
}

/// A program is a step like others: its one record is the DEL that undoes it, also when it has left
/// the list by then.
Result AddVerb::add_foreign_step(Step& step, const std::optional<Result>& prev_result,
                                 Place place) {
  const protocol::Netconf config =
      step.netconf.with_prev_result(prev_result ? &*prev_result : nullptr);
  open(journal::Access::add);
  step.enter(host_);
  settle(step);
  refused_ = has_interface(step) ? &step : nullptr;
  Recorder log(host_.journals(), journal_);
  begin(step);
  log.announce(undo_delegate(step.type(), step.found.program, config.text()));
  adding_ = &step;
  try {
    std::optional<Result> result;
    host_.unlocked([&] {
      result = add_foreign(*request_, step.found.program, config.text(), step.call.spec_version,
                           step.call.step);
      return std::string();
    });
    adding_ = nullptr;
    refused_ = nullptr;
    journal_->end_step(ending(*result, place));
    return *std::move(result);
  } catch (Error& error) {
    adding_ = nullptr;
    failed_ = &step;
    roll_back(step);
    throw error.in_step(step.type());
  }
}

Result AddVerb::add(Step& step, const std::optional<Result>& prev_result, Place place) {
  if (!step.module) return add_foreign_step(step, prev_result, place);
  step.call.prev_result = prev_result;
  step.ipam->set_prev_result(prev_result);
  return step.journaled() ? add_recorded(step, place) : add_module(step);
}

/// A program undoes its own work. It runs without our lock, as it may call us. Where it refused to
/// make what stands already, its DEL would take that from whoever has it.
void AddVerb::roll_back_foreign(Step& step) {
  journal_.reset();
  if (&step != refused_) {
    del_foreign(*request_, host_,
                {step.type(), step.found.program, step.netconf.text(), request_->key(),
                 &step != failed_, step.call.step});
  }
  open(journal::Access::add);
  forget(step);
}

void AddVerb::roll_back_module(Step& step) {
  std::vector<Undo> records = unjournaled_[&step];
  if (step.journaled()) {
    journal::Journal& journal = open(journal::Access::look);
    const journal::Entry* entry = journal.entry();
    if (entry == nullptr) return;
    for (const journal::RecordedStep& done : entry->steps) {
      const bool ours = done.type == step.type() && std::find(step.begun.begin(), step.begun.end(),
                                                              done.id) != step.begun.end();
      if (ours) records.insert(records.end(), done.undo.begin(), done.undo.end());
    }
  }
  Error outcome(Code::internal, "roll-back");
  undo(records, step, outcome);
  if (!outcome.details().empty()) tell_not_undone(outcome.details());
}

void AddVerb::tell_not_undone(const std::string& text) {
  host_.log(LogLevel::warning, text);
  not_undone_.append(not_undone_.empty() ? "" : "; ").append(text);
}

/// Who ran out of time in ADD has a DEL's for what is to be taken back.
void AddVerb::give_time() {
  const Deadline deadline = std::chrono::steady_clock::now() + kDelTime;
  if (undoing_ || deadline <= request_->deadline) return;
  undoing_.emplace(request_->with(request_->netconf.copy(), deadline));
  request_ = &*undoing_;
}

void AddVerb::roll_back(Step& step) noexcept {
  step.enter(host_);
  try {
    give_time();
    if (!step.module) {
      roll_back_foreign(step);
    } else {
      roll_back_module(step);
    }
  } catch (const std::exception& error) {
    tell_not_undone(fmt::format("roll-back: {}: {}", step.type(), error.what()));
  }
}

}  // namespace

void attach(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
            Caller& caller) {
  AddVerb verb(request, host);
  std::optional<Result> result = steps.front()->call.prev_result;
  std::size_t done = 0;
  try {
    for (; done < steps.size(); ++done) {
      caller.on_member(steps[done]->type());
      result = verb.add(*steps[done], result, place_of(steps, done));
    }
    // Inside the try: a runtime that gets no answer takes the ADD for failed and never sends a DEL
    // for it.
    caller.on_result(verb.answer(*result));
  } catch (Error& error) {
    while (done > 0) verb.roll_back(*steps[--done]);
    if (verb.not_undone().empty()) throw;
    add_details(error, verb.not_undone());
    throw;
  } catch (const std::exception&) {
    while (done > 0) verb.roll_back(*steps[--done]);
    throw;
  }
  // Let go here and not by the end of the process: a child that a module has left behind has the
  // lock's descriptor, too.
  verb.let_go();
  caller.on_added();
}

}  // namespace unicni::chain
