// Undoing settings: qdiscs of host links, and what an attachment set or routed in its container.
#pragma once

#include "unicni/host.h"
#include "unicni/undo.h"

namespace unicni::journal {

/// Each undoes a record of its kind. What isn't as the record says any more (another link under the
/// name, another qdisc) is left alone; what is gone is fine. Throw Error.
void remove_own_qdisc(const Undo& record, Host& host);
void restore_sysctl(const Undo& record, Host& host);
void restore_link_settings(const Undo& record, Host& host);
void remove_added_rule(const Undo& record, Host& host);
void remove_added_route(const Undo& record, Host& host);
void restore_removed_route(const Undo& record, Host& host);
void remove_idle_vrf(const Undo& record, Host& host);
void release_vrf_port(const Undo& record, Host& host);
void restore_lost_address(const Undo& record, Host& host);

}  // namespace unicni::journal
