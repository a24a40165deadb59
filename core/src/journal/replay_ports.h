// What portmap and firewall do beside elements of nftables: its undoing.
#pragma once

#include <optional>

#include "unicni/host.h"
#include "unicni/sys/lock.h"

namespace unicni::journal {

void remove_condition(const Undo& record, Host& host);
void forget_recorded_flows(const Undo& record, Host& host);
void clear_port_flag(const Undo& record, Host& host);
void restore_localnets(const Undo& record, Host& host);
/// The same where no record tells of it: after a DEL or GC of what has lost its journal.
void restore_idle_localnets(Host& host);
void remove_idle_loopback_route(const Undo& record, Host& host);

/// No ADD is between making something that attachments share and using it.
std::optional<sys::Lock> lock_ports();

net::NftCondition condition_of(const Undo& record);

}  // namespace unicni::journal
