#include "chain/attach.h"

#include <fmt/core.h>

#include <map>

#include "chain/foreign.h"
#include "chain/recorder.h"
#include "protocol/result_json.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::chain {

namespace {

/// The journal's result of a step that isn't its list's last: there is more to come, and printing
/// each would be a tenth of a list's time that isn't the kernel's.
constexpr const char* kEnded = "{}";

/// Whether the attachment that a finished journal step describes still stands in its namespace.
bool stands(const journal::Entry& entry, VerbHost& host) {
  if (entry.container_netns.empty()) return false;
  if (entry.container_netns == host.container_identity()) {
    return net::find_link(host.container_links(), entry.key.if_name).has_value();
  }
  try {
    const auto netns = net::Netns::open(entry.netns_path);
    if (!netns) return false;
    net::Netlink links(*netns);
    return links.identity() == entry.container_netns &&
           net::find_link(links, entry.key.if_name).has_value();
  } catch (const Error&) {
    return false;  // the path is something else today
  }
}

/// What an earlier ADD of the same attachment and type left: a crashed one is undone, a live one
/// refuses this ADD. What can't be undone stays in the journal for DEL and GC.
void settle_previous(const Request& request, VerbHost& host, Step& step,
                     std::optional<journal::Journal>& journal) {
  if (journal->entry() == nullptr) return;
  const journal::Entry entry = *journal->entry();  // a program that is run may change it
  bool found = false;
  bool clean = true;
  for (auto previous = entry.steps.rbegin(); previous != entry.steps.rend(); ++previous) {
    if (previous->type != step.type()) continue;
    const bool finished = !previous->result.empty();
    if (finished && step.is_link() && stands(entry, host)) {
      throw Error(Code::internal,
                  fmt::format("{} is attached already, in {}", step.call.owner(), entry.netns_path),
                  "a runtime must DEL an attachment before it ADDs it again");
    }
    found = true;
    const auto why = finished ? journal::Why::removal : journal::Why::failed_add;
    for (const Error& error : undo_records(previous->undo, why, request, host, &step)) {
      host.log(LogLevel::warning, "left by an earlier ADD: " + error.msg());
      clean = false;
    }
  }
  if (found && clean) journal->forget_steps(step.type());
}

class Attachment : public LockHolder {
 public:
  Attachment(const Request& request, VerbHost& host) : request_(request), host_(host) {
    host_.set_lock_holder(this);
  }
  ~Attachment() override { host_.set_lock_holder(nullptr); }
  void let_go() override { journal_.reset(); }
  void take_again() override;

  /// `last`: its result will be the answer.
  Result add(Step& step, const std::optional<Result>& prev_result, bool last);
  /// What goes to stdout if `result`, the last step's, is the answer.
  [[nodiscard]] std::string answer(const Result& result) const {
    return printed_ ? *printed_ : print(result);
  }
  /// Undoes a step that had succeeded, because a later one failed. Never throws: what can't be
  /// undone now stays in the journal.
  void roll_back(Step& step) noexcept;

 private:
  [[nodiscard]] std::string print(const Result& result) const {
    const auto version = protocol::find_version(request_.netconf.cni_version());
    return protocol::print_result(result, version.value_or(protocol::kNewest));
  }
  Result add_foreign_step(Step& step, const std::optional<Result>& prev_result);
  Result add_module(Step& step);
  Result add_recorded(Step& step, bool last);
  void roll_back_foreign(Step& step);
  void roll_back_module(Step& step);
  void undo(const std::vector<Undo>& records, Step& step, bool journaled, Error& error);
  journal::Journal& open(journal::Access access);
  void begin(const Step& step);

  const Request& request_;
  VerbHost& host_;
  // One lock from the first change until the result is out: nobody's DEL comes between two steps,
  // and a roll-back undoes this ADD and no later one. Not while a foreign plugin runs, which may
  // call us for the same attachment.
  std::optional<journal::Journal> journal_;
  const Step* adding_ = nullptr;        ///< whose ADD is at work and writes to the journal
  std::optional<std::string> printed_;  ///< the last step's result, if it was a journaled one
  /// What steps without a journal announced: an IPAM module that is called directly.
  std::map<const Step*, std::vector<Undo>> unjournaled_;
};

journal::Journal& Attachment::open(journal::Access access) {
  if (!journal_) journal_.emplace(open_journal(request_, host_, key_of(request_), access));
  return *journal_;
}

void Attachment::begin(const Step& step) {
  journal_->begin_step(step.type(), step.netconf.text(),
                       step.enters_container() ? host_.container_identity() : std::string(),
                       request_.environment.netns);
}

void Attachment::take_again() {
  open(journal::Access::add);
  // Meanwhile others may have written steps behind ours, or undone them.
  if (adding_ != nullptr && !journal_->resume_step(adding_->type())) begin(*adding_);
}

void Attachment::undo(const std::vector<Undo>& records, Step& step, bool journaled, Error& error) {
  const auto failures = undo_records(records, journal::Why::failed_add, request_, host_, &step);
  if (failures.empty()) {
    if (journaled) journal_->forget_steps(step.type());
    return;
  }
  std::string text = error.details();
  for (const Error& failure : failures) {
    text += fmt::format("{}roll-back: {}", text.empty() ? "" : "; ", failure.msg());
  }
  error.advise(text + "; DEL or GC will try again");
}

/// An ADD that leaves nothing to the journal: its records are only for its own roll-back, which may
/// come after it: when its answer can't be written.
Result Attachment::add_module(Step& step) {
  Memory log;
  step.enter(host_, &log);
  try {
    Result result = step.module->add(step.call, host_);
    unjournaled_[&step] = log.records();
    return result;
  } catch (Error& error) {
    undo(log.records(), step, false, error);
    throw;
  }
}

Result Attachment::add_recorded(Step& step, bool last) {
  if (step.enters_container())
    host_.container_netns();  // refuses a missing namespace before anything is written
  open(journal::Access::add);
  step.enter(host_);
  settle_previous(request_, host_, step, journal_);
  Recorder log(journal_);
  step.enter(host_, &log);
  begin(step);
  adding_ = &step;
  try {
    Result result = step.module->add(step.call, host_);
    adding_ = nullptr;
    if (last) printed_ = print(result);
    journal_->end_step(printed_.value_or(kEnded));
    return result;
  } catch (Error& error) {
    adding_ = nullptr;
    undo(log.records(), step, true, error);
    throw;
  } catch (const std::exception& unexpected) {
    adding_ = nullptr;
    Error error(Code::internal, fmt::format("{}: {}", step.type(), unexpected.what()));
    undo(log.records(), step, true, error);
    throw error;
  }
}

Result Attachment::add_foreign_step(Step& step, const std::optional<Result>& prev_result) {
  journal_.reset();
  const protocol::Netconf config =
      step.netconf.with_prev_result(prev_result ? &*prev_result : nullptr);
  try {
    return add_foreign(request_, step.found.program, config.text(), step.call.spec_version);
  } catch (Error& error) {
    roll_back(step);
    throw error.in_step(step.type());
  }
}

Result Attachment::add(Step& step, const std::optional<Result>& prev_result, bool last) {
  if (!step.module) return add_foreign_step(step, prev_result);
  step.call.prev_result = prev_result;
  step.ipam->set_prev_result(prev_result);
  return step.journaled() ? add_recorded(step, last) : add_module(step);
}

void Attachment::roll_back_foreign(Step& step) {
  journal_.reset();
  run_foreign(request_, step.found.program, Command::del, step.netconf.text());
}

void Attachment::roll_back_module(Step& step) {
  std::vector<Undo> records = unjournaled_[&step];
  if (step.journaled()) {
    journal::Journal& journal = open(journal::Access::look);
    const journal::Entry* entry = journal.entry();
    if (entry == nullptr) return;
    for (const journal::Step& done : entry->steps) {
      if (done.type == step.type())
        records.insert(records.end(), done.undo.begin(), done.undo.end());
    }
  }
  Error outcome(Code::internal, "roll-back");
  undo(records, step, step.journaled(), outcome);
  if (!outcome.details().empty()) host_.log(LogLevel::warning, outcome.details());
}

void Attachment::roll_back(Step& step) noexcept {
  step.enter(host_);
  try {
    if (!step.module) {
      roll_back_foreign(step);
    } else {
      roll_back_module(step);
    }
  } catch (const std::exception& error) {
    host_.log(LogLevel::warning, fmt::format("roll-back of {}: {}", step.type(), error.what()));
  }
}

}  // namespace

void attach(const Request& request, VerbHost& host, std::vector<std::unique_ptr<Step>>& steps,
            const Watch& watch, const Emit& emit) {
  Attachment attachment(request, host);
  std::optional<Result> result = steps.front()->call.prev_result;
  std::size_t done = 0;
  try {
    for (; done < steps.size(); ++done) {
      watch(steps[done]->type());
      result = attachment.add(*steps[done], result, done + 1 == steps.size());
    }
    emit(attachment.answer(*result));
  } catch (const std::exception&) {
    while (done > 0) attachment.roll_back(*steps[--done]);
    throw;
  }
}

}  // namespace unicni::chain
