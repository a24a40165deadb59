#include "chain/recorder.h"

#include <fmt/core.h>

#include <algorithm>

#include "chain/foreign.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"
#include "unicni/sys/lock.h"

namespace unicni::chain {

journal::Key key_of(const Request& request) {
  return {request.netconf.name(), request.environment.container_id, request.environment.if_name};
}

journal::Journal open_journal(const Request& request, VerbHost& host, const journal::Key& key,
                              journal::Access access) {
  auto journal = journal::Journal::open(journal::kFolder, key, host.place(),
                                        sys::lock_deadline(request.deadline), access);
  if (journal.is_of_future()) {
    host.log(LogLevel::warning,
             fmt::format("the journal of {}/{}/{} was written by a newer unicni and is kept for it",
                         key.network, key.container_id, key.if_name));
  }
  if (!journal.complaint().empty()) {
    host.log(LogLevel::warning, journal.complaint() + "; going on as if there were no journal");
  }
  return journal;
}

Undone undo_records(const std::vector<Undo>& records, journal::Why why, const Request& request,
                    VerbHost& host, const Step* step) {
  const auto run_delegate = [&](const std::string& type, const std::string& program,
                                const std::string& config) {
    const protocol::Netconf netconf = protocol::Netconf::parse(config);
    const auto run = [&] {
      const bool is_del = request.command == Command::del;
      return run_foreign(request, program, Command::del,
                         is_del ? with_request_prev_result(request, netconf).text() : config);
    };
    // An IPAM's configuration is that of the plugin it serves.
    const bool is_plugin = netconf.type() == type;
    static_cast<void>(is_plugin ? host.unlocked(run) : run());
    if (step != nullptr) step->mark_released(type);
  };
  const auto release_address = [&](const Undo& record) {
    ipam::release_recorded(record, why == journal::Why::removal, request.deadline);
  };
  journal::ReplayTools tools{host, run_delegate, release_address};
  if (request.command == Command::del) {
    tools.restore_rules = [&](const auto& own) { host.restore_rules(&own); };
  }
  Undone undone;
  tools.keep = [&](const Undo& record) {
    host.log(LogLevel::warning,
             fmt::format("undo record \"{}\" of version {} is not known: a newer unicni wrote it "
                         "and must undo it",
                         record.type, record.version));
    undone.kept.push_back(record);
  };
  undone.errors = journal::replay(records, why, tools);
  std::reverse(undone.kept.begin(), undone.kept.end());  // replay goes backward
  return undone;
}

}  // namespace unicni::chain
