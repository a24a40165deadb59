#include "chain/recorder.h"

#include <fmt/core.h>

#include "chain/foreign.h"
#include "chain/foreign_del.h"
#include "journal/folder.h"
#include "undo/nft_elements.h"
#include "undo/oldest_value.h"
#include "undo/replay.h"
#include "unicni/sys/file.h"
#include "unicni/sys/lock.h"

namespace unicni::chain {

/// Half of the time that is left goes to the wait for the lock; the rest is for the work.
journal::Journal open_journal(const Request& request, VerbHost& host, const AttachmentKey& key,
                              journal::Access access) {
  auto journal = journal::Journal::open(host.journals(), key, host.place(),
                                        sys::lock_deadline(request.deadline), access);
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

/// The records of the steps before this one in the same namespace, oldest first.
std::vector<const std::vector<Undo>*> undo_before(const journal::Entry& entry,
                                                  const journal::RecordedStep& step) {
  std::vector<const std::vector<Undo>*> earlier;
  for (const journal::RecordedStep& each : entry.steps) {
    if (each.id < step.id && each.container_netns == step.container_netns) {
      earlier.push_back(&each.undo);
    }
  }
  return earlier;
}

/// As a verb undoes them that leaves the steps before this one for later, or never comes to them.
std::vector<Undo> records_of(const journal::Entry& entry, const journal::RecordedStep& step) {
  std::vector<Undo> records = step.undo;
  for (Undo& record : records) {
    if (!undo::has_oldest(record)) continue;
    record = undo::with_oldest_unless_changed(record, undo_before(entry, step));
  }
  return records;
}

}  // namespace

void Recorder::announce(const Undo& record) {
  std::optional<Undo> with_oldest;
  for (const auto* earlier : undo_before(*journal_->entry(), journal_->entry()->steps.back())) {
    with_oldest = undo::find_with_oldest(record, *earlier);
    if (with_oldest) break;
  }
  const Undo& announced = with_oldest ? *with_oldest : record;
  journal_->record(announced);
  Memory::announce(announced);
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
  Undone undone = undo_records(records_of(entry, recorded), why, request, host, step);
  if (where.elsewhere) host.leave_container(where.is_ours);
  return undone;
}

}  // namespace unicni::chain
