#include "chain/recorder.h"

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
  const journal::Place place{sys::boot_id(), host.host_links().identity()};
  return journal::Journal::open(journal::kFolder, key, place, sys::lock_deadline(request.deadline),
                                access);
}

std::vector<Error> undo_records(const std::vector<Undo>& records, journal::Why why,
                                const Request& request, VerbHost& host, const Step* step) {
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
  journal::ReplayTools tools{host, run_delegate, release_address, {}};
  if (request.command == Command::del) {
    tools.restore_rules = [&](const auto& own) { host.restore_rules(&own); };
  }
  return journal::replay(records, why, tools);
}

}  // namespace unicni::chain
