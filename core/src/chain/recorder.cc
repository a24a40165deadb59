#include "chain/recorder.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/foreign.h"
#include "chain/foreign_del.h"
#include "journal/folder.h"
#include "undo/kinds.h"
#include "undo/nft_elements.h"
#include "undo/replay.h"
#include "undo/sysctl_layers.h"
#include "unicni/sys/file.h"
#include "unicni/sys/lock.h"

namespace unicni::chain {

namespace {

/// An ADD that waits for an address from DHCP has the lock for as long as that takes. A DEL ends
/// it: the daemon is told that nothing is wanted any more, and then that ADD rolls itself back.
void end_waits_for_leases(const Request& request, VerbHost& host, const AttachmentKey& key) {
  const auto entry = journal::peek(host.journals(), key);
  if (!entry) return;
  for (const journal::RecordedStep& step : entry->steps) {
    undo::Undoing undoing{host, undo::Why::removal, request.deadline, step.undo, host.daemons()};
    for (const Undo& record : step.undo) {
      if (record.type != undo::kLeaseKind.type) continue;
      Errors ignored;  // the DEL itself comes to it again
      ignored.attempt([&] { undo::kLeaseKind.undo({record}, undoing); });
    }
  }
}

journal::Journal open_locked(const Request& request, VerbHost& host, const AttachmentKey& key,
                             journal::Access access, Deadline deadline) {
  constexpr std::chrono::milliseconds kUsual{100};  // other verbs have it for less
  if (request.command == Command::del && access == journal::Access::removal) {
    try {
      return journal::Journal::open(host.journals(), key, host.place(),
                                    std::min(deadline, std::chrono::steady_clock::now() + kUsual),
                                    access);
    } catch (const Error& error) {
      if (!error.is(Code::try_again)) throw;
      end_waits_for_leases(request, host, key);
    }
  }
  return journal::Journal::open(host.journals(), key, host.place(), deadline, access);
}

}  // namespace

/// Half of the time that is left goes to the wait for the lock; the rest is for the work.
journal::Journal open_journal(const Request& request, VerbHost& host, const AttachmentKey& key,
                              journal::Access access, std::optional<Deadline> deadline) {
  auto journal = open_locked(request, host, key, access,
                             deadline.value_or(sys::lock_deadline(request.deadline)));
  if (journal.is_of_future()) {
    host.log(LogLevel::warning,
             fmt::format("the journal of {} was written by a newer unicni and is kept for it",
                         key.owner()));
  }
  if (!journal.complaint().empty()) {
    host.log(LogLevel::warning, journal.complaint() + "; going on as if there were no journal");
  }
  return journal;
}

namespace {

/// Of the container's other attachments.
std::vector<journal::Entry> find_others(const std::string& folder, const journal::Entry& own) {
  std::vector<journal::Entry> others = journal::peek_container(folder, own.key.container_id);
  std::erase_if(others, [&](const journal::Entry& each) {
    return each.key == own.key || each.place != own.place;
  });
  return others;
}

/// The records of other steps in the same namespace: of this attachment those before it, as DEL
/// goes backward, and all of `others`.
undo::OtherSteps steps_beside(const journal::RecordedStep& step, const journal::Entry& own,
                              const std::vector<journal::Entry>& others) {
  undo::OtherSteps beside;
  const auto put = [&](const journal::RecordedStep& each) {
    if (each.container_netns == step.container_netns) beside.push_back(&each.undo);
  };
  for (const journal::RecordedStep& each : own.steps) {
    if (each.id < step.id) put(each);
  }
  for (const journal::Entry& other : others) std::ranges::for_each(other.steps, put);
  return beside;
}

/// As a verb undoes them that leaves the steps before this one for later, or never comes to them.
std::vector<Undo> records_of(const journal::Entry& entry, const journal::RecordedStep& step,
                             const std::string& folder) {
  if (std::ranges::none_of(step.undo, undo::is_layer)) return step.undo;
  const auto others = find_others(folder, entry);
  const undo::OtherSteps beside = steps_beside(step, entry, others);
  std::vector<Undo> records;
  for (const Undo& record : step.undo) {
    try {
      const auto left = undo::is_layer(record) ? undo::without_layer(record, beside) : record;
      if (left) records.push_back(*left);
    } catch (const Error&) {
      records.push_back(record);  // it is damaged, as its replay tells
    }
  }
  return records;
}

}  // namespace

void Recorder::announce(const Undo& record) {
  std::optional<Undo> announced = record;
  if (undo::is_layer(record)) {
    const journal::Entry& entry = *journal_->entry();
    if (!others_) others_ = find_others(folder_, entry);
    announced = undo::as_top_layer(record, steps_beside(entry.steps.back(), entry, *others_));
  }
  if (!announced) return;
  journal_->record(*announced);
  Memory::announce(*announced);
}

namespace {

/// The DEL of a program, with what its ADD was given. A runtime's DEL knows a prevResult, which
/// takes the place of the recorded one; roll-back and GC have none.
void run_program(const undo::Replay::Program& program, undo::Why why, const Request& request,
                 VerbHost& host, const Step* step) {
  const protocol::Netconf netconf = protocol::Netconf::parse(program.request);
  const protocol::Environment& environment = request.environment;
  const bool is_del = request.command == Command::del;
  const ForeignDel del{program.type,
                       program.path,
                       is_del ? with_request_prev_result(request, netconf).text() : program.request,
                       AttachmentKey{netconf.name(), environment.container_id, environment.if_name},
                       why == undo::Why::removal || !program.is_last,
                       step == nullptr ? std::nullopt : std::optional(step->call.step)};
  // A module that has taken its place by now does it in its own DEL.
  const bool is_replaced = step != nullptr && step->has_module_for(program.type);
  if (is_replaced && find_program(request, program.type, program.path).empty()) return;
  Asked asked{program.type, {}};
  try {
    // An IPAM's configuration is that of the plugin it serves, and it keeps no journal.
    if (netconf.type() == program.type) {
      host.unlocked([&] {
        del_foreign(request, host, del);
        return std::string();
      });
    } else {
      del_foreign(request, host, del);
    }
  } catch (Error& error) {
    asked.failure = error.in_step(program.type);
  }
  if (step != nullptr) step->mark_asked(asked);
  asked.rethrow();
}

}  // namespace

/// On DEL the tables are looked at first: if somebody flushed them, they are made again without
/// what goes now, so that other attachments don't stay without rules.
Undone undo_records(const std::vector<Undo>& records, undo::Why why, const Request& request,
                    VerbHost& host, const Step* step) {
  Errors astray;
  if (!astray.attempt([&] { host.require_home(); })) return {astray, {}};
  if (request.command == Command::del) {
    Errors damaged;  // replay tells
    const auto own = undo::find_own_elements(records, damaged);
    if (!own.empty()) host.restore_rules(&own);
  }
  undo::Replay replay({host, why, request.deadline, records, host.daemons()});
  while (const auto program = replay.next_program()) {
    replay.attempt([&] { run_program(*program, why, request, host, step); });
  }
  Undone undone{replay.errors(), replay.kept()};
  for (const Undo& record : undone.kept) {
    host.log(LogLevel::warning,
             fmt::format("undo record \"{}\" of version {} is not known: a newer unicni wrote it "
                         "and must undo it",
                         record.type, record.version));
  }
  return undone;
}

Undone undo_step(const journal::Entry& entry, const journal::RecordedStep& recorded, Where where,
                 const Request& request, VerbHost& host, const Step* step) {
  if (where.elsewhere) host.visit_container(recorded.netns_path, recorded.container_netns);
  // A step without a result was killed or failed: what it shares with others is taken back as well.
  const auto why = recorded.result.empty() ? undo::Why::failed_add : undo::Why::removal;
  Undone undone =
      undo_records(records_of(entry, recorded, host.journals()), why, request, host, step);
  if (where.elsewhere) host.leave_container(where.is_ours);
  return undone;
}

}  // namespace unicni::chain
