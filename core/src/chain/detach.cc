#include "chain/detach.h"

#include "chain/failures.h"
#include "chain/foreign.h"
#include "chain/recorder.h"
#include "chain/remains.h"
#include "unicni/error.h"

namespace unicni::chain {

namespace {

class Detachment : public LockHolder {
 public:
  Detachment(const Request& request, VerbHost& host) : request_(request), host_(host) {
    host_.set_lock_holder(this);
  }
  ~Detachment() override { host_.set_lock_holder(nullptr); }
  void let_go() override { journal_.reset(); }
  void take_again() override {
    if (!journal_) {
      journal_.emplace(open_journal(request_, host_, key_of(request_), journal::Access::removal));
    }
  }
  void del(Member member, std::size_t index, bool direct);
  [[nodiscard]] const std::vector<Error>& errors() const { return errors_; }

 private:
  template <class Work>
  bool attempt(const std::string& type, Work&& work) {
    try {
      work();
      return true;
    } catch (Error& error) {
      errors_.push_back(error.in_step(type));
      return false;
    }
  }
  /// The entry of this attachment as it is now; nullopt if there is none. Held until DEL is done,
  /// so that no ADD comes between two steps.
  std::optional<journal::Entry> open_entry(const std::string& type);
  [[nodiscard]] bool same_namespace(const journal::Entry& entry);
  void sweep(Step& step);

  const Request& request_;
  VerbHost& host_;
  std::optional<journal::Journal> journal_;
  std::vector<Error> errors_;
};

bool Detachment::same_namespace(const journal::Entry& entry) {
  if (host_.container_netns() != nullptr) {
    return entry.container_netns.empty() || entry.container_netns == host_.container_identity();
  }
  const std::string& path = request_.environment.netns;
  return path.empty() || path == entry.netns_path;
}

std::optional<journal::Entry> Detachment::open_entry(const std::string& type) {
  attempt(type, [&] { take_again(); });
  const journal::Entry* entry = journal_ ? journal_->entry() : nullptr;
  return entry != nullptr ? std::optional(*entry) : std::nullopt;
}

void Detachment::sweep(Step& step) {
  if (!step.found.program.empty()) {
    // It may call us for the same attachment.
    journal_.reset();
    run_foreign(request_, step.found.program, Command::del,
                with_request_prev_result(request_, step.netconf).text());
    return;
  }
  if (step.module) {
    step.module->del(step.call, host_);
  } else if (step.ipam && step.ipam->given()) {
    // Without the module that would have asked it.
    step.ipam->del();
  }
}

void Detachment::del(Member member, std::size_t index, bool direct) {
  const std::string type = member.type;
  host_.enter({type});
  const protocol::Netconf& outer = request_.netconf;
  std::optional<Result> prev_result;
  try {
    prev_result = outer.prev_result();
  } catch (const Error& error) {
    host_.log(LogLevel::warning, "prevResult is ignored: " + error.msg());
  }
  const auto warn = [&](const std::string& text) { host_.log(LogLevel::warning, text); };
  std::unique_ptr<Step> step;
  std::optional<Error> refusal;  // of the configuration as it is today
  try {
    step = make_step(request_, type, member.netconf.copy(), index, direct, prev_result, warn);
  } catch (const Error& error) {
    refusal = error;
    step = make_bare_step(request_, type, std::move(member.netconf), index, prev_result);
  }
  const bool keeps_no_journal = step->module && !step->journaled();
  if (keeps_no_journal || !step->found.program.empty()) {
    step->enter(host_);
    attempt(type, [&] { sweep(*step); });
    return;
  }

  const auto entry = open_entry(type);
  bool clean = true;
  bool found = false;
  bool known = false;  // its ADD ended, so the journal knows all of it
  if (entry) {
    host_.expect_container(entry->container_netns);
    const bool same = same_namespace(*entry);
    for (auto done = entry->steps.rbegin(); done != entry->steps.rend(); ++done) {
      if (done->type != type) continue;
      if (same && !found) {
        // What ADD was given decides, whatever the file says today.
        attempt(type, [&] {
          step =
              make_step(request_, type,
                        with_request_prev_result(request_, protocol::Netconf::parse(done->config)),
                        index, direct, prev_result, warn);
          refusal.reset();
        });
      }
      found = true;
      known = known || (!done->result.empty() && are_of_prev_result(done->undo, step->call));
      const auto why = done->result.empty() ? journal::Why::failed_add : journal::Why::removal;
      for (Error& error : undo_records(done->undo, why, request_, host_, step.get())) {
        errors_.push_back(error.in_step(type));
        clean = false;
      }
    }
  }
  if (refusal) errors_.push_back(refusal->in_step(type));
  step->enter(host_);
  const bool lost = !entry || (found && !known);
  if (lost && (step->is_link() || !step->module)) {
    attempt(type, [&] { remove_remains(step->call, host_); });
  }
  if (!step->module) {
    attempt(type, [&] { remove_reference_remains(step->call, host_, step->ipam.get()); });
  }
  clean = attempt(type, [&] { sweep(*step); }) && clean;
  if (found && clean && journal_) attempt(type, [&] { journal_->forget_steps(type); });
}

}  // namespace

void detach(const Request& request, VerbHost& host, std::vector<Member> members, bool direct,
            const Watch& watch) {
  Detachment detachment(request, host);
  std::size_t index = members.size();
  while (index > 0) {
    --index;
    watch(members[index].type);
    detachment.del(std::move(members[index]), index, direct);
  }
  throw_first(detachment.errors());
}

}  // namespace unicni::chain
