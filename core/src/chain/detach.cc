// DEL: backward through journal and request together. It goes on past every error.
#include "chain/detach.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "chain/chain.h"
#include "chain/foreign.h"
#include "chain/foreign_del.h"
#include "chain/leftovers.h"
#include "chain/recorder.h"
#include "chain/request_of_add.h"
#include "protocol/result_parse.h"
#include "undo/kinds.h"
#include "unicni/error.h"
#include "unicni/errors.h"

namespace unicni::chain {

namespace {

/// One step backward: a member, what the journal has of it, or both.
struct Task {
  std::string type;
  std::optional<protocol::Netconf> netconf;      ///< of the request; nullopt: it isn't in there
  std::size_t index = 0;                         ///< in the request
  std::vector<journal::RecordedStep> done = {};  ///< oldest first
};

/// What is to be done, in the order of the list: the journal's, with the members that it doesn't
/// know behind the one they follow. Of the steps that are no member's those go that a list made;
/// all of them, if one of the members is to take the interface away.
std::vector<Task> plan(const std::vector<Member>& members, const journal::Entry& entry,
                       const module::Locations& where, bool takes_interface) {
  const Assignment assignment = assign(entry, members, where);
  const auto step = [&](std::size_t id) {
    return *std::find_if(entry.steps.begin(), entry.steps.end(),
                         [&](const journal::RecordedStep& each) { return each.id == id; });
  };
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (assignment.of_members[i].empty()) continue;
    tasks.push_back({members[i].type, members[i].netconf.copy(), i});
    for (const std::size_t id : assignment.of_members[i]) {
      tasks.back().done.push_back(step(id));
      takes_interface = takes_interface || makes_interface(tasks.back().done.back());
    }
  }
  for (const std::size_t id : assignment.left) {
    journal::RecordedStep left = step(id);
    if (!takes_interface && !left.ordinal) continue;
    tasks.push_back({left.type, std::nullopt, 0});
    tasks.back().done.push_back(std::move(left));
  }
  std::stable_sort(tasks.begin(), tasks.end(), [](const Task& one, const Task& other) {
    return one.done.back().id < other.done.back().id;
  });
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!assignment.of_members[i].empty()) continue;
    const auto before = std::find_if(tasks.begin(), tasks.end(), [&](const Task& task) {
      return task.netconf && task.index + 1 == i;
    });
    tasks.insert(before == tasks.end() ? tasks.begin() : before + 1,
                 {members[i].type, members[i].netconf.copy(), i});
  }
  return tasks;
}

std::vector<Task> plan(const std::vector<Member>& members) {
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < members.size(); ++i) {
    tasks.push_back({members[i].type, members[i].netconf.copy(), i});
  }
  return tasks;
}

/// Of a verb that a program of one of our lists has called: the rest of the attachment is that
/// list's business. So is the step of that program, which may be a wrapper around the very type
/// that is called here: to undo it would call the program again.
void leave_to_caller(std::vector<Task>& tasks, bool alone) {
  std::erase_if(tasks, [](const Task& task) { return !task.netconf; });
  if (!alone) return;
  for (Task& task : tasks) {
    std::erase_if(task.done, [](const auto& done) { return is_of_program(done, done.type); });
  }
}

/// A program's record is its own DEL, and a module without a journal has none.
bool takes_itself_back(const Step& step) {
  return !step.found.program.empty() || (step.module && !step.journaled());
}

/// Whether a module of ours made something for it, whoever serves its type by now.
bool has_records_of_ours(const Task& task) {
  return std::any_of(task.done.begin(), task.done.end(), [](const auto& done) {
    return std::any_of(done.undo.begin(), done.undo.end(),
                       [](const Undo& record) { return record.type != undo::kDelegateKind.type; });
  });
}

class DelVerb : public JournalLock {
 public:
  DelVerb(const Request& request, VerbHost& host, bool direct)
      : request_(request), of_add_(request), host_(host), direct_(direct) {
    host_.set_journal_lock(this);
  }
  ~DelVerb() override { host_.set_journal_lock(nullptr); }
  void let_go() override { journal_.reset(); }
  void take_again() override {
    if (!journal_) {
      journal_.emplace(open_journal(request_, host_, request_.key(), journal::Access::removal));
    }
  }
  void run(const std::vector<Member>& members, Caller& caller);
  bool run_by_journal(Caller& caller);  ///< false: it knows nothing of the attachment
  void sweep_leftovers();               ///< without journal and list
  [[nodiscard]] const Errors& errors() const { return errors_; }

 private:
  struct Made {
    std::unique_ptr<Step> step;
    std::optional<Error> refusal;  // of the configuration as it is today
  };

  /// The entry of this attachment as it is now; nullopt if there is none. Held until DEL is done,
  /// so that no ADD comes between two steps.
  std::optional<journal::Entry> open_entry(const std::string& type);
  void read_prev_result();
  [[nodiscard]] bool is_claimed() const;
  [[nodiscard]] bool is_here(const journal::RecordedStep& step);
  void find_namespace(const journal::Entry& entry);
  Made make(const std::string& type, protocol::Netconf netconf, std::size_t index, bool direct);
  [[nodiscard]] std::optional<Made> make_from_journal(const Task& task);
  /// A task goes one way: recall → undo → sweep → forget.
  void del(Task& task);
  [[nodiscard]] Made recall(Task& task);
  bool undo(const Task& task, Step* step);  ///< false: something could not be undone
  bool sweep(const Task& task, Step& step);
  void forget(const Task& task);
  void call_del(const Task& task, Step& step);
  void release_reservations();

  const Request& request_;
  RequestOfAdd of_add_;  // steps refer to what it has
  VerbHost& host_;
  const bool direct_;
  std::optional<Result> prev_result_;
  std::optional<Made> first_;            // of a plugin that is called alone
  std::optional<journal::Entry> entry_;  // as it was found
  std::optional<journal::Journal> journal_;
  bool is_ours_ = true;  // what CNI_NETNS leads to
  std::vector<std::pair<std::size_t, std::vector<Undo>>> kept_;
  Errors errors_;
};

/// DEL is never refused for what others wrote. Without prevResult there is the journal.
void DelVerb::read_prev_result() {
  try {
    prev_result_ = request_.netconf.prev_result();
    if (prev_result_) protocol::restore_name(*prev_result_, request_.environment.if_name);
  } catch (const Error& error) {
    host_.log(LogLevel::warning, "prevResult is ignored: " + error.msg());
  }
}

/// Whether prevResult says that the interface is where CNI_NETNS leads.
bool DelVerb::is_claimed() const {
  const protocol::Environment& environment = request_.environment;
  return prev_result_ && !environment.netns.empty() &&
         std::any_of(prev_result_->interfaces.begin(), prev_result_->interfaces.end(),
                     [&](const Interface& each) {
                       return each.name == environment.if_name && each.sandbox == environment.netns;
                     });
}

/// Whether the step's ADD saw the namespace of this request.
bool DelVerb::is_here(const journal::RecordedStep& step) {
  if (host_.container_netns() != nullptr) {
    return step.container_netns.empty() || step.container_netns == host_.container_identity();
  }
  const std::string& path = request_.environment.netns;
  return path.empty() || path == step.netns_path;
}

/// A namespace that no ADD of the journal saw is somebody else's, unless prevResult knows better:
/// then another program made the attachment after the one that the journal tells of.
void DelVerb::find_namespace(const journal::Entry& entry) {
  if (host_.container_netns() == nullptr || entry.container_netns.empty()) return;
  const bool seen = std::any_of(entry.steps.begin(), entry.steps.end(),
                                [&](const journal::RecordedStep& step) { return is_here(step); });
  if (seen || is_claimed()) return;
  host_.log(LogLevel::warning,
            fmt::format("{} is another namespace than ADD saw: nothing is touched there",
                        request_.environment.netns));
  is_ours_ = false;
  host_.leave_container(is_ours_);
}

/// A lock that can't be had or a folder that can't be trusted is an error of this DEL, which goes
/// on by the configuration all the same.
std::optional<journal::Entry> DelVerb::open_entry(const std::string& type) {
  errors_.attempt_step(type, [&] { take_again(); });
  const journal::Entry* entry = journal_ ? journal_->entry() : nullptr;
  return entry != nullptr ? std::optional(*entry) : std::nullopt;
}

void DelVerb::call_del(const Task& task, Step& step) {
  if (!step.found.program.empty()) {
    const bool added =
        std::any_of(task.done.begin(), task.done.end(),
                    [](const journal::RecordedStep& done) { return !done.result.empty(); });
    // It may call us for the same attachment.
    journal_.reset();
    del_foreign(
        request_, host_,
        {step.type(), step.found.program, with_request_prev_result(request_, step.netconf).text(),
         request_.key(), added, step.call.step});
    return;
  }
  if (step.module) {
    step.module->del(step.call, host_);
  } else if (step.ipam && step.ipam->given()) {
    // Without the module that would have asked it.
    step.ipam->del();
  }
}

DelVerb::Made DelVerb::make(const std::string& type, protocol::Netconf netconf, std::size_t index,
                            bool direct) {
  const auto warn = [&](const std::string& text) { host_.log(LogLevel::warning, text); };
  try {
    return {make_step(of_add_.get(), type, netconf.copy(), index, direct, prev_result_, warn), {}};
  } catch (const Error& error) {
    return {make_bare_step(request_, type, std::move(netconf), index, prev_result_), error};
  }
}

/// Replays what the journal has of the task, each step in the namespace that its ADD saw.
bool DelVerb::undo(const Task& task, Step* step) {
  bool clean = true;
  for (auto done = task.done.rbegin(); done != task.done.rend(); ++done) {
    const bool elsewhere =
        !done->container_netns.empty() && done->container_netns != host_.container_identity();
    Undone undone = undo_step(*entry_, *done, {elsewhere, is_ours_}, request_, host_, step);
    clean = clean && undone.clean();
    for (Error error : undone.errors.all()) errors_.add(error.in_step(task.type));
    if (!undone.kept.empty()) kept_.emplace_back(done->id, std::move(undone.kept));
  }
  return clean;
}

/// Records that a newer version wrote are kept: only that version can undo them.
void DelVerb::forget(const Task& task) {
  take_again();
  for (const journal::RecordedStep& done : task.done) {
    const auto kept = std::find_if(kept_.begin(), kept_.end(),
                                   [&](const auto& each) { return each.first == done.id; });
    journal_->forget_step(done.id, done.type,
                          kept == kept_.end() ? std::vector<Undo>() : kept->second);
  }
}

/// What ADD was given decides, whatever the file says today.
std::optional<DelVerb::Made> DelVerb::make_from_journal(const Task& task) {
  const auto here = std::find_if(task.done.rbegin(), task.done.rend(),
                                 [&](const journal::RecordedStep& done) { return is_here(done); });
  const bool in_request = task.netconf.has_value();
  if (here == task.done.rend() && in_request) return std::nullopt;
  const journal::RecordedStep& recorded = here != task.done.rend() ? *here : task.done.back();
  try {
    auto netconf = with_request_prev_result(request_, protocol::Netconf::parse(recorded.config));
    of_add_.take(recorded, recorded.type);
    of_add_.take(recorded, netconf.ipam_type());
    Made made = make(task.type, std::move(netconf), task.index, in_request && direct_);
    if (made.refusal) throw Error(*made.refusal);
    if (made.step->delegate) made.step->delegate->set_recorded(recorded);
    return made;
  } catch (Error& error) {
    // Of what nobody asks for any more the records are enough.
    if (in_request) errors_.add(error.in_step(task.type));
    if (!in_request) host_.log(LogLevel::warning, error.msg());
    return std::nullopt;
  }
}

/// The step with the configuration that its ADD was given, else with the request's. Without one
/// (nobody asks for it any more, and its module is gone) the records have to do.
DelVerb::Made DelVerb::recall(Task& task) {
  if (auto made = make_from_journal(task)) return *std::move(made);
  if (!task.netconf) return {};
  return first_ ? *std::exchange(first_, std::nullopt)
                : make(task.type, task.netconf->copy(), task.index, direct_);
}

/// By the configuration: what the records don't know of.
bool DelVerb::sweep(const Task& task, Step& step) {
  step.enter(host_);
  if (!errors_.empty() && !errors_.attempt([&] { host_.require_home(); })) return false;
  if (!takes_itself_back(step)) {
    // Whether its ADD ended, so that the journal knows all of it.
    const bool known = std::any_of(task.done.begin(), task.done.end(), [&](const auto& done) {
      return is_here(done) && !done.result.empty() && are_of_prev_result(done.undo, step.call);
    });
    // Where the journal knows the attachment, its records have done the work, and a search by owner
    // would list every link of the host for nothing.
    const bool lost = !entry_ || (!task.done.empty() && !known);
    if (lost && (step.is_link() || !step.module)) {
      errors_.attempt_step(task.type, [&] { remove_leftovers(step.call, host_); });
    }
    if (!step.module) {
      errors_.attempt_step(task.type,
                           [&] { remove_reference_leftovers(step.call, host_, step.ipam.get()); });
    }
  }
  return errors_.attempt_step(task.type, [&] { call_del(task, step); });
}

/// The step leaves the journal only if everything of it was undone. Otherwise the next DEL or GC
/// finds it and tries again.
void DelVerb::del(Task& task) {
  host_.enter({task.type, task.index});
  const Made recalled = recall(task);
  Step* step = recalled.step.get();
  if (step != nullptr) step->enter(host_);
  const bool by_itself = step != nullptr && takes_itself_back(*step) && !has_records_of_ours(task);
  const bool undone = by_itself || undo(task, step);
  if (recalled.refusal) errors_.add(Error(*recalled.refusal).in_step(task.type));
  const bool swept = step == nullptr || sweep(task, *step);
  if (undone && swept && !task.done.empty()) {
    errors_.attempt_step(task.type, [&] { forget(task); });
  }
}

/// Of a chain, or of a list without a member that can be: what the journal has.
bool DelVerb::run_by_journal(Caller& caller) {
  host_.enter({kChainType});
  read_prev_result();
  entry_ = open_entry(kChainType);
  if (!entry_) return false;
  find_namespace(*entry_);
  std::vector<Task> tasks = plan({}, *entry_, request_.where, true);
  for (auto task = tasks.rbegin(); task != tasks.rend(); ++task) {
    caller.on_member(task->type);
    del(*task);
  }
  return true;
}

void DelVerb::sweep_leftovers() {
  const auto step = make_bare_step(request_, kChainType, request_.netconf.copy(), 0, prev_result_);
  errors_.attempt_step(kChainType, [&] { remove_leftovers(step->call, host_); });
  errors_.attempt_step(kChainType, [&] { remove_reference_leftovers(step->call, host_, nullptr); });
  release_reservations();
}

/// Of host-local in its usual folder, where they stand by network and container. What the chain
/// said of others is lost.
void DelVerb::release_reservations() {
  const std::string type = "host-local";
  const auto list =
      request_.netconf.with_plugins(R"([{"type":"host-local","ipam":{"type":"host-local"}}])");
  const Made made = make(type, std::move(list.members().front()), 0, false);
  if (made.refusal || !made.step->module) return;
  made.step->enter(host_);
  errors_.attempt_step(type, [&] { made.step->module->del(made.step->call, host_); });
}

/// IPAM and others without a journal never ask for the attachment's lock when they are called
/// alone, as who calls them may hold it.
void DelVerb::run(const std::vector<Member>& members, Caller& caller) {
  const Member& last = members.back();
  const bool alone = !last.ordinal;
  bool takes_interface = false;
  bool journaled = true;
  caller.on_member(last.type);
  host_.enter({last.type});
  read_prev_result();
  if (alone) {
    first_ = make(last.type, last.netconf.copy(), 0, direct_);
    const Step& step = *first_->step;
    journaled = !takes_itself_back(step);
    takes_interface = step.is_link();
  }
  if (journaled) entry_ = open_entry(last.type);
  if (entry_) find_namespace(*entry_);
  std::vector<Task> tasks =
      entry_ ? plan(members, *entry_, request_.where, takes_interface) : plan(members);
  if (is_nested(request_.process_environment)) leave_to_caller(tasks, alone);
  for (auto task = tasks.rbegin(); task != tasks.rend(); ++task) {
    caller.on_member(task->type);
    del(*task);
  }
}

}  // namespace

void detach(const Request& request, VerbHost& host, const Plan& plan, Caller& caller) {
  DelVerb verb(request, host, plan.direct);
  const bool is_inline = plan.chain.empty() && !plan.members.empty();
  if (is_inline || !verb.run_by_journal(caller)) {
    if (plan.members.empty()) {
      verb.sweep_leftovers();
    } else {
      verb.run(plan.members, caller);
    }
  }
  verb.errors().finish();
}

}  // namespace unicni::chain
